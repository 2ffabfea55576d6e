"""A template as lines for a reviewer, one `resource.property = value` each, without the CDK's hashes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

QUIET = {
    "AWS::EC2::Subnet",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::Route",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::CloudWatch::Dashboard",
    "AWS::CDK::Metadata",
    "AWS::Logs::QueryDefinition",
    "AWS::Lambda::Function",
    "AWS::StepFunctions::StateMachine",
}
"""Kinds of which the name says enough."""
LEFT_OUT = {"Tags", "GroupDescription", "Description"}
HASH = re.compile(r"([A-Za-z])(?:[0-9A-F]{8}|[0-9a-f]{32,64})(?![0-9A-Za-z])")


def lines(template: dict[str, Any]) -> list[str]:
    """The lines of a template, in the order of the resources' names."""
    found = []
    for name, resource in template["Resources"].items():
        kind, short = resource["Type"], _plain(name)
        found.append(f"{short}: {kind.removeprefix('AWS::')}{_fate(resource)}")
        if kind not in QUIET:
            found.extend(f"{short}.{line}" for line in _walk(resource.get("Properties", {})))
    return sorted(found)


def _fate(resource: dict[str, Any]) -> str:
    policy = resource.get("DeletionPolicy")
    return f" ({policy.lower()} on deletion)" if policy in ("Retain", "Snapshot") else ""


def _walk(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict) and not _intrinsic(value):
        for key in sorted(value):
            if key not in LEFT_OUT:
                yield from _walk(value[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(part, dict) and not _intrinsic(part) for part in value):
        for at, part in enumerate(value):
            yield from _walk(part, f"{path}[{at}]")
    else:
        yield f"{path} = {_text(value)}"


def _intrinsic(value: dict[str, Any]) -> bool:
    return len(value) == 1 and (next(iter(value)) == "Ref" or next(iter(value)).startswith("Fn::"))


def _text(value: Any) -> str:
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        if kind == "Fn::Join":
            return "".join(_text(part) for part in inner[1])
        if kind == "Fn::GetAtt":
            return f"<{_plain('.'.join(inner))}>"
        if kind == "Fn::ImportValue":
            return f"<{_plain(inner.rpartition(':')[2])}>"
        return f"<{_plain(inner)}>" if isinstance(inner, str) else f"<{kind} {_plain(json.dumps(inner))}>"
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    return _plain(value) if isinstance(value, str) else json.dumps(value)


def _plain(text: str) -> str:
    while (shorter := HASH.sub(r"\1", text)) != text:
        text = shorter
    return text.replace("\n", "\\n")
