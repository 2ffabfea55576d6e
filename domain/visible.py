"""Text from outside on a terminal: what would steer the terminal, or turn the line around, is shown and not obeyed."""

from __future__ import annotations

_KEPT = "\n\t"
_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""What changes the direction of what follows (Unicode TR 9), so that a line reads as another one."""

_STEERING = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
"""The controls of C0 and C1 (ECMA-48; a lone U+009B begins a sequence too), and what some programs break lines at."""

_SHOWN = {code: f"\\u{code:04x}" for code in (*_STEERING, *map(ord, _TURNING)) if chr(code) not in _KEPT}
_ONE_LINE = _SHOWN | {ord(sign): f"\\u{ord(sign):04x}" for sign in _KEPT}


def visible(text: str) -> str:
    """The text with each such sign as its escape, `\\u001b`; lines end with one sign, and tabs stay. In a line of JSON
    that says the same as the sign itself."""
    return text.replace("\r\n", "\n").translate(_SHOWN)


def visible_line(text: str) -> str:
    """The same for what has to stay on its line."""
    return text.translate(_ONE_LINE)
