"""Charts as pictures: of every kind and whatever their data."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from channels.channel import Refused
from channels.chart_image import DPI, WIDTH_INCHES, draw

KINDS = ("bar", "donut", "line")


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


@pytest.mark.parametrize("name", ["食費", "교통", "Продукты", "بقالة", "Épicerie 🍜"])
def test_letters_that_cannot_be_drawn_leave_the_chart_out(name: str) -> None:
    """Chinese and Korean ones: the text beside it says the same. Cyrillic, Arabic, Latin and emoji are drawn."""
    wanted = chart("bar", [[name, 5.0]])
    if ord(name[0]) > 0x3000:
        with pytest.raises(Refused, match="no_glyphs"):
            draw(wanted, "en-US")
    else:
        picture(draw(wanted, "en-US"))
