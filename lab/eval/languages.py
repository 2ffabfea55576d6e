"""Which language a reply is in, told by its commonest small words: enough for whole sentences, not for single words."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = {
    "en": "the of and to in you your is are was were for on this that have has with not from it at spent left over",
    "de": "der die das und ist sind du sie dein deine ihr ihre im in den dem von für auf nicht mit noch hast haben",
    "fr": "le la les des et est sont vous votre vos tu ton ta en du pour sur pas avec ce cette dans avez as une un",
    "es": "el la los las y es son tu su sus en del para por no con que este esta has ha una un gastado gastaste",
    "it": "il la gli le e è sono hai tuo tua suo in di del della per non con che questo questa un una speso nel",
    "pt": "o a os as e é são você seu sua em do da no na para não com que este esta um uma gastou você gasto",
    "nl": "de het een en is zijn je jouw uw in van voor op niet met dit deze dat hebt heeft nog aan uitgegeven",
}
"""Words that are frequent in the language; shared ones count for each."""


def language_of(text: str) -> str | None:
    """The language whose words stand most in the text; None when there are none, or two are as likely."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    score = {code: sum(word in common.split() for word in words) for code, common in _WORDS.items()}
    best, second = sorted(score.values(), reverse=True)[:2]
    return max(score, key=lambda code: score[code]) if best > second else None
