"""Charts as inline SVG: bars of shares, and strips of how long each case took."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from lab.eval.outcome import Result
from lab.report.html import Html, el, join

WIDTH: Final = 160
STRIP: Final = 680


def share(rate: float, width: int = WIDTH, height: int = 8) -> Html:
    """A bar that is filled as far as the rate (0 to 1) goes."""
    kind = "good" if rate >= 0.9 else "part" if rate >= 0.6 else "bad"
    return el(
        "svg",
        el("rect", class_="track", width=width, height=height, rx=height / 2),
        el("rect", class_=f"fill-{kind}", width=round(width * rate, 1), height=height, rx=height / 2) if rate else None,
        width=width,
        height=height,
        role="img",
        aria_label=f"{rate:.0%}",
    )


def strip(results: Sequence[Result], longest: float) -> Html:
    """A dot for each play, by the seconds it took; passed and failed in two colours, the median as a line."""
    height, left, right = 54, 12, STRIP - 12
    scale = (right - left) / (longest or 1.0)
    dots = [
        el(
            "circle",
            class_="dot-good" if result.passed else "dot-bad",
            cx=round(left + result.seconds * scale, 1),
            cy=10 + 22 * (nth % 5) / 4,
            r=3.5,
        )
        for nth, result in enumerate(results)
    ]
    middle = round(left + median(result.seconds for result in results) * scale, 1)
    ticks = [longest * part / 4 for part in range(5)]
    return el(
        "svg",
        el("line", class_="axis", x1=left, x2=right, y1=38, y2=38),
        *dots,
        el("line", class_="median", x1=middle, x2=middle, y1=4, y2=38),
        *(
            el("text", f"{tick:.2g} s", class_="label", x=round(left + tick * scale, 1), y=51, text_anchor=anchor)
            for tick, anchor in zip(ticks, ("start", *["middle"] * 3, "end"), strict=True)
        ),
        viewBox=f"0 0 {STRIP} {height}",
        width=STRIP,
        height=height,
        role="img",
        aria_label="seconds a case took",
    )


def legend() -> Html:
    """What the dots and the line are."""
    return el(
        "p",
        join("Each dot is one play of a case: green passed, red failed. The line is the median."),
        class_="soft small",
    )
