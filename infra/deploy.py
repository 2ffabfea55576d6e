"""`make deploy`: looks whether everything is there, then image repository, image, stacks."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra import cdk
from infra.deployment import Deployment
from infra.preflight import ENGINES, Problem, problems
from infra.terminal import loaded, refuse, say

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


@dataclass(frozen=True)
class Step:
    """One program to run. `given` goes to its standard input and is never shown."""

    what: str
    command: Sequence[str]
    given: str | None = None


def registry(deployment: Deployment) -> str:
    """The host that images are pushed to."""
    return f"{deployment.account}.dkr.ecr.{deployment.region}.amazonaws.com"


def image_steps(deployment: Deployment, tag: str, engine: str, password: str) -> list[Step]:
    """Building the image and bringing it where tasks find it."""
    name, host = f"{registry(deployment)}/{deployment.prefix}:{tag}", registry(deployment)
    platform = PLATFORMS[deployment.architecture]
    return [
        Step("building the image", ["sh", "image/build.sh", name, "--platform", platform]),
        Step("logging in to ECR", [engine, "login", "--username", "AWS", "--password-stdin", host], password),
        Step("pushing the image", [engine, "push", name]),
    ]


def commit(root: Path) -> str | Problem:
    """The commit that is checked out, which images are tagged with."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S607

    tag = git("rev-parse", "--short=12", "HEAD")
    if not tag:
        return Problem("This is no checkout of git; images are tagged with the commit.", "git clone …")
    if git("status", "--porcelain"):
        return Problem("There are changes that are in no commit.", "commit them, or git stash")
    return tag


def engine_here(works: Callable[[str], bool]) -> str:
    """The first of docker, podman and buildah that works, as image/build.sh takes it."""
    return next((engine for engine in ENGINES if works(engine)), ENGINES[-1])


def _works(engine: str) -> bool:
    if not shutil.which(engine):
        return False
    return subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0


def run(steps: Sequence[Step]) -> None:
    """Runs them one after the other. Ends the program at the first that fails."""
    for step in steps:
        say(step.what)
        done = subprocess.run(step.command, cwd=cdk.ROOT, input=step.given, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"penny: {step.what} failed ({step.command[0]} exit {done.returncode}).")


def pushed(ecr: Any, deployment: Deployment, tag: str) -> bool:
    """Whether this commit's image is in the repository, whose tags never change."""
    try:
        ecr.describe_images(repositoryName=deployment.prefix, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return False
        raise
    return True


def main() -> None:
    """`FILE`."""
    path, deployment = loaded(sys.argv[1:])
    say(f"looking whether everything is there for {deployment.prefix}")
    tag = commit(cdk.ROOT)
    if isinstance(tag, Problem):
        refuse([tag, *problems(deployment)])
        return
    refuse(problems(deployment))
    stacks = (["Images"], ["--all"])
    _cdk(path, tag, stacks[0], "the image repository")
    ecr = boto3.client("ecr", region_name=deployment.region)
    if not pushed(ecr, deployment, tag):
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        password = base64.b64decode(token).decode().partition(":")[2]
        run(image_steps(deployment, tag, engine_here(_works), password))
    _cdk(path, tag, stacks[1], "the stacks; the database takes a quarter of an hour the first time")
    say(f"https://{deployment.domain} is Penny {tag}. Confirm AWS's two mails to {deployment.email}.")


def _cdk(path: Path, tag: str, stacks: Sequence[str], what: str) -> None:
    say(f"deploying {what}")
    # What widens rights is shown and asked about where somebody can answer.
    approval = [] if sys.stdin.isatty() else ["--require-approval", "never"]
    if cdk.run("deploy", path, tag=tag, arguments=[*stacks, *approval]):
        raise SystemExit("penny: the deployment failed; docs/operations/roll-back.md says what is as it was.")


if __name__ == "__main__":
    main()
