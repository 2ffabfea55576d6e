"""The CDK app: every stack of one deployment. `deployment` and `tag` come as context, or from the caller."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.acknowledgements import acknowledge
from infra.deployment import Deployment, DeploymentError, load
from infra.stacks.data import Data
from infra.stacks.images import Images
from infra.stacks.network import Network
from infra.stacks.observability import Observability
from infra.stacks.service import Service

EXAMPLE = Path(__file__).parent / "deployments" / "example.toml"
FLAGS = {
    "@aws-cdk/core:enablePartitionLiterals": True,
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
}
"""How the CDK is to behave: ARNs with `aws` in them; what another stack uses cannot be deleted under it."""
UNTAGGED = ["AWS::RDS::DBProxyTargetGroup"]
"""What refuses to be tagged."""


@dataclass(frozen=True)
class Stacks:
    """The stacks of one deployment."""

    images: Images
    network: Network
    data: Data
    service: Service
    observability: Observability


def build(app: cdk.App, deployment: Deployment) -> Stacks:
    """Every stack of `deployment`, checked by cdk-nag when it is synthesized."""
    env = cdk.Environment(account=deployment.account, region=deployment.region)
    zones = f"availability-zones:account={deployment.account}:region={deployment.region}"
    app.node.set_context(zones, deployment.availability_zones)  # else the CDK asks AWS for them

    def settings(part: str) -> dict[str, object]:
        return {
            "env": env,
            "stack_name": f"{deployment.prefix}-{part}",
            "description": f"Penny, {deployment.name}: {part}",
            "termination_protection": deployment.size.protected,
        }

    images = Images(app, "Images", deployment, **settings("images"))
    network = Network(app, "Network", deployment, **settings("network"))
    data = Data(app, "Data", deployment, network, **settings("data"))
    service = Service(app, "Service", deployment, images=images, network=network, data=data, **settings("service"))
    observability = Observability(
        app, "Observability", deployment, data=data, service=service, **settings("observability")
    )
    for name, value in (("app", "penny"), ("deployment", deployment.prefix), ("size", deployment.size.name)):
        cdk.Tags.of(app).add(name, value, exclude_resource_types=UNTAGGED)
    stacks = Stacks(images, network, data, service, observability)
    made = (images, network, data, service, observability)
    acknowledge({stack.node.id: stack for stack in made}, deployment)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return stacks


def main() -> None:
    """What the CDK's command line runs."""
    app = cdk.App(context=FLAGS)
    path = Path(app.node.try_get_context("deployment") or EXAMPLE)
    try:
        build(app, load(path, tag=app.node.try_get_context("tag")))
    except DeploymentError as error:
        raise SystemExit(f"penny: {error}") from None
    app.synth()


if __name__ == "__main__":
    main()
