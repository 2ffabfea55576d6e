"""Clients of AWS's services, set up as its own tools find it, and by AWS_REGION too, which botocore does not read."""

from __future__ import annotations

from typing import Any, Final

_REGION: Final = {"region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)}


def client(service: str, **options: Any) -> Any:
    """A client as boto3 makes it. Raises botocore's BotoCoreError, for example where no region is set."""
    import boto3
    from botocore.session import Session

    return boto3.Session(botocore_session=Session(session_vars=_REGION)).client(service, **options)
