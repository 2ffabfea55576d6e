"""What a deployment needs from its account and this machine, looked at before anything is made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.deployment import Deployment, foundation

ENGINES = ("docker", "podman", "buildah")
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
OLDEST_BOOTSTRAP = 21
FARGATE_VCPU = "L-3032A538"
"""The quota `Fargate On-Demand vCPU resource count`."""

CHANNEL_KEYS = {
    "slack": {"signing_secret", "bot_token"},
    "telegram": {"bot_token", "webhook_secret"},
    "whatsapp": {"app_secret", "verify_token", "access_token", "phone_number_id"},
    "twilio": {"account_sid", "auth_token", "from"},
    "standard": {"webhook_secret"},
}
"""What the secret of a channel must hold: the channel's settings without PENNY_<CHANNEL>_."""


@dataclass(frozen=True)
class Problem:
    """Something that a deployment would fail of, and what mends it."""

    what: str
    mend: str


Client = Callable[[str], Any]
Check = Callable[[Deployment, Client], Iterator[Problem]]


def problems(
    deployment: Deployment, session: boto3.Session | None = None, *, found: Callable[[str], str | None] = shutil.which
) -> list[Problem]:
    """Everything that stands in the way, not only the first of it. `found` says where a program is."""
    missing = list(_machine(found))
    try:
        session = session or boto3.Session(region_name=deployment.region)
        who = session.client("sts", region_name=deployment.region).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        why = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        return [*missing, Problem(f"AWS does not know who you are ({why}).", "aws sso login, or set AWS_PROFILE")]
    if who["Account"] != deployment.account:
        what = f"These credentials are of account {who['Account']}, the deployment is for {deployment.account}."
        return [*missing, Problem(what, "set AWS_PROFILE to one of that account")]
    clients = session  # mypy: not None in the closure below

    def client(name: str) -> Any:
        return clients.client(name, region_name=deployment.region)

    for check in (_zones, _bootstrap, _certificate, _hosted_zone, _model, _quota, _secrets):
        try:
            missing.extend(check(deployment, client))
        except ClientError as error:
            code, action = error.response["Error"]["Code"], error.operation_name
            what = f"{check.__name__.strip('_').replace('_', ' ')}: cannot be looked at ({code} at {action})."
            missing.append(Problem(what, f"have {action} allowed to {who['Arn']}"))
        except BotoCoreError as error:
            what = f"{check.__name__.strip('_').replace('_', ' ')}: AWS does not answer ({type(error).__name__})."
            missing.append(Problem(what, "try again, or look at the network"))
    return missing


def _machine(found: Callable[[str], str | None]) -> Iterator[Problem]:
    if not any(found(engine) for engine in ENGINES):
        yield Problem(
            "Nothing here builds images.", "install docker, podman or buildah (Debian: apt-get install buildah)"
        )
    if not found("git"):
        yield Problem("git is not here; images are tagged with the commit.", "install git")


def _zones(deployment: Deployment, client: Client) -> Iterator[Problem]:
    answer = client("ec2").describe_availability_zones()
    there = {zone["ZoneName"] for zone in answer["AvailabilityZones"] if zone["State"] == "available"}
    absent = [zone for zone in deployment.availability_zones if zone not in there]
    if absent:
        what = f"{', '.join(absent)}: no such zone for this account."
        yield Problem(what, f"zones = {json.dumps(sorted(zone[-1] for zone in there))} or some of them")


def _bootstrap(deployment: Deployment, client: Client) -> Iterator[Problem]:
    mend = f"node infra/node_modules/aws-cdk/bin/cdk bootstrap aws://{deployment.account}/{deployment.region}"
    try:
        version = int(client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except client("ssm").exceptions.ParameterNotFound:
        yield Problem("The CDK has not been set up in this account and region.", mend)
        return
    if version < OLDEST_BOOTSTRAP:
        yield Problem(f"The CDK's set-up here is version {version}, {OLDEST_BOOTSTRAP} is needed.", mend)


def _certificate(deployment: Deployment, client: Client) -> Iterator[Problem]:
    acm = client("acm")
    try:
        found = acm.describe_certificate(CertificateArn=deployment.certificate)["Certificate"]
    except acm.exceptions.ResourceNotFoundException:
        mend = f"aws acm request-certificate --domain-name {deployment.domain} --validation-method DNS"
        yield Problem("There is no such certificate.", mend)
        return
    if found["Status"] != "ISSUED":
        yield Problem(f"The certificate is {found['Status']}.", "make the DNS records that ACM asks for, and wait")
    names = {found["DomainName"], *found.get("SubjectAlternativeNames", [])}
    if not any(_covers(name, deployment.domain) for name in names):
        yield Problem(f"The certificate is for {', '.join(sorted(names))}.", f"take one for {deployment.domain}")


def _covers(name: str, domain: str) -> bool:
    return fnmatch(domain, name) and name.count(".") == domain.count(".")


def _hosted_zone(deployment: Deployment, client: Client) -> Iterator[Problem]:
    if deployment.hosted_zone is None:
        return
    route53 = client("route53")
    try:
        zone = route53.get_hosted_zone(Id=deployment.hosted_zone)["HostedZone"]["Name"].rstrip(".")
    except route53.exceptions.NoSuchHostedZone:
        yield Problem(f"There is no hosted zone {deployment.hosted_zone}.", "aws route53 list-hosted-zones")
        return
    if deployment.domain.partition(".")[2] != zone:
        yield Problem(f"{deployment.domain} is not a name of the hosted zone {zone}.", "take the zone that it is in")


def _model(deployment: Deployment, client: Client) -> Iterator[Problem]:
    for model in deployment.models:
        yield from _one_model(model, deployment, client)


def _one_model(model: str, deployment: Deployment, client: Client) -> Iterator[Problem]:
    """By a call of one token: nothing else tells for sure."""
    try:
        client("bedrock-runtime").converse(
            modelId=model,
            messages=[{"role": "user", "content": [{"text": "Hello"}]}],
            inferenceConfig={"maxTokens": 1},
        )
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code == "ThrottlingException":
            yield Problem(
                f"Bedrock turns even one call of {model} away.",
                "ask for its quota: aws service-quotas list-service-quotas --service-code bedrock",
            )
        elif code in ("AccessDeniedException", "ResourceNotFoundException"):
            mend = f"ask for access to {foundation(model)} in Bedrock's console (Model access)"
            yield Problem(f"{model} may not be called: {message}", mend)
        elif code == "ValidationException":
            mend = "aws bedrock list-inference-profiles --query 'inferenceProfileSummaries[].inferenceProfileId'"
            yield Problem(f"{model} cannot be called in {deployment.region}: {message}", mend)
        else:
            raise


def _quota(deployment: Deployment, client: Client) -> Iterator[Problem]:
    size = deployment.size
    quota = client("service-quotas").get_service_quota(ServiceCode="fargate", QuotaCode=FARGATE_VCPU)["Quota"]["Value"]
    needed = size.tasks_most * size.cpu / 1024
    if quota < needed:
        what = f"Fargate may have {quota:g} vCPUs in this account; {size.name} may grow to {needed:g}."
        ask = "aws service-quotas request-service-quota-increase --service-code fargate"
        yield Problem(what, f"{ask} --quota-code {FARGATE_VCPU} --desired-value {needed * 2:g}")


def _secrets(deployment: Deployment, client: Client) -> Iterator[Problem]:
    manager = client("secretsmanager")
    for channel in deployment.channels:
        name = f"{deployment.prefix}/channels/{channel}"
        keys = CHANNEL_KEYS[channel]
        wanted = json.dumps(dict.fromkeys(sorted(keys), "…"), ensure_ascii=False)
        try:
            value = manager.get_secret_value(SecretId=name, VersionStage="AWSCURRENT").get("SecretString", "")
        except manager.exceptions.ResourceNotFoundException:
            mend = f"aws secretsmanager create-secret --name {name} --secret-string '{wanted}'"
            yield Problem(f"The channel {channel} has no secret.", mend)
            continue
        lacking = keys - _keys(value)
        if lacking:
            mend = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string '{wanted}'"
            yield Problem(f"The secret {name} lacks {', '.join(sorted(lacking))}.", mend)


def _keys(value: str) -> set[str]:
    try:
        held = json.loads(value)
    except ValueError:
        return set()
    return {name for name, one in held.items() if one} if isinstance(held, dict) else set()
