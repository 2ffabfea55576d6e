"""What the offline model answers without a tool: short, honest, and written by code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.names import plain

_GREETS = re.compile(r"^(?:hi|hello|hey|hiya|yo|howdy|good (?:morning|afternoon|evening|day)|greetings|hola|hallo)\b")
_THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|cheers|great|perfect|awesome|that s all|thats all|bye|goodbye|good night)\b"
)
_ASKS_WHAT = re.compile(
    r"\b(?:what (?:can|do) you do|how (?:can|do) you (?:help|work)|help|who are you|what are you)\b"
)


def reply(text: str, categories: Sequence[str]) -> str:
    """The answer to a message that no tool fits, with questions that would work."""
    said = plain(text)
    if _ASKS_WHAT.search(said):
        return (
            f"I am a small offline model: I look things up in your budget and propose changes. {_examples(categories)}"
        )
    if _GREETS.search(said) and len(said.split()) <= 6:
        return f"Hello! Ask me about your money. {_examples(categories)}"
    if _THANKS.search(said) and len(said.split()) <= 8:
        return "You are welcome."
    return f"I cannot do that: I am a small offline model that only knows your budget. {_examples(categories)}"


def no_payments() -> str:
    """The answer to a request to pay someone."""
    return (
        "I cannot move real money or pay anyone: I only keep your budget. If you have paid already, tell me how much "
        "and where, and I will propose to record it."
    )


def _examples(categories: Sequence[str]) -> str:
    one = "Groceries" if "Groceries" in categories or not categories else categories[0]
    return (
        f"Try “how much did I spend on {one} last month?”, “am I on track this month?”, “can I afford 200 for shoes?”, "
        f"“what subscriptions am I paying for?” or “set {one} to 500”."
    )
