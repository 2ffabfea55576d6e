"""Days as CloudWatch Logs counts them."""

from __future__ import annotations

from aws_cdk import aws_logs as logs

DAYS = {
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
}


def retention(days: int) -> logs.RetentionDays:
    """The retention of `days`; one of those that CloudWatch knows and the sizes use."""
    return DAYS[days]
