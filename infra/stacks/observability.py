"""What the on-call sees and is told: alarms by two topics, a dashboard, saved queries, a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cw
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.alarms import Watch, watches
from infra.stacks.dashboard import dashboard
from infra.stacks.data import Data
from infra.stacks.service import Service

QUERIES = Path(__file__).parents[1] / "queries"
OUTAGE = ("NoTasks", "BalancerErrors", "Errors", "RunsFailed", "SlowFirstToken")
"""Alarms that mean that people get no answers: one mail tells of all of them."""


class Observability(Stack):
    """Made last, of all others."""

    def __init__(
        self, scope: Construct, id: str, deployment: Deployment, *, data: Data, service: Service, **kwargs: Any
    ) -> None:
        super().__init__(scope, id, **kwargs)
        self._deployment = deployment
        self._key = self._topic_key()
        self.page = self._topic("Page", "wakes somebody")
        self.notify = self._topic("Notify", "can wait for the morning")
        self.alarms = {watch.name: self._alarm(watch) for watch in watches(deployment, data, service)}
        self._outage()
        dashboard(self, deployment, data=data, service=service, alarms=list(self.alarms.values()))
        for path in sorted(QUERIES.glob("*.txt")):
            self._query(path, service)
        self._budget()

    def _topic_key(self) -> kms.Key:
        """CloudWatch and Budgets cannot publish to topics under the key that SNS has by itself."""
        key = kms.Key(
            self, "Key", enable_key_rotation=True, description="Penny's alarms", removal_policy=RemovalPolicy.DESTROY
        )
        for service in ("cloudwatch", "budgets"):
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            )
        return key

    def _topic(self, name: str, purpose: str) -> sns.Topic:
        topic = sns.Topic(
            self,
            name,
            topic_name=f"{self._deployment.prefix}-{name.lower()}",
            display_name=f"Penny {self._deployment.name}: {purpose}",
            master_key=self._key,
            enforce_ssl=True,
        )
        topic.add_subscription(subscriptions.EmailSubscription(self._deployment.email))
        return topic

    def _alarm(self, watch: Watch) -> cw.Alarm:
        compared = cw.ComparisonOperator
        alarm = cw.Alarm(
            self,
            watch.name,
            alarm_name=f"{self._deployment.prefix}-{watch.name}",
            alarm_description=f"{watch.means} What to do: {self._deployment.runbooks}/{watch.runbook}",
            metric=watch.metric,
            threshold=watch.above,
            comparison_operator=(compared.LESS_THAN_THRESHOLD if watch.below else compared.GREATER_THAN_THRESHOLD),
            evaluation_periods=watch.minutes,
            datapoints_to_alarm=max(1, watch.minutes - 1),
            treat_missing_data=(
                cw.TreatMissingData.BREACHING if watch.missing == "bad" else cw.TreatMissingData.NOT_BREACHING
            ),
        )
        if watch.name not in OUTAGE:  # those are told by the composite
            topic = actions.SnsAction(self.page if watch.page else self.notify)
            alarm.add_alarm_action(topic)
            alarm.add_ok_action(topic)
        return alarm

    def _outage(self) -> None:
        rule = cw.AlarmRule.any_of(
            *(cw.AlarmRule.from_alarm(self.alarms[name], cw.AlarmState.ALARM) for name in OUTAGE)
        )
        composite = cw.CompositeAlarm(
            self,
            "Outage",
            composite_alarm_name=f"{self._deployment.prefix}-Outage",
            alarm_description=f"People get no answers, or late. What to do: {self._deployment.runbooks}/errors.md",
            alarm_rule=rule,
        )
        composite.add_alarm_action(actions.SnsAction(self.page))
        composite.add_ok_action(actions.SnsAction(self.page))

    def _query(self, path: Path, service: Service) -> None:
        text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#")).strip()
        logs.CfnQueryDefinition(
            self,
            f"Query-{path.stem}",
            name=f"{self._deployment.prefix}/{path.stem}",
            query_string=text,
            log_group_names=[service.log_group.log_group_name],
        )

    def _budget(self) -> None:
        deployment = self._deployment

        def told(kind: str, threshold: int) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
            return budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    comparison_operator="GREATER_THAN", notification_type=kind, threshold=threshold
                ),
                subscribers=[
                    budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=self.notify.topic_arn)
                ],
            )

        self.notify.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.notify.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=deployment.prefix,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=float(deployment.monthly_budget_usd), unit="USD"),
                cost_filters={"TagKeyValue": [f"user:deployment${deployment.prefix}"]},
            ),
            notifications_with_subscribers=[told("FORECASTED", 80), told("ACTUAL", 100)],
        )
