"""Grounding, measured: precision and recall of "unverified is wrong" on the labelled corpus, and its time a token.

A reply of the corpus marks its figures in place: [+$4.20] is right, [-$4.20] is wrong. Rules are tuned on one half; the
other half is held out. Run as `python -m bench.grounding`, with `-v` for each miss.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from agent.grounding.facts import Known
from agent.grounding.reply import ground
from bench.record import record

HERE = Path(__file__).parents[1] / "tests" / "agent" / "grounding"
TODAY = date(2026, 11, 22)
TABLES = ("budget_nov", "forecast", "compare", "recurring")
_LABEL = re.compile(r"\[([+-])(.*?)\](?!\()")


@dataclass(frozen=True)
class Labelled:
    """A reply, what is known when it is given, and its figures as (start, end, right)."""

    text: str
    of: tuple[str, ...]
    said: str
    figures: tuple[tuple[int, int, bool], ...]


@dataclass
class Score:
    """Counts of figures: `caught` wrong ones that were not verified, `missed` wrong ones that were, `blamed` right ones
    that were not."""

    replies: int = 0
    right: int = 0
    caught: int = 0
    missed: int = 0
    blamed: int = 0

    @property
    def precision(self) -> float:
        return self.caught / max(1, self.caught + self.blamed)

    @property
    def recall(self) -> float:
        return self.caught / max(1, self.caught + self.missed)

    def __str__(self) -> str:
        wrong = self.caught + self.missed
        return (
            f"{self.replies} replies, {self.right} right and {wrong} wrong figures: "
            f"precision {self.precision:.3f}, recall {self.recall:.3f}"
        )


def corpus() -> tuple[list[Labelled], list[Labelled]]:
    """The replies that rules are tuned on, and those held out: written later, and never looked at one by one."""
    halves: dict[str, list[Labelled]] = {"tuned": [], "held": []}
    for line in (HERE / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        halves[row["half"]].append(_labelled(row))
    return halves["tuned"], halves["held"]


def _labelled(row: dict[str, Any]) -> Labelled:
    text, figures, at = "", [], 0
    for found in _LABEL.finditer(row["text"]):
        text += row["text"][at : found.start()]
        figures.append((len(text), len(text) + len(found[2]), found[1] == "+"))
        text += found[2]
        at = found.end()
    return Labelled(text + row["text"][at:], tuple(row["of"]), row.get("said", ""), tuple(figures))


def results() -> dict[str, Any]:
    """Stored results of tools for the sample household, and some of users elsewhere."""
    found: dict[str, Any] = json.loads((HERE / "facts.json").read_text(encoding="utf-8"))
    return found


def known(of: Sequence[str], said: str, stored: dict[str, Any]) -> Known:
    """What is known in a conversation in which the tools gave these results."""
    who = stored[of[0]] if of and "locale" in stored[of[0]] else stored["_names"]
    return Known.of(
        [fact for name in of for fact in stored[name]["facts"]],
        today=TODAY,
        locale=who.get("locale", "en-US"),
        currency=who.get("currency", "USD"),
        categories=who["categories"],
        accounts=who["accounts"],
        said=[said] if said else [],
    )


def score(replies: Sequence[Labelled], stored: dict[str, Any], misses: list[str] | None = None) -> Score:
    """How the replies' figures are judged. A figure that is no figure by its label counts as right."""
    total = Score(replies=len(replies))
    for reply in replies:
        judged = ground(reply.text, known(reply.of, reply.said, stored))
        bad = [(g.figure.start, g.figure.end) for g in judged if not g.verified]
        used: set[tuple[int, int]] = set()
        for start, end, right in reply.figures:
            hits = [span for span in bad if span[0] < end and start < span[1]]
            used.update(hits)
            total.right += right
            if right and hits:
                total.blamed += 1
            elif not right and hits:
                total.caught += 1
            elif not right:
                total.missed += 1
            if misses is not None and right == bool(hits):
                misses.append(
                    f"{'blamed' if right else 'missed'} {reply.text[start:end]!r} in {reply.text!r} {reply.of}"
                )
        for span in bad:
            if span not in used:
                total.blamed += 1
                if misses is not None:
                    misses.append(f"blamed (no figure) {reply.text[slice(*span)]!r} in {reply.text!r}")
    return total


def microseconds_a_token(stored: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The whole of annotating a reply, for a token of four characters, in short and long replies."""
    plain = [r for half in corpus() for r in half if "|" not in r.text]
    for name, texts in (
        ("replies of the corpus", [(r.text, r.of, r.said) for r in plain]),
        (
            "long tables",
            [(stored[of]["summary"], (of,), "") for of in TABLES],
        ),
        ("200 tokens of prose", [((plain[0].text + " And so it went on, as such things do. ") * 6, plain[0].of, "")]),
    ):
        spent = tokens = 0.0
        for _ in range(3):
            for text, of, said in texts:
                began = time.process_time()
                ground(text, known(of, said, stored))
                spent += time.process_time() - began
                tokens += len(text) / 4
        yield name, spent / tokens * 1e6


def main() -> None:
    """Prints both halves' scores and the times."""
    stored, misses = results(), []
    tuned, held = corpus()
    print(f"tuned on:  {score(tuned, stored, misses)}")
    if "-v" in sys.argv:
        print("\n".join(misses))
    held_misses: list[str] = []
    print(f"held out:  {score(held, stored, held_misses)}")
    if "-vv" in sys.argv:
        print("\n".join(held_misses))
    for name, spent in microseconds_a_token(stored):
        print(f"{name}: {spent:.1f} us a token")
        if name == "200 tokens of prose":
            record("grounding.us", spent)


if __name__ == "__main__":
    main()
