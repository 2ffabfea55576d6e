"""Time zones and locales as people name them: "Berlin", "Eastern time", "Germany"; "German", "de-DE", "Switzerland"."""

from __future__ import annotations

from typing import Final
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from domain.errors import InvalidInput
from tools.names import Ambiguous, either, plain, resolve

_SPOKEN: Final = {
    "America/New_York": "est, edt, et, eastern, eastern time, us eastern",
    "America/Chicago": "cst, cdt, ct, central, central time, us central",
    "America/Denver": "mst, mdt, mt, mountain, mountain time, us mountain",
    "America/Los_Angeles": "pst, pdt, pt, pacific, pacific time, us pacific",
    "Europe/London": "bst, uk time, british time",
    "Europe/Berlin": "cet, cest, central european time",
    "UTC": "utc, gmt, zulu, universal time",
}
"""What people say that is no name of a zone with its summer time."""


def time_zone(said: str) -> str:
    """The IANA name of the time zone that was meant. Raises Ambiguous and InvalidInput with what there is."""
    wanted = plain(said)
    for zone, words in _SPOKEN.items():
        if wanted in words.split(", "):
            return zone
    zones = sorted(available_timezones(), key=lambda zone: (zone.count("/"), zone))
    for zone in zones:
        if "/" in zone and plain(zone.replace("_", " ")) == plain(said.replace("_", " ")):
            return zone
    territory = next((code for code, name in Locale("en").territories.items() if plain(name) == wanted), None)
    if own := get_global("territory_zones").get(territory or "", ()):
        if len(own) == 1:
            return str(own[0])
        raise Ambiguous(f"Which time zone: {either(list(own[:6]))}?", choices=list(own[:6]))
    cities: dict[str, str] = {}
    for zone in zones:
        area, _, city = zone.rpartition("/")
        if area and area != "Etc":
            cities.setdefault(city.replace("_", " "), zone)
    return cities[resolve(said, cities, "time zone")]


def locale(said: str) -> str:
    """The BCP 47 tag of the language and country that were meant ("de-DE"); a language alone is that of the country
    where most people speak it. Raises InvalidInput for none."""
    text = said.strip().replace("_", "-")
    english = Locale("en")
    wanted = plain(text)
    tags = [tag for tag, name in english.languages.items() if plain(name) == wanted]
    tags += [f"und_{code}" for code, name in english.territories.items() if plain(name) == wanted and len(code) == 2]
    for tag in [*tags, text.replace("-", "_")]:
        try:
            found = Locale.parse(tag if tag.count("_") and not tag.startswith("und") else _likely(tag))
        except (ValueError, UnknownLocaleError):
            continue
        if found.territory:
            return f"{found.language}-{found.territory}"
    raise InvalidInput(f"“{said.strip()[:32]}” is no language or country I know; say one such as German or en-GB.")


def _likely(tag: str) -> str:
    """ "de" as "de_DE", "und_CH" as "de_CH"; what is not known stays as it is."""
    language, *rest = str(get_global("likely_subtags").get(tag, tag)).split("_")
    return "_".join([language, *(part for part in rest if len(part) != 4)])
