"""What is refused before it reaches the load balancer's targets."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.retention import retention

RATE = 20_000
"""Requests of one address in five minutes; an office behind one address stays under it. Penny limits users itself."""

COUNTED = (
    # Messages are what people write, about anything, and are never rendered as HTML or used as a path or address;
    # imports and pictures are larger than 8 KB; webhooks of apps may come without a User-Agent.
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
    "NoUserAgent_HEADER",
)
"""Rules of the common set that are counted, and refuse nothing."""

MANAGED = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesCommonRuleSet": COUNTED,
    "AWSManagedRulesKnownBadInputsRuleSet": (),
}


class Firewall(Construct):
    """AWS's managed rules and a limit by address, with a log that holds no tokens."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        *,
        balancer: elb.ApplicationLoadBalancer,
        log_key: kms.Key,
    ) -> None:
        super().__init__(scope, id)
        rules = [_managed(name, counted, at) for at, (name, counted) in enumerate(MANAGED.items())]
        rules.append(
            waf.CfnWebACL.RuleProperty(
                name="RateByAddress",
                priority=len(rules),
                action=waf.CfnWebACL.RuleActionProperty(
                    block=waf.CfnWebACL.BlockActionProperty(
                        custom_response=waf.CfnWebACL.CustomResponseProperty(response_code=429)
                    )
                ),
                statement=waf.CfnWebACL.StatementProperty(
                    rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                        aggregate_key_type="IP", limit=RATE, evaluation_window_sec=300
                    )
                ),
                visibility_config=_seen("RateByAddress"),
            )
        )
        self.acl = waf.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow=waf.CfnWebACL.AllowActionProperty()),
            visibility_config=_seen("Penny"),
            rules=rules,
        )
        waf.CfnWebACLAssociation(
            self, "Association", resource_arn=balancer.load_balancer_arn, web_acl_arn=self.acl.attr_arn
        )
        name = f"aws-waf-logs-{deployment.prefix}"  # WAF takes no other beginning
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=name,
            retention=retention(deployment.size.log_days),
            encryption_key=log_key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        stack = Stack.of(self)
        # Not `log_group_arn`: WAF refuses the `:*` at its end.
        destination = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{name}"
        logging = waf.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            log_destination_configs=[destination],
            redacted_fields=[
                waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
                for name in ("authorization", "cookie", "x-telegram-bot-api-secret-token")
            ],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Conditions": [{"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT")],
                        "Requirement": "MEETS_ANY",
                    }
                ],
            },
        )
        logging.node.add_dependency(log_group)


def _managed(name: str, counted: tuple[str, ...], priority: int) -> waf.CfnWebACL.RuleProperty:
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=waf.CfnWebACL.StatementProperty(
            managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=name,
                rule_action_overrides=[
                    waf.CfnWebACL.RuleActionOverrideProperty(
                        name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
                    )
                    for rule in counted
                ]
                or None,
            )
        ),
        visibility_config=_seen(name),
    )


def _seen(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True,
        metric_name=name,
        sampled_requests_enabled=False,  # samples would hold whole requests, with tokens
    )
