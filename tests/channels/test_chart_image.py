"""Charts as pictures: of every kind and whatever their data."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.font_manager import fontManager
from PIL import Image

from channels.channel import Refused
from channels.chart_fonts import families
from channels.chart_image import DPI, WIDTH_INCHES, draw

KINDS = ("bar", "donut", "line")
LETTER = "\U00010342"
"""Of Gothic, which hardly any font has."""


def chart(kind: str, points: list[list[Any]], unit: str = "USD", more: int = 0) -> dict[str, Any]:
    series = [{"name": f"Series {n}", "points": points} for n in range(more + 1)]
    return {"kind": kind, "title": "Spending in October 2026", "unit": unit, "series": series}


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.format == "PNG"
    assert image.width == WIDTH_INCHES * DPI
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_different_data_give_different_pictures(kind: str) -> None:
    """The picture shows the data: other amounts, another picture; the same, the same one."""
    first = draw(chart(kind, [["Rent", 2225.0], ["Groceries", 857.18]]), "en-US")
    again = draw(chart(kind, [["Rent", 2225.0], ["Groceries", 857.18]]), "en-US")
    other = draw(chart(kind, [["Rent", 225.0], ["Groceries", 857.18]]), "en-US")
    assert picture(first).tobytes() == picture(again).tobytes()
    assert picture(first).tobytes() != picture(other).tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "points",
    [[], [["a", 0.0]], [["a", -5.0], ["b", 5.0]], [["$x$ \\frac{", 1.0]], [[f"m{n}", float(n)] for n in range(60)]],
)
def test_no_data_breaks_it(kind: str, points: list[list[Any]]) -> None:
    """Nothing, zero, negative amounts, names with dollar signs, many points: each is a picture."""
    picture(draw(chart(kind, points, more=1), "de-DE"))


@settings(max_examples=20)
@given(st.sampled_from(KINDS), st.lists(st.tuples(st.text(max_size=40), st.floats(-1e9, 1e9)), max_size=12))
def test_whatever_shops_are_called(kind: str, points: list[tuple[str, float]]) -> None:
    """Any text can be a label; letters that the font lacks make the chart be left out."""
    with contextlib.suppress(Refused):
        picture(draw(chart(kind, [list(point) for point in points], unit="count"), "ar-EG"))


@pytest.mark.parametrize("name", ["Продукты", "بقالة", "מזון", "Épicerie 🍜"])
def test_what_the_librarys_own_font_has_is_drawn_everywhere(name: str) -> None:
    """Cyrillic, Arabic, Hebrew, Latin; an emoji may be a box."""
    picture(draw(chart("bar", [[name, 5.0]]), "en-US"))


@pytest.fixture
def one_letter(tmp_path: Path) -> Iterator[str]:
    """A letter that the machine has a font for: one of its own, under a name that is known to be good."""
    build = FontBuilder(1000)
    build.setupGlyphOrder([".notdef", "letter"])
    build.setupCharacterMap({ord(LETTER): "letter"})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    build.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "letter": pen.glyph()})
    build.setupHorizontalMetrics({".notdef": (1000, 0), "letter": (1000, 0)})
    build.setupHorizontalHeader(ascent=800, descent=-200)
    build.setupNameTable({"familyName": "Noto Sans Ethiopic", "styleName": "Regular"})
    build.setupOS2()
    build.setupPost()
    build.save(tmp_path / "one.ttf")
    known = list(fontManager.ttflist)
    fontManager.addfont(tmp_path / "one.ttf")
    families.cache_clear()
    yield LETTER
    fontManager.ttflist[:] = known
    families.cache_clear()


def test_a_font_of_the_machines_is_written_in(one_letter: str) -> None:
    """A letter that the library's font lacks is drawn as the machine's font has it: here, a black square."""
    plain = chart("bar", [["m", 5.0]])
    without, with_ = (picture(draw(plain | {"title": title}, "en-US")) for title in ("m", one_letter * 9))
    assert ink(with_) > ink(without) + 1000


def test_letters_that_no_font_has_leave_the_chart_out() -> None:
    """The text beside it says the same."""
    with pytest.raises(Refused, match="no_glyphs"):
        draw(chart("bar", [[LETTER, 5.0]]), "en-US")


def ink(image: Image.Image) -> int:
    """The pixels of the title that are dark."""
    return sum(value < 100 for value in image.convert("L").crop((0, 0, image.width, 50)).tobytes())
