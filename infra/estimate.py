"""What each size costs a month: prices and use are data (prices.toml), the document is made from them."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.sizes import SIZES, Size

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "operations" / "cost.md"
HOURS = Decimal(730)
"""Of a month, as AWS counts."""
ZONES = 3
ENDPOINTS = 8
METRICS, ALARMS, RULES, KEYS, SECRETS = 40, 20, 4, 4, 4
BUSY = Decimal(14 * 5) / Decimal(24 * 7)
"""The share of the week that is busy hours, in the example."""


@dataclass(frozen=True)
class Line:
    """One line of an estimate, in US dollars a month."""

    what: str
    dollars: Decimal


def estimate(size: Size, table: dict[str, Any], models: dict[str, Any]) -> list[Line]:
    """Everything that a deployment of `size` pays for, but what is under a dollar or two."""
    price = {name: Decimal(value) for name, value in table["price"].items()}
    use, reply = table["use"][size.name], table["reply"]
    replies = Decimal(use["replies"])
    tasks = size.tasks + (size.tasks_busy - size.tasks) * BUSY
    instances = 1 + size.readers
    acu = max(Decimal(use["acu"]), Decimal(str(size.acu))) * instances
    cpu, memory = Decimal(size.cpu) / 1024, Decimal(size.memory) / 1024
    nats = min(size.nat_gateways, ZONES)
    storage, insights = Decimal(use["storage_gb"]), price["insights_acu_hour"] if size.enhanced_insights else Decimal(0)
    lines = [
        Line("tasks (Fargate)", tasks * HOURS * (cpu * price["fargate_vcpu_hour"] + memory * price["fargate_gb_hour"])),
        Line("database: capacity", acu * HOURS * (price["acu_hour"] + insights)),
        Line(
            "database: storage, I/O, backups",
            storage * (price["storage_gb_month"] + price["backup_gb_month"])
            + replies * reply["database_io"] / 1_000_000 * price["million_io"],
        ),
        Line(
            "load balancer and firewall",
            HOURS * (price["balancer_hour"] + Decimal(use["balancer_units"]) * price["balancer_unit_hour"])
            + price["firewall_month"]
            + RULES * price["firewall_rule_month"]
            + replies * reply["requests"] / 1_000_000 * price["firewall_million"],
        ),
        Line(
            "network: NAT, addresses",
            HOURS * (nats * price["nat_hour"] + (nats + ZONES) * price["public_address_hour"])
            + use["nat_gb"] * price["nat_gb"],
        ),
        Line("logs, metrics, alarms", use["log_gb"] * price["log_gb"] + _watching(price)),
        Line("keys and secrets", KEYS * price["key_month"] + SECRETS * price["secret_month"]),
    ]
    if size.interface_endpoints:
        lines.insert(5, Line("network: endpoints", HOURS * ENDPOINTS * ZONES * price["endpoint_zone_hour"]))
    lines.append(Line(f"the model, {replies:,} replies", replies * reply_cost(reply, models[reply["model"]]["price"])))
    return lines


def _watching(price: dict[str, Decimal]) -> Decimal:
    return METRICS * price["metric_month"] + ALARMS * price["alarm_month"] + price["dashboard_month"]


def reply_cost(reply: dict[str, Any], price: dict[str, str]) -> Decimal:
    """What one reply costs, in US dollars, at prices a million tokens."""
    kinds = ("input", "cache_read", "cache_write", "output")
    return sum((Decimal(reply[kind]) * Decimal(price[kind]) for kind in kinds), Decimal(0)) / 1_000_000


def document() -> str:
    """docs/operations/cost.md."""
    table = tomllib.loads((ROOT / "infra" / "prices.toml").read_text())
    models = tomllib.loads((ROOT / "agent" / "capabilities.toml").read_text())["models"]
    columns = {name: estimate(size, table, models) for name, size in SIZES.items()}
    reply, names = table["reply"], list(columns)
    labels = [line.what for line in columns["production"][:-1]]
    rows = [f"| {label} | {' | '.join(_cell(columns[name], label) for name in names)} |" for label in labels]
    bases = [sum((line.dollars for line in columns[name][:-1]), Decimal(0)) for name in names]
    rows.append(f"| **without the model** | {' | '.join(f'**{base:,.0f}**' for base in bases)} |")
    replies = [table["use"][name]["replies"] for name in names]
    rows.append(f"| replies a month | {' | '.join(f'{count:,}' for count in replies)} |")
    rows.append(f"| the model | {' | '.join(f'{columns[n][-1].dollars:,.0f}' for n in names)} |")
    totals = [base + columns[n][-1].dollars for base, n in zip(bases, names, strict=True)]
    rows.append(f"| **together** | {' | '.join(f'**{total:,.0f}**' for total in totals)} |")
    dear, cheap = (reply_cost(reply, models[reply[kind]]["price"]) * 1000 for kind in ("model", "cheaper"))
    unseen = [name for name, where in table["seen"].items() if not where]
    sources = "\n".join(f"- {source}" for source in table["sources"])
    return f"""# What it costs

US dollars a month, list prices of us-east-1 as of {table["as_of"]}; made by `python -m infra.estimate --write` from
[infra/prices.toml](../../infra/prices.toml) and [infra/sizes.py](../../infra/sizes.py). An estimate, not an offer: the
use that it assumes is in the first of these, and your bill depends on yours.

| | {" | ".join(names)} |
| --- |{" --- |" * len(names)}
{chr(10).join(rows)}

A thousand replies cost {dear:.2f} dollars with {reply["model"]}
and {cheap:.2f} with {reply["cheaper"]}, at {reply["input"]:,} tokens read,
{reply["cache_read"]:,} read from the cache, {reply["cache_write"]:,} written to it, {reply["output"]:,} answered.
In a busy deployment nearly everything is the model: caps ([cost.md](../cost.md)) and the choice of model matter more
than sizes.

Not counted: traffic to the internet, traces, CloudTrail, Container Insights' own metrics, support, taxes. Graviton
(`architecture = "arm64"`) takes a fifth off the tasks; a savings plan more.

These pages decide:

{sources}

Their numbers are drawn by script, so on {table["as_of"]} each price was held against what others publish of it:
{len(table["seen"]) - len(unseen)} of {len(table["seen"])} were found the same (`[seen]` in prices.toml says where), and
none otherwise. Not found, and so to be looked up before you rely on them: {", ".join(unseen)}.
"""


def _cell(lines: list[Line], label: str) -> str:
    return next((f"{line.dollars:,.0f}" for line in lines if line.what == label), "–")


def main() -> None:
    """Prints the document, or writes it with `--write`."""
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(document())
    else:
        print(document(), end="")  # noqa: T201


if __name__ == "__main__":
    main()
