"""What is measured, in words, and what DESIGN asks of it: the rows of the table, ratios first."""

from __future__ import annotations

from dataclasses import dataclass

from bench.wires import WIRES


@dataclass(frozen=True)
class Row:
    """A figure by its name. `most` is the target; without one the figure stands for itself. `least`: more is better."""

    name: str
    what: str
    unit: str = ""
    most: float | None = None
    least: float | None = None

    def met(self, value: float) -> bool | None:
        """Whether the target is met, if there is one."""
        if self.least is not None:
            return value >= self.least
        return value <= self.most if self.most is not None else None

    def target(self) -> str:
        """The target in words."""
        if self.least is not None:
            return f"at least {number(self.least)}"
        return f"at most {number(self.most)}" if self.most is not None else ""


def number(value: float) -> str:
    """As much of a figure as can be meant."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


STREAMS = (1, 100, 300, 500, 1000)
RELAY = {100: 2.5, 300: 1.5, 500: 1.2}

ROWS = (
    *(Row(f"tokens.streaming.of_relay.{n}", f"CPU a token beside the raw relay while {n} replies stream", "x", RELAY[n])
      for n in RELAY),
    *(Row(f"tokens.of_relay.{n}", f"the same of whole replies, the turn included, {n} replies", "x", RELAY.get(n))
      for n in STREAMS),
    Row("tokens.of_stock.100", "CPU a token beside the stock stack, 100 replies", "x", 0.34),
    *(Row(f"tokens.of_native.{wire}", f"CPU a token on the wire {wire} beside Penny's own, 100 replies", "x")
      for wire in WIRES),
    Row("tokens.pace.100.penny", "a reply's time beside its tokens', 100 replies (median)", "x", 1.1),
    Row("tokens.pace.300.penny", "the same, 300 replies", "x", 1.1),
    Row("tokens.pace.500.penny", "the same, 500 replies", "x", 1.1),
    Row("tokens.pace.1000.penny", "the same, 1,000 replies", "x"),
    Row("streams.paced.of_ideal", "300 replies arriving at 30 a second: whole reply beside ideal (p95)", "x", 1.1),
    Row("streams.burst.of_ideal", "300 replies at one instant: whole reply beside ideal (p95)", "x", 1.4),
    Row("turn.1000_of_10", "turn 1,000 beside turn 10, time", "x", 1.2),
    Row("turn.1000_of_10.statements", "turn 1,000 beside turn 10, statements", "x", 1.2),
    Row("turn.1000_of_10.bytes", "turn 1,000 beside turn 10, bytes of events", "x", 1.2),
    Row("tokens.cpu.100.relay", "CPU a token, raw relay, 100 replies", "us"),
    Row("tokens.cpu.100.penny", "CPU a token, Penny, the turn included, 100 replies", "us"),
    Row("tokens.cpu.100.stock", "CPU a token, stock stack, 100 replies of 100 tokens", "us"),
    Row("tokens.cpu.500.penny", "CPU a token, Penny, 500 replies", "us"),
    *(Row(f"tokens.stall.{p}.{n}.penny", f"pause between two texts, {n} replies ({p})", "ms")
      for n in (100, 500) for p in ("p50", "p95", "p99")),
    Row("service.added_ms", "added to the first text of one reply, everything persisted", "ms", 8),
    Row("streams.paced.first", "300 replies arriving at 30 a second: first text (p95)", "s", 0.2),
    Row("streams.burst.first", "300 replies at one instant: first text (p95)", "s", 2),
    Row("streams.silent.reached", "500 silent streams: how many reach the model", "", least=500),
    Row("streams.silent.kb", "memory of a waiting stream", "KB", 40),
    Row("streams.idle.mb", "10,000 idle streams", "MB", 300),
    Row("turn.plain.cpu", "CPU of a plain turn, scripted model", "ms", 7),
    Row("turn.tool.cpu", "CPU of a turn with a tool, scripted model", "ms", 12),
    Row("turn.plain.statements", "SQL statements of a plain turn", "", 8),
    Row("turn.tool.statements", "SQL statements of a turn with a tool", "", 13),
    Row("turn.plain.bytes", "bytes of events of a plain turn", "B"),
    Row("turn.tool.bytes", "bytes of events of a turn with a tool", "B"),
    Row("log.events", "events logged a second, of 200 runs", "/s"),
    Row("log.elsewhere.p50", "an event's way to a reader on another process (p50)", "ms"),
    Row("log.elsewhere.p95", "the same (p95)", "ms"),
    *(Row(f"webhooks.p95.{app}", f"fifty webhooks of {app} at once, until their 200 (p95)", "ms", 200)
      for app in ("standard", "slack", "telegram", "whatsapp", "twilio")),
    Row("resume.ms", "a reader comes back in the middle of a reply: to its first event", "ms"),
    Row("grounding.us", "grounding a reply, a token", "us", 50),
    Row("ledger.slowest.ms", "the slowest question over 100,000 transactions, SQL", "ms", 10),
    Row("ledger.median.ms", "the median question", "ms"),
    Row("ledger.import.rows", "rows imported a second", "/s"),
    Row("start.ready.s", "service ready after its start, on a home that exists", "s", 2),
    Row("start.mb", "memory of the service when ready", "MB", 120),
    Row("start.private.mb", "of it, what it shares with no other process", "MB"),
    Row("start.import.s", "importing all of the service", "s"),
)  # fmt: skip
