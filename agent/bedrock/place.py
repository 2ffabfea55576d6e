"""Where a Bedrock model is: its id or inference profile ARN, its region, its endpoint, and who made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from langchain_aws.utils import parse_model_provider

from domain.errors import SetupError


@dataclass(frozen=True, slots=True)
class Place:
    """Named in messages to people. With a `tenant` it is that tenant's own profile."""

    model_id: str
    region: str
    endpoint: str
    tenant: str = ""

    @property
    def host(self) -> str:
        """host or host:port of the endpoint."""
        return urlsplit(self.endpoint).netloc


def region_of(model_id: str) -> str | None:
    """The region that an ARN names; None for a plain model id."""
    parts = model_id.split(":")
    return parts[3] or None if model_id.startswith("arn:") and len(parts) > 5 else None


def is_application_profile(model_id: str) -> bool:
    """Whether only AWS's control plane knows which model this is."""
    return ":application-inference-profile/" in model_id


def check_profiles(profiles: Mapping[str, str], region: str) -> None:
    """Raises SetupError when one of the tenants' profiles is no application inference profile of the region."""
    for tenant, arn in profiles.items():
        if not is_application_profile(arn) or region_of(arn) is None:
            raise SetupError(
                f"PENNY_MODEL_PROFILES has {arn!r} for {tenant!r}: that is no ARN of an application inference profile."
            )
        if region_of(arn) != region:
            raise SetupError(
                f"PENNY_MODEL_PROFILES has a profile of {region_of(arn)} for {tenant!r}; the model is in {region}."
            )


def maker_and_base(model_id: str) -> tuple[str, str]:
    """("anthropic", "anthropic.claude-...") of a model id or ARN, which decides what may be asked of the model."""
    short = model_id.rpartition("/")[2]
    maker = parse_model_provider(short)
    return maker, short[short.index(maker) :]


def behind(profile: str, control: Any) -> str:
    """The id of the model that an application profile stands for, with its geography ("us.") when it goes to several
    regions of one. `control` is a boto3 `bedrock` client. Raises SetupError."""
    try:
        models = control.get_inference_profile(inferenceProfileIdentifier=profile)["models"]
        arns = [str(model["modelArn"]) for model in models]
        short = arns[0].rpartition("/")[2]
        regions = {arn.split(":")[3] for arn in arns}
    except (BotoCoreError, ClientError, LookupError) as error:
        raise SetupError(
            f"AWS does not tell which model is behind {profile}: allow bedrock:GetInferenceProfile and check the ARN, "
            "or set PENNY_MODEL_BASE to the model's id."
        ) from error
    geographies = {region.partition("-")[0] for region in regions}
    if len(regions) < 2 or len(geographies) > 1 or "" in geographies:
        return short
    return f"{geographies.pop()}.{short}".replace("ap.", "apac.", 1)
