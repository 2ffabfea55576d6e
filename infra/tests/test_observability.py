"""What the on-call is told and sees: every alarm has a runbook, every graph a metric that somebody sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.tests.conftest import ROOT, Templates

SENT = {
    "FirstTokenMs",
    "TurnMs",
    "RunsFailed",
    "RunsFinished",
    "RunsQueued",
    "QueueAgeSeconds",
    "LeaseTakeovers",
    "RunsHandedOver",
    "FlushMs",
    "Readers",
    "ReadersDropped",
    "ActiveStreams",
    "BedrockThrottles",
    "BedrockErrors",
    "InputTokens",
    "OutputTokens",
    "CacheReadTokens",
    "CostUsd",
    "OutboxAgeSeconds",
    "OutboxDead",
    "DatabasePoolInUse",
    "DatabasePoolWaitMs",
}
"""What Penny writes into its log as metrics, by name."""

QUERIES = sorted((ROOT / "infra" / "queries").glob("*.txt"))


def alarms(templates: Templates) -> dict[str, dict[str, Any]]:
    """Name -> properties, composites too."""
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    return {name: properties for kind in kinds for name, properties in templates.of(kind).items()}


def test_every_alarm_names_a_runbook_that_exists(any_size: Templates) -> None:
    """In the words of its mail."""
    assert len(alarms(any_size)) > 15
    for name, alarm in alarms(any_size).items():
        (page,) = re.findall(r"What to do: (docs/operations/\S+\.md)$", alarm["AlarmDescription"])
        assert (ROOT / page).exists(), name


def test_a_runbook_knows_the_alarms_that_lead_to_it(any_size: Templates) -> None:
    """The page has the alarm's name, so that it can be found by it."""
    for alarm in alarms(any_size).values():
        name = (alarm.get("AlarmName") or (alarm["AlarmRule"] and alarm["CompositeAlarmName"])).rpartition("-")[2]
        page = ROOT / alarm["AlarmDescription"].rpartition(" ")[2]
        assert f"`{name}`" in page.read_text(), name


def test_every_alarm_reaches_somebody(any_size: Templates) -> None:
    """By a topic of its own, or by the composite that it is part of."""
    composite = any_size.one("AWS::CloudWatch::CompositeAlarm")
    assert composite["AlarmActions"]
    parts = json.dumps(composite["AlarmRule"])
    for name, alarm in any_size.of("AWS::CloudWatch::Alarm").items():
        assert alarm.get("AlarmActions") or name.partition("/")[2] in parts, name


def test_topics_can_be_published_to(any_size: Templates) -> None:
    """Their key lets CloudWatch and Budgets use it, which SNS's own key does not."""
    for topic in any_size.of("AWS::SNS::Topic").values():
        assert "Fn::GetAtt" in topic["KmsMasterKeyId"]
    key = any_size.one("AWS::KMS::Key", "Observability/")
    services = {s["Principal"].get("Service") for s in key["KeyPolicy"]["Statement"]}
    assert {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"} <= services


def own_metrics(templates: Templates) -> Iterator[tuple[str, frozenset[str]]]:
    """Name and dimensions of each metric of Penny's that an alarm, a graph or scaling looks at."""
    for alarm in templates.of("AWS::CloudWatch::Alarm").values():
        if alarm.get("Namespace") == "Penny":
            yield alarm["MetricName"], frozenset(d["Name"] for d in alarm["Dimensions"])
    for policy in templates.of("AWS::ApplicationAutoScaling::ScalingPolicy").values():
        custom = policy["TargetTrackingScalingPolicyConfiguration"].get("CustomizedMetricSpecification")
        if custom:
            yield custom["MetricName"], frozenset(d["Name"] for d in custom["Dimensions"])
    body = templates.one("AWS::CloudWatch::Dashboard")["DashboardBody"]
    text = "".join(part if isinstance(part, str) else "x" for part in body["Fn::Join"][1])
    for widget in json.loads(text)["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            if metric[0] == "Penny":
                yield metric[1], frozenset(part for part in metric[2:] if isinstance(part, str) and part == "Service")


def test_what_is_looked_at_is_what_penny_sends(any_size: Templates) -> None:
    """By name, and with the one dimension that all of them have: never a user."""
    looked_at = set(own_metrics(any_size))
    assert {name for name, _ in looked_at} <= SENT
    assert {dimensions for _, dimensions in looked_at} == {frozenset({"Service"})}


def test_what_penny_sends_is_looked_at(production: Templates) -> None:
    """Nothing is measured for nobody."""
    assert {name for name, _ in own_metrics(production)} == SENT


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_every_query_is_saved_for_the_on_call(production: Templates, path: Any) -> None:
    """Under the deployment's name, against its log, without the words for readers of the file."""
    saved = {q["Name"]: q for q in production.of("AWS::Logs::QueryDefinition").values()}
    query = saved[f"penny-example/{path.stem}"]
    assert path.read_text().startswith("# ")
    assert "#" not in query["QueryString"]
    assert query["LogGroupNames"]


def test_every_saved_query_that_a_runbook_names_is_there() -> None:
    """`errors` and its like."""
    named = {
        word
        for page in (ROOT / "docs" / "operations").glob("*.md")
        for found in re.findall(r"[Ss]aved quer(?:y|ies) ((?:`[a-z-]+`[, then]*)+)", page.read_text())
        for word in re.findall(r"`([a-z-]+)`", found)
    }
    assert len(named) >= 6
    assert named <= {path.stem for path in QUERIES}


def test_the_budget_counts_this_deployment(any_size: Templates) -> None:
    """By its tag, and tells at 80 % forecast and 100 % spent."""
    budget = any_size.one("AWS::Budgets::Budget")
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": [f"user:deployment${any_size.deployment.prefix}"]}
    told = {
        (n["Notification"]["NotificationType"], n["Notification"]["Threshold"])
        for n in budget["NotificationsWithSubscribers"]
    }
    assert told == {("FORECASTED", 80), ("ACTUAL", 100)}


def test_each_tenant_has_a_line_on_the_bill(production: Templates) -> None:
    """An inference profile with its tag, beside the one for all others."""
    profiles = production.of("AWS::Bedrock::ApplicationInferenceProfile").values()
    tags = [{t["Key"]: t["Value"] for t in p["Tags"]} for p in profiles]
    assert {t["tenant"] for t in tags} == {"penny", "acme"}
    assert all(t["deployment"] == "penny-example" for t in tags)


def test_logs_end(any_size: Templates) -> None:
    """Each log group has a retention and a key."""
    groups = any_size.of("AWS::Logs::LogGroup")
    assert groups
    for name, group in groups.items():
        assert group.get("RetentionInDays"), name
        assert group.get("KmsKeyId"), name
