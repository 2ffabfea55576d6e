"""Where the container image is kept. A stack of its own, for it must be there before anything that runs the image."""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infra.deployment import Deployment


class Images(Stack):
    """A repository whose tags never change; what is pushed is scanned."""

    def __init__(self, scope: Construct, id: str, deployment: Deployment, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        self.repository = ecr.Repository(
            self,
            "Repository",
            repository_name=deployment.prefix,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            encryption=ecr.RepositoryEncryption.KMS,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=50, description="enough to roll back to")],
            removal_policy=RemovalPolicy.DESTROY,
            empty_on_delete=True,
        )
