"""Whether a message is in English, the one language that this model's prompt and its guard rails were made for.

A question that was half understood would get a confident answer to another one; so a message whose small words are
those of another language, or whose letters are, is answered by saying so, in that language where it is one of these.
"""

from __future__ import annotations

import re
import unicodedata

_SMALL_WORDS = {
    "de": "ich du wir habe hab hast haben wie viel wieviel fur mein meine meinen meinem im den dem des das ist "
    "sind und nicht letzten letzter diesen diesem dieses monat woche jahr zeig zeige mir auf kann bitte "
    "setze noch gegeben ausgegeben geld wo was der zum zur beim",
    "fr": "je j ai combien depense depenses mon ma mes le la les des du pour dans est ce cette mois dernier "
    "derniere quel quelle quels ou mets moi puis sur avec semaine annee argent un une",
    "es": "cuanto cuanta he gaste gastado mi mis el los las para esta este mes pasado pasada que cual puedo pon "
    "en del con semana ano dinero una cuanto donde tengo muestrame",
    "it": "quanto ho speso il gli lo per questo questa mese scorso scorsa mio mia miei nel nella sono posso "
    "metti soldi settimana anno dove una che di",
    "pt": "quanto gastei eu o os meu minha meus este esta mes passado passada em no na para qual posso coloque "
    "dinheiro semana ano onde tenho uma que",
    "nl": "hoeveel heb ik uitgegeven mijn deze dit maand vorige het een aan voor kan ik zet geld week jaar waar "
    "wat van",
}
_ENGLISH_WORDS = (
    "a about after all am an and any are as at been before can could did do does for from get give got had "
    "has have he how i if is it its just last less list many me month more most much my next no not of off "
    "old on or out over paid put set she should show so spend spending spent than that the their them then "
    "there they this to today up us was we week were what when where which who why will with would year yes "
    "yesterday you your"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_FOREIGN = {language: frozenset(words.split()) - _ENGLISH for language, words in _SMALL_WORDS.items()}
_LETTERS = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")

_SORRY = {
    "de": "Ich bin ein kleines Offline-Modell und verstehe bisher nur Englisch.",
    "fr": "Je suis un petit modèle hors ligne et ne comprends que l’anglais pour l’instant.",
    "es": "Soy un pequeño modelo sin conexión y por ahora solo entiendo inglés.",
    "it": "Sono un piccolo modello offline e per ora capisco solo l’inglese.",
    "pt": "Sou um pequeno modelo offline e por enquanto só entendo inglês.",
    "nl": "Ik ben een klein offline model en begrijp voorlopig alleen Engels.",
    "ar": "أنا نموذج صغير يعمل دون اتصال، ولا أفهم سوى الإنجليزية حاليًا.",
}


def other_language(text: str) -> str | None:
    """The code of the language that the text is in when that is not English ("" when it is none of those known here),
    None when it is, or when too little of it tells."""
    letters = _LETTERS.findall(text)
    if len(letters) > 3 and sum(1 for letter in letters if not _LATIN.match(letter)) > len(letters) / 2:
        return "ar" if any("\u0600" <= letter <= "\u06ff" for letter in letters) else ""
    words = _words(text)
    english = sum(word in _ENGLISH for word in words)
    counted = {language: sum(word in small for word in words) for language, small in _FOREIGN.items()}
    language = max(counted, key=counted.__getitem__)
    return language if counted[language] >= 2 and counted[language] > english else None


def sorry(language: str) -> str:
    """What is said to a message in another language: in it, if it is known here, and in English."""
    english = "I am a small offline model and understand only English so far."
    own = _SORRY.get(language)
    return f"{own} ({english})" if own else english


def _words(text: str) -> list[str]:
    """The words without accents: who types quickly leaves them out."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[a-z]+", "".join(sign for sign in flat if not unicodedata.combining(sign)))
