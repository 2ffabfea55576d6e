"""Charts as PNG, for apps that show pictures and no drawings of ours."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_compact_currency, format_currency, format_decimal
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from channels.channel import Refused
from channels.chart_fonts import families, lacks

COLOURS = ("#2f6f5e", "#d08c3f", "#4a6fa5", "#a4508b", "#7d8a3c", "#8a8f98")
INK, PAPER, RULE = "#1f2a2a", "#ffffff", "#e3e7e6"
WIDTH_INCHES, DPI = 6.4, 160
PARTS = 6
"""A donut has so many parts at most; the rest is one of them."""


def draw(chart: dict[str, Any], locale: str) -> bytes:
    """The chart (`{kind, title, unit, series: [{name, points: [[x, y]]}]}`) as PNG, a thousand points wide. Takes some
    tenths of a second: call it in a thread. Raises Refused for letters that no font here has: boxes say less than the
    text beside the chart."""
    rcParams["font.family"] = list(families())  # the same for every chart: others are drawn meanwhile
    rcParams["text.parse_math"] = False  # names of shops may have dollar signs in them
    warnings.filterwarnings("ignore", message=r"Glyph \d+")  # and signs that the font lacks, which show as boxes
    series = [one for one in chart["series"] if one["points"]]
    names = (str(x) for one in series for x in (one["name"], *(x for x, _ in one["points"])))
    if lacks(chart["title"], *names):
        raise Refused("no_glyphs")
    labels = list(dict.fromkeys(x for one in series for x, _ in one["points"]))
    tall = max(2.6, 1.1 + 0.34 * len(labels) * max(len(series), 1)) if chart["kind"] == "bar" else 3.6
    figure = Figure(figsize=(WIDTH_INCHES, min(tall, 12.0)), dpi=DPI, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(chart["title"], loc="left", color=INK, fontsize=11, fontweight="bold", pad=10, wrap=True)
    show = _Values(chart["unit"], locale.replace("-", "_"))
    if not series:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "–", ha="center", va="center", color=INK)
    elif chart["kind"] == "donut":
        _donut(axes, series[0]["points"], show)
    elif chart["kind"] == "line":
        _lines(axes, series, labels, show)
    else:
        _bars(axes, series, labels, show)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


class _Values:
    """Numbers and labels as people of the locale write them."""

    def __init__(self, unit: str, locale: str) -> None:
        self._currency = unit if len(unit) == 3 and unit.isupper() else ""
        self._locale = locale

    def whole(self, value: float) -> str:
        if self._currency:
            return str(format_currency(value, self._currency, locale=self._locale))
        return str(format_decimal(value, locale=self._locale))

    def short(self, value: float, _position: float = 0) -> str:
        if self._currency:
            return str(format_compact_currency(value, self._currency, locale=self._locale))
        return str(format_decimal(value, locale=self._locale))

    def label(self, x: str | float) -> str:
        text = str(x)
        try:
            day = date.fromisoformat(text if len(text) != 7 else f"{text}-01")
        except ValueError:
            return text if len(text) <= 28 else f"{text[:27]}…"
        return str(format_date(day, "MMM yyyy" if len(text) == 7 else "d MMM", locale=self._locale))


def _bars(axes: Axes, series: Sequence[dict[str, Any]], labels: Sequence[Any], show: _Values) -> None:
    height = 0.8 / len(series)
    for n, one in enumerate(series):
        values = dict(map(tuple, one["points"]))
        places = [at + n * height for at, label in enumerate(labels) if label in values]
        amounts = [float(values[label]) for label in labels if label in values]
        bars = axes.barh(places, amounts, height * 0.9, color=COLOURS[n % PARTS], label=one["name"])
        axes.bar_label(bars, [show.whole(amount) for amount in amounts], padding=4, fontsize=8, color=INK)
    axes.set_yticks([at + 0.4 - height / 2 for at in range(len(labels))], [show.label(label) for label in labels])
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xticks([])
    _plain(axes, len(series))


def _lines(axes: Axes, series: Sequence[dict[str, Any]], labels: Sequence[Any], show: _Values) -> None:
    place = {label: at for at, label in enumerate(labels)}
    for n, one in enumerate(series):
        xs = [place[x] for x, _ in one["points"]]
        axes.plot(xs, [float(y) for _, y in one["points"]], color=COLOURS[n % PARTS], label=one["name"], linewidth=2)
    step = max(1, len(labels) // 6)
    axes.set_xticks(range(0, len(labels), step), [show.label(label) for label in labels[::step]])
    axes.yaxis.set_major_formatter(show.short)
    axes.grid(axis="y", color=RULE)
    _plain(axes, len(series))


def _donut(axes: Axes, points: Sequence[Sequence[Any]], show: _Values) -> None:
    parts = sorted(((show.label(x), abs(float(y))) for x, y in points), key=lambda part: -part[1])
    if len(parts) > PARTS:
        parts = [*parts[: PARTS - 1], ("…", sum(amount for _, amount in parts[PARTS - 1 :]))]
    if not sum(amount for _, amount in parts):
        axes.set_axis_off()
        return
    axes.pie(
        [amount for _, amount in parts], colors=COLOURS, startangle=90, counterclock=False, wedgeprops={"width": 0.38}
    )
    axes.legend(
        [f"{label}  {show.whole(amount)}" for label, amount in parts],
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )


def _plain(axes: Axes, series: int) -> None:
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(colors=INK, length=0, labelsize=9)
    if series > 1:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper center", bbox_to_anchor=(0.5, -0.04), ncols=3)
