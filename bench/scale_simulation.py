"""How many tasks, database units and tokens a minute a number of users asks for: a queueing simulation.

Not a measurement: it takes what was measured (`Measured`) and plays the busiest hour with it. Replies arrive at random
(Poisson), wait for Bedrock's quota or are turned away by it, stream their tokens, and take CPU of the task that has
the fewest of them; tasks are added as CloudWatch's target tracking would. `python -m bench.scale_simulation` prints
the table of docs/scale.md and draws its picture.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path

REPORT = Path(__file__).parent / "report"


@dataclass(frozen=True)
class Measured:
    """What docs/performance.md says a reply takes, on one core."""

    turn_cpu: float = 0.0049
    """Seconds of CPU of a turn: half of them plain (3.0 ms), half with a tool (6.8 ms)."""
    token_cpu: float = 72e-6
    """Seconds of CPU of a streamed token at 100 replies at once, persisted and served. Its share of the turn is in it,
    so turns count rather too much."""
    statements: float = 9.5
    """Under a cap: half of the turns plain (6), half with a tool (13)."""
    statement_seconds: float = 0.0007
    """Of the database, a statement: an assumption, half of the 1 to 2 ms that Aurora's commit takes is waiting."""


@dataclass(frozen=True)
class World:
    """What is assumed of people, model and account."""

    tokens: int = 250
    tokens_per_second: float = 50
    first_token: float = 1.2
    calls: float = 1.5
    prompt_tokens: int = 4_000
    """Of a call, that count for the quota: what is read from the cache does not."""
    output_counts: float = 5
    """Times that a token of an answer counts for the quota of Claude models."""
    patience: float = 10
    """Seconds after which a reply that Bedrock turns away fails (three tries)."""
    quota_tokens_minute: float = float("inf")
    replies_per_user_hour: float = 0.5
    """Of a user who is active in the busiest hour."""
    start_seconds: float = 60
    """Until a task that scaling wants takes requests."""


@dataclass
class Task:
    """One task: what it has to do, and when it began to count."""

    streams: int = 0
    ready_at: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """The busiest hour of so many active users."""

    users: int
    replies_per_second: float
    streams: float
    streams_most: int
    tasks: int
    cpu: float
    """Of one core of each task, in the busiest minute."""
    tokens_minute: float
    refused: float
    """The share of replies that the quota turns away."""
    acu: float
    connections: int


def simulate(
    users: int,
    *,
    streams_per_task: int = 100,
    least: int = 3,
    minutes: int = 20,
    measured: Measured = Measured(),
    world: World = World(),
    seed: int = 1,
) -> Outcome:
    """Plays `minutes` of the busiest hour, the first quarter of them as a rise to it."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    rate = users * world.replies_per_user_hour / 3600
    horizon, rise = minutes * 60.0, minutes * 15.0
    length = world.first_token * world.calls + world.tokens / world.tokens_per_second
    tasks = [Task() for _ in range(max(least, ceil(rate * length * 0.25 / streams_per_task)))]
    ends: list[tuple[float, int]] = []
    allowance, refilled = world.quota_tokens_minute, 0.0
    per_reply = world.calls * world.prompt_tokens + world.tokens * world.output_counts
    now, scaled, free_at = 0.0, 0.0, 0.0
    came = refused = 0
    seen: list[int] = []
    cpu_minute: dict[int, float] = {}
    asked_minute: dict[int, float] = {}
    most = tasks_most = 0
    while now < horizon:
        slope = min(1.0, 0.25 + 0.75 * now / rise)
        now += chance.expovariate(max(rate * slope, 1e-9))
        while ends and ends[0][0] <= now:
            tasks[heapq.heappop(ends)[1]].streams -= 1
        minute, came = int(now // 60), came + 1
        asked_minute[minute] = asked_minute.get(minute, 0) + per_reply
        # Bedrock's quota is a bucket that is filled evenly; a reply that finds it empty waits its turn, or fails.
        if isfinite(world.quota_tokens_minute):
            each_second = world.quota_tokens_minute / 60
            allowance = min(world.quota_tokens_minute, allowance + (now - refilled) * each_second)
            refilled = now
            if (per_reply - allowance) / each_second > world.patience:
                refused += 1
                continue
            allowance -= per_reply
            free_at = now + max(0.0, -allowance / each_second)
        else:
            free_at = now
        ready = [at for at, task in enumerate(tasks) if task.ready_at <= now]
        place = min(ready, key=lambda at: tasks[at].streams)
        tasks[place].streams += 1
        took = length * chance.uniform(0.6, 1.4)
        heapq.heappush(ends, (free_at + took, place))
        cpu_minute[minute] = cpu_minute.get(minute, 0) + measured.turn_cpu + world.tokens * measured.token_cpu
        open_now = len(ends)
        most = max(most, open_now)
        if now > rise:
            seen.append(open_now)
        if now - scaled >= 60:  # target tracking looks once a minute, and never takes away in so short a time
            scaled = now
            wanted = max(least, ceil(open_now / streams_per_task))
            tasks.extend(Task(ready_at=now + world.start_seconds) for _ in range(wanted - len(tasks)))
        tasks_most = max(tasks_most, len(tasks))
    busiest = max(cpu_minute, key=lambda m: cpu_minute[m])
    database = rate * measured.statements * measured.statement_seconds
    return Outcome(
        users=users,
        replies_per_second=rate,
        streams=sum(seen) / max(1, len(seen)),
        streams_most=most,
        tasks=tasks_most,
        cpu=cpu_minute[busiest] / 60 / tasks_most,
        tokens_minute=max(asked_minute.values()),
        refused=refused / came,
        acu=max(0.5, database / 0.25 / 0.6),  # an ACU is about a quarter of a vCPU; at most 60 % busy
        connections=tasks_most * 16,
    )


def table(outcomes: Sequence[Outcome], refused: Sequence[float], quota: float) -> str:
    """As docs/scale.md has it."""
    heads = ["active users", "replies/s", "streams", "tasks", "CPU of each", "ACU", "tokens/min"]
    heads.append(f"turned away at {quota / 1e6:g} M tokens/min")
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " --- |" * (len(heads) - 1)]
    for o, share in zip(outcomes, refused, strict=True):
        lines.append(
            f"| {o.users:,} | {o.replies_per_second:,.2f} | {o.streams_most:,} | {o.tasks:,} | {o.cpu:.0%} | "
            f"{o.acu:,.1f} | {o.tokens_minute / 1e6:,.2f} M | {share:.0%} |"
        )
    return "\n".join(lines)


def plot(outcomes: Sequence[Outcome], path: Path) -> None:
    """Tasks, ACU and tokens over users, both axes by powers of ten. Raises ImportError without matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    users = [o.users for o in outcomes]
    axes.loglog(users, [o.tasks for o in outcomes], marker="o", label="tasks")
    axes.loglog(users, [o.acu for o in outcomes], marker="s", label="Aurora capacity units")
    axes.loglog(users, [o.tokens_minute / 1e6 for o in outcomes], marker="^", label="million tokens a minute")
    axes.axhline(256, linestyle=":", color="gray")
    axes.annotate("the largest writer of Aurora Serverless v2, 256 ACU", (users[0], 290), fontsize=8)
    axes.set_xlabel("users active in the busiest hour")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """The table for several numbers of users."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("users", nargs="*", type=int, default=[1_000, 10_000, 50_000, 200_000, 1_000_000])
    arguments.add_argument("--quota", type=float, default=2e6, help="of the model, in tokens a minute")
    arguments.add_argument("--plot", type=Path, default=REPORT / "scale.svg")
    chosen = arguments.parse_args()
    counted = {users: 10 if users > 100_000 else 20 for users in chosen.users}
    outcomes = [simulate(users, minutes=minutes) for users, minutes in counted.items()]
    limited = World(quota_tokens_minute=chosen.quota)
    refused = [simulate(users, minutes=minutes, world=limited).refused for users, minutes in counted.items()]
    print(table(outcomes, refused, chosen.quota))
    try:
        plot(outcomes, chosen.plot)
    except ImportError:
        print("no plot: matplotlib is not installed")
    else:
        print(f"plot: {chosen.plot}")


if __name__ == "__main__":
    main()
