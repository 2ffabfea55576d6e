"""`make destroy`: says what would be lost and what stays, asks for the deployment's name, and takes it down."""

from __future__ import annotations

import sys
from collections.abc import Callable

from infra import cdk
from infra.deployment import Deployment
from infra.preflight import Problem, problems
from infra.terminal import loaded, refuse, say

NEEDED = ("AWS does not know", "These credentials")
"""Of what a deployment needs, what taking it down needs too."""


def protection(deployment: Deployment) -> list[Problem]:
    """Why this deployment is not taken down by a command."""
    if not deployment.size.protected:
        return []
    return [
        Problem(
            f"{deployment.prefix} is of the size {deployment.size.name}: its stacks, database and load balancer are "
            "protected from deletion.",
            "to lift that on purpose: protected=False in infra/sizes.py, make deploy, then make destroy",
        )
    ]


def losses(deployment: Deployment) -> list[str]:
    """What goes and what stays."""
    return [
        f"This deletes the stacks {deployment.prefix}-*: network, service, database, alarms, images and their logs.",
        "It keeps a last snapshot of the database, the key that it is encrypted with, and the access logs.",
        f"Backups to a point in time end with it. Who uses https://{deployment.domain} is cut off at once.",
    ]


def confirmed(deployment: Deployment, ask: Callable[[str], str]) -> bool:
    """Whether the person typed the deployment's name."""
    try:
        return ask(f"Type {deployment.name} to go on: ").strip() == deployment.name
    except EOFError:
        return False


def main() -> None:
    """`FILE`."""
    path, deployment = loaded(sys.argv[1:])
    refuse(protection(deployment))
    refuse([problem for problem in problems(deployment) if problem.what.startswith(NEEDED)])
    for line in losses(deployment):
        say(line)
    if not confirmed(deployment, input):
        raise SystemExit("penny: nothing was deleted.")
    if cdk.run("destroy", path, arguments=["--all", "--force"]):
        raise SystemExit("penny: not everything was deleted; CloudFormation's console says why.")
    say(
        f'gone. Snapshots: aws rds describe-db-cluster-snapshots --query "DBClusterSnapshots[?starts_with('
        f"DBClusterSnapshotIdentifier, '{deployment.prefix}')].DBClusterSnapshotIdentifier\""
    )


if __name__ == "__main__":
    main()
