"""What one deployment is: the file that its team writes (deployments/example.toml explains it), read and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.certificates import FILE as AUTHORITIES
from infra.certificates import SOURCE, regions
from infra.sizes import SIZES, Size

MOST_TENANTS = 40
"""Each has a profile that the service's role names twice, and a role's policies have room for 10,240 characters."""

OURS = re.compile("PENNY_(MODEL|MODEL_BASE|MODEL_FALLBACK|MODEL_PROFILES|GUARDRAIL|DATABASE_(?!POOL).*)")
"""Settings that follow from other lines, which the rights of the service's role follow from too."""

CHANNELS = ("slack", "telegram", "whatsapp", "twilio", "standard")

FORMS = {
    "name": (r"[a-z][a-z0-9-]{1,20}", "2 to 21 lower-case letters, digits and hyphens, such as production"),
    "account": (r"\d{12}", "the 12 digits of an AWS account"),
    "region": (r"[a-z]{2}(-[a-z]+)+-\d", "a region of AWS, such as eu-west-1"),
    "domain": (r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", "a host name, such as penny.example.com"),
    "certificate": (r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/.+", "the ARN of a certificate of ACM"),
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"),
    "model": (r"([a-z]+\.)?(anthropic|amazon)\.[a-z0-9.:-]+", "a model of Bedrock or a system inference profile"),
    "hosted_zone": (r"Z[A-Z0-9]{5,31}", "the id of a hosted zone of Route 53"),
    "guardrail": (r"arn:aws[a-z-]*:bedrock:[a-z0-9-]+:\d{12}:guardrail/[a-z0-9]+:(\d+|DRAFT)", "<ARN>:<version>"),
    "encryption": (r"off|read|on", "off, read or on: docs/encryption.md"),
    "architecture": (r"x86_64|arm64", "x86_64 or arm64, as the image is built"),
}


class DeploymentError(Exception):
    """The file of a deployment cannot be used; the message says which line and what it should be."""


@dataclass(frozen=True)
class Auth:
    """Who may call: the keys of an identity provider, or a user pool of this deployment's own."""

    jwks: str | None = None
    issuer: str | None = None
    audience: str | None = None
    cognito: bool = False


@dataclass(frozen=True)
class BusyHours:
    """When the size's `tasks_busy` holds: hours in UTC on days of cron's week."""

    start: int
    end: int
    days: str = "MON-FRI"


@dataclass(frozen=True)
class Deployment:
    """One deployment. Everything that the stacks are made of; nothing else is read when they are made."""

    name: str
    account: str
    region: str
    size: Size
    domain: str
    certificate: str
    email: str
    model: str
    monthly_budget_usd: Decimal
    auth: Auth
    zones: tuple[str, ...] = ("a", "b", "c")
    hosted_zone: str | None = None
    fallback: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    guardrail: str | None = None
    architecture: str = "x86_64"
    busy: BusyHours | None = None
    traces: bool = False
    database_proxy: bool = False
    database_iam: bool = False
    encryption: str = "off"
    exec: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    runbooks: str = "docs/operations"
    tag: str = "not-built"

    @property
    def prefix(self) -> str:
        """What this deployment's stacks and named resources begin with."""
        return f"penny-{self.name}"

    @property
    def availability_zones(self) -> list[str]:
        """By name, so that nothing is asked of AWS to make the stacks."""
        return [self.region + zone for zone in self.zones]

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that the service may ask, the first one first."""
        return (self.model, *self.fallback)

    @property
    def secret_names(self) -> dict[str, str]:
        """Setting of Penny -> name of the secret that a channel's settings are in."""
        return {f"PENNY_{c.upper()}_SECRET_ID": f"{self.prefix}/channels/{c}" for c in self.channels}


def foundation(model: str) -> str:
    """The model behind a system inference profile: `eu.anthropic.x` is `anthropic.x` in the regions of `eu`."""
    geography, _, rest = model.partition(".")
    return model if geography in ("anthropic", "amazon") else rest


def load(path: Path, *, tag: str | None = None) -> Deployment:
    """The deployment that the TOML file at `path` describes, of the image tagged `tag`. Raises DeploymentError."""
    try:
        given = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise DeploymentError(f"There is no {path}. Copy infra/deployments/example.toml and fill it in.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeploymentError(f"{path} is not TOML: {error}.") from None
    try:
        return parse({**given, **({"tag": tag} if tag else {})})
    except DeploymentError as error:
        raise DeploymentError(f"{path}: {error}") from None


def parse(given: Mapping[str, Any]) -> Deployment:
    """The deployment of these values. Raises DeploymentError with the first that cannot be used."""
    known = {f.name: f for f in fields(Deployment)}
    for name in given:
        if name not in known:
            raise DeploymentError(f"{name} is not known; the names are {', '.join(sorted(known))}.")
    for name, (form, meaning) in FORMS.items():
        value = given.get(name)
        if value is not None and not (isinstance(value, str) and re.fullmatch(form, value)):
            raise DeploymentError(f"{name} = {value!r} should be {meaning}.")
    needed = (
        "name",
        "account",
        "region",
        "size",
        "domain",
        "certificate",
        "email",
        "model",
        "monthly_budget_usd",
        "auth",
    )
    missing = [name for name in needed if name not in given]
    if missing:
        raise DeploymentError(f"{', '.join(missing)} missing; infra/deployments/example.toml explains each.")
    values = dict(given)
    if values["size"] not in SIZES:
        raise DeploymentError(f"size = {values['size']!r} should be one of {', '.join(SIZES)}.")
    values["size"] = SIZES[values["size"]]
    values["monthly_budget_usd"] = _dollars(values["monthly_budget_usd"])
    values["auth"] = _auth(_table(values["auth"], "auth", Auth))
    if "busy" in values:
        values["busy"] = _busy(_table(values["busy"], "busy", BusyHours))
    for name in ("zones", "fallback", "tenants", "channels", "cors_origins"):
        if name in values:
            values[name] = _texts(values[name], name)
    deployment = Deployment(**values)
    _check(deployment)
    return deployment


def _table(value: Any, name: str, kind: type) -> dict[str, Any]:
    known = {f.name for f in fields(kind)}
    if not isinstance(value, dict) or not set(value) <= known:
        raise DeploymentError(f"{name} should be a table of {', '.join(sorted(known))}.")
    return value


def _dollars(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise DeploymentError("monthly_budget_usd should be whole dollars, 1 or more.")
    return Decimal(value)


def _texts(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
        raise DeploymentError(f"{name} should be a list of texts.")
    if len(set(value)) != len(value):
        raise DeploymentError(f"{name} has something twice.")
    return tuple(value)


def _auth(table: dict[str, Any]) -> Auth:
    auth = Auth(**table)
    if auth.cognito:
        if auth.jwks or auth.issuer or auth.audience:
            raise DeploymentError("auth has cognito = true, which makes jwks, issuer and audience itself.")
    elif not (auth.issuer and auth.audience and str(auth.jwks).startswith("https://")):
        raise DeploymentError("auth needs jwks (https://…), issuer and audience, or cognito = true.")
    return auth


def _busy(table: dict[str, Any]) -> BusyHours:
    start, end = table.get("start"), table.get("end")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= 23):
        raise DeploymentError("busy needs start and end, hours in UTC, 0 <= start < end <= 23.")
    return BusyHours(**table)


def _check(deployment: Deployment) -> None:
    if len(deployment.zones) < 2 or not all(re.fullmatch("[a-f]", zone) for zone in deployment.zones):
        raise DeploymentError('zones should be two or more letters of the region\'s zones, such as ["a", "b", "c"].')
    for channel in deployment.channels:
        if channel not in CHANNELS:
            raise DeploymentError(f"channels has {channel!r}; they are {', '.join(CHANNELS)}.")
    for tenant in deployment.tenants:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", tenant):
            raise DeploymentError(f"tenants has {tenant!r}; use lower-case letters, digits and hyphens.")
    if len(deployment.tenants) > MOST_TENANTS:
        raise DeploymentError(
            f"tenants has {len(deployment.tenants)}; there is room for {MOST_TENANTS} profiles. The tokens and cost of "
            "every tenant are in `penny usage` all the same."
        )
    form, meaning = FORMS["model"]
    for model in deployment.fallback:
        if not re.fullmatch(form, model) or model == deployment.model:
            raise DeploymentError(f"fallback has {model!r}; each should be {meaning}, other than `model`.")
    for name, value in deployment.settings.items():
        if OURS.fullmatch(name):
            raise DeploymentError(
                f"settings has {name!r}, which the deployment sets itself: see model, fallback, tenants, guardrail, "
                "database_proxy and database_iam in infra/deployments/example.toml."
            )
        if not (name.startswith("PENNY_") and isinstance(value, str)):
            raise DeploymentError(f"settings has {name!r}; they are settings of Penny's with text values.")
    if deployment.database_iam and deployment.database_proxy:
        raise DeploymentError("database_iam and database_proxy exclude each other: the proxy logs in by a secret.")
    if deployment.region not in regions(AUTHORITIES.read_text()):
        raise DeploymentError(
            f"region = {deployment.region!r} has databases that {AUTHORITIES.name} does not vouch for: "
            f"curl -fsS {SOURCE} | .venv-infra/bin/python -m infra.certificates, and commit it."
        )
    certificate_region = deployment.certificate.split(":")[3]
    if certificate_region != deployment.region:
        raise DeploymentError(
            f"certificate is in {certificate_region}; a load balancer needs one in {deployment.region}."
        )
