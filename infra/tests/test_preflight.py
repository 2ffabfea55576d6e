"""What is looked at before a deployment: each thing that is missing is said, with what mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from moto import mock_aws

from infra.deploy import commit, image_steps, pushed
from infra.deployment import Deployment
from infra.destroy import confirmed, losses, protection
from infra.preflight import BOOTSTRAP, CHANNEL_KEYS, Problem, problems
from infra.tests.conftest import ROOT, example

REGION, ACCOUNT = "eu-west-1", "123456789012"
ALL_THERE = "/usr/bin/{}".format


@dataclass
class Aws:
    """What moto does not have, over real HTTP: one call of a model, one quota."""

    model: tuple[int, dict[str, Any]] = (200, {"output": {"message": {"role": "assistant", "content": []}}})
    vcpus: float = 1000
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def aws() -> Aws:
    """Answers that a test may change."""
    return Aws()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> Iterator[boto3.Session]:
    """An account in which everything is there for the deployment of `wanted`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            aws.asked.append(self.path)
            status, body = aws.model if "/model/" in self.path else (200, {"Quota": {"Value": aws.vcpus}})
            sent = json.dumps(body).encode()
            self.send_response(status)
            if status != 200:
                self.send_header("x-amzn-ErrorType", str(body["code"]))
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    given = {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": address,
        "AWS_ENDPOINT_URL_SERVICE_QUOTAS": address,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        session = boto3.Session(region_name=REGION)
        session.client("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")
        keys = json.dumps(dict.fromkeys(CHANNEL_KEYS["slack"], "x"))
        session.client("secretsmanager").create_secret(Name="penny-example/channels/slack", SecretString=keys)
        yield session
    server.shutdown()
    server.server_close()


@pytest.fixture
def wanted(account: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Deployment]:
    """The example, in the account of the test and with a certificate that is there."""
    monkeypatch.setattr("moto.settings.ACM_VALIDATION_WAIT", -1)  # seconds until moto issues one
    acm = account.client("acm")
    issued = acm.request_certificate(DomainName="*.example.com", ValidationMethod="DNS")["CertificateArn"]

    def make(**changes: Any) -> Deployment:
        return example(**{"account": ACCOUNT, "certificate": issued, **changes})

    return make


def said(deployment: Deployment, session: boto3.Session) -> str:
    """All problems, as one text."""
    return "\n".join(f"{p.what} {p.mend}" for p in problems(deployment, session, found=ALL_THERE))


def test_nothing_is_missing_where_everything_is_there(
    account: boto3.Session, wanted: Callable[..., Deployment], aws: Aws
) -> None:
    """And each model was really asked, once."""
    deployment = wanted()
    assert problems(deployment, account, found=ALL_THERE) == []
    asked = [unquote(path).split("/")[2] for path in aws.asked if path.endswith("/converse")]
    assert asked == list(deployment.models)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"zones": ["a", "f"]}, "eu-west-1f: no such zone"),
        ({"domain": "penny.example.org"}, "take one for penny.example.org"),
        ({"domain": "a.b.example.com"}, "take one for a.b.example.com"),
        ({"hosted_zone": "Z0123456789ABCDEFGHIJ"}, "no hosted zone Z0123456789ABCDEFGHIJ"),
        ({"channels": ["slack", "twilio"]}, "create-secret --name penny-example/channels/twilio"),
        ({"certificate": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/none"}, "no such certificate"),
    ],
)
def test_what_is_missing_is_said_with_what_mends_it(
    account: boto3.Session, wanted: Callable[..., Deployment], changes: dict[str, Any], expected: str
) -> None:
    """One of each."""
    assert expected in said(wanted(**changes), account)


def test_a_secret_without_its_keys_is_told_by_names_only(
    account: boto3.Session, wanted: Callable[..., Deployment]
) -> None:
    """What it holds is never shown."""
    manager = account.client("secretsmanager")
    manager.put_secret_value(SecretId="penny-example/channels/slack", SecretString='{"bot_token": "xoxb-hush"}')
    text = said(wanted(), account)
    assert "lacks signing_secret" in text
    assert "hush" not in text


def test_a_cdk_that_was_never_set_up(account: boto3.Session, wanted: Callable[..., Deployment]) -> None:
    """The command that does it is named."""
    account.client("ssm").delete_parameter(Name=BOOTSTRAP)
    assert f"cdk bootstrap aws://{ACCOUNT}/{REGION}" in said(wanted(), account)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AccessDeniedException", "Model access"),
        ("ValidationException", "list-inference-profiles"),
        ("ThrottlingException", "service-quotas"),
        ("InternalServerException", "cannot be looked at (InternalServerException at Converse)"),
    ],
)
def test_a_model_that_cannot_be_called(
    account: boto3.Session, wanted: Callable[..., Deployment], aws: Aws, code: str, expected: str
) -> None:
    """Each refusal of Bedrock's has a way out."""
    aws.model = (400, {"code": code, "message": "No."})
    assert expected in said(wanted(), account)


def test_a_quota_that_is_too_small(account: boto3.Session, wanted: Callable[..., Deployment], aws: Aws) -> None:
    """With the command that asks for twice what is needed."""
    aws.vcpus = 6
    assert "may have 6 vCPUs" in said(wanted(), account)
    assert "--desired-value 80" in said(wanted(), account)


def test_credentials_of_another_account(account: boto3.Session) -> None:
    """Nothing else is asked of the wrong account."""
    (problem,) = problems(example(), account, found=ALL_THERE)
    assert "of account 123456789012, the deployment is for 111111111111" in problem.what


def test_everything_missing_is_said_at_once(account: boto3.Session, wanted: Callable[..., Deployment]) -> None:
    """Not one thing a try."""
    account.client("ssm").delete_parameter(Name=BOOTSTRAP)
    found = problems(wanted(zones=["a", "f"], channels=["twilio"]), account, found=lambda _: None)
    assert len(found) == 5


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_without_credentials_a_sentence_and_no_stack_trace(command: str, tmp_path: Any) -> None:
    """As a person meets it: exit 1, what is missing, and that nothing was done."""
    path = tmp_path / "small.toml"
    path.write_text((ROOT / "infra/deployments/example.toml").read_text().replace('"production"', '"small"'))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    nothing = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    done = subprocess.run(
        [sys.executable, "-m", f"infra.{command}", str(path)],
        cwd=ROOT,
        env={**kept, **nothing, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "AWS does not know who you are (NoCredentialsError)" in done.stderr
    assert "nothing was done" in done.stderr
    assert "Traceback" not in done.stderr


def test_production_is_not_taken_down_by_a_command() -> None:
    """The refusal says how to do it on purpose."""
    (problem,) = protection(example())
    assert "protected from deletion" in problem.what
    assert protection(example(size="staging")) == []


def test_taking_down_says_what_is_lost_and_wants_the_name() -> None:
    """A yes is not enough, and neither is nobody to answer."""
    deployment = example(size="small")
    assert any("snapshot" in line for line in losses(deployment))
    assert confirmed(deployment, lambda _: " example\n")
    assert not confirmed(deployment, lambda _: "yes")

    def nobody(_: str) -> str:
        raise EOFError

    assert not confirmed(deployment, nobody)


def test_the_image_is_built_as_the_tasks_run_and_pushed_with_the_commit() -> None:
    """By whichever engine; the password goes to standard input only."""
    steps = image_steps(example(architecture="arm64"), "abc", "podman", "hush")
    name = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/penny-example:abc"
    assert [step.command for step in steps] == [
        ["sh", "image/build.sh", name, "--platform", "linux/arm64"],
        ["podman", "login", "--username", "AWS", "--password-stdin", name.partition("/")[0]],
        ["podman", "push", name],
    ]
    assert "hush" not in str([step.command for step in steps])


def test_an_image_that_is_there_is_not_built_again(account: boto3.Session) -> None:
    """Tags never change, so a commit is pushed once."""
    ecr = account.client("ecr")
    deployment = example()
    assert not pushed(ecr, deployment, "abc")
    ecr.create_repository(repositoryName=deployment.prefix)
    assert not pushed(ecr, deployment, "abc")
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": {"digest": "sha256:0"}, "layers": []}
    ecr.put_image(repositoryName=deployment.prefix, imageManifest=json.dumps(manifest), imageTag="abc")
    assert pushed(ecr, deployment, "abc")


def test_only_a_commit_is_deployed(tmp_path: Any) -> None:
    """What is in no commit could not be deployed again."""
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x.x", "-C", str(tmp_path)]
    assert isinstance(commit(tmp_path), Problem)
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *arguments], check=True)
    tag = commit(tmp_path)
    assert isinstance(tag, str)
    assert len(tag) == 12
    (tmp_path / "new").touch()
    found = commit(tmp_path)
    assert isinstance(found, Problem)
    assert "in no commit" in found.what
