"""The fonts that charts are written in: the one that comes with the library, and for signs that it lacks what the
machine has of fonts known to be good for them."""

from __future__ import annotations

import logging
from functools import cache
from typing import Final

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

OWN: Final = "DejaVu Sans"
"""Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian."""

WIDER: Final = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Noto Sans SC",
    "Noto Sans TC",
    "Droid Sans Fallback",  # the image has this one
    "WenQuanYi Micro Hei",
    "Hiragino Sans",
    "PingFang SC",
    "Apple SD Gothic Neo",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Telugu",
    "Noto Sans Thai",
    "Noto Sans Ethiopic",
    "Noto Sans Khmer",
)


@cache
def families() -> tuple[str, ...]:
    """The fonts to write in, the first one that has a sign for it."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # that one has no bold is no news
    there = set(fontManager.get_font_names())
    return (OWN, *(name for name in WIDER if name in there))


def lacks(*texts: str) -> bool:
    """Whether no font has a sign for a letter or a digit of the texts; what else they lack, as emoji, may be a box."""
    letters = {ord(sign) for text in texts for sign in text if sign.isalnum()}
    for family in families():
        letters -= _signs(family)
        if not letters:
            return False
    return bool(letters)


@cache
def _signs(family: str) -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=family))).get_charmap())
