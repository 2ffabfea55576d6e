"""What stands around a figure: the names and periods that it is said of, and the measure and direction in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from agent.grounding.facts import Known, mentioned
from agent.grounding.figures import Figure
from agent.grounding.labels import Measure, Subject
from agent.grounding.sentences import spans
from domain.periods import DateRange

Place = tuple[int, int, Subject]
T = TypeVar("T")

_PREPOSITION: Final = re.compile(
    r"(?:^|[\s,])(?:on|for|at|in|to|toward|towards|into|from|of|by|during|since|through|für|bei|im|in|pour|en|sur|chez|à|au|"
    r"para|con)(?:\s(?:your|the|his|her|my|our|die|der|das|den|ihre?n?|les?|la|vos|tu|el))?[\s*_“\"]*$",
    re.IGNORECASE,
)
_BREAK: Final = re.compile(
    r"[;.|\n]|\b(?:and|but|while|plus|whereas|versus|vs|than|und|aber|et|y|mais|pero)\b", re.IGNORECASE
)

_BEFORE_WORDS: Final[tuple[tuple[Measure, str], ...]] = (
    ("expected", r"\bend (?:up )?(?:around|at|near)|reach|expect(?:ed)?(?: to (?:be|spend|reach))?|forecast|projected"),
    (
        "over",
        r"over (?:the |your )?(?:\w+ )?(?:budget )?by|exceed(?:ed|ing|s)?\b[^,.]* by|overspent(?:\b[^,.]* by)?|"
        r"short by|"
        r"over budget",
    ),
    (
        "left",
        r"\bleft|remaining|leaves(?: you)?(?: with)?|leaving(?: you)?(?: with)?|still have|"
        r"under (?:the |your )?(?:\w+ )?(?:budget )?by|have",
    ),
    ("more", r"(?<!used )(?<!add )\bup|rose|risen|rise|increased?|jump|went up|grew|jumped|raised|climbed|gained"),
    ("less", r"\bdown|fell|fallen|fall|decline|dropped?|decreased?|shrank|lowered|declined|saved"),
    ("budget", r"budget(?:ed)?(?: for \w+)?(?: is| was|'s)?|allocated|limit(?: is)?"),
    (
        "spent",
        r"\bspen[td]|spending(?: is| was| came to| comes to| totall?ed)?|ausgegeben|dépensé|gastado|gastaste",
    ),
    ("income", r"earned|received|income(?: is| was)?|took in|brought in"),
)
_ADVERBS: Final = (
    r"(?:(?:about|around|roughly|nearly|almost|just|only|exactly|by|of|at|already|a bit|a little|over|more than)\s)*"
)
_BEFORE: Final = tuple(
    (measure, re.compile(rf"(?:{words})[\s:*_~]*{_ADVERBS}[\s*_~]*$", re.I)) for measure, words in _BEFORE_WORDS
)
_AFTER_WORDS: Final[tuple[tuple[Measure, str], ...]] = (
    (
        "over",
        r"over(?!\s(?:the (?:last|past|next)|\d|two|three|several|all))|"
        r"above (?:the |your )?(?:\w+ )?(?:budget|limit)|too much|short\b|"
        r"past (?:the|your)|more than (?:the |your )(?:\w+ )?budget",
    ),
    (
        "left",
        r"left|remaining|remains|to spare|under(?: (?:the|your|budget))?|available|to go|below (?:the|your)|übrig|"
        r"restants?",
    ),
    ("more", r"more|higher|up\b|extra|mehr|de plus|más"),
    ("less", r"less|lower|down\b|fewer|cheaper|weniger|de moins|menos"),
    ("spent", r"spent|ausgegeben|dépensés?|gastados?|went (?:to|on)"),
    (
        "budget",
        r"(?:(?!of|and|on|for|in|at|against|under|over|below|within|from)\w+ ){0,2}budget"
        r"(?!s? (?:is|was) (?:left|used))",
    ),
)
_AFTER: Final = tuple(
    (
        measure,
        re.compile(
            rf"[\s*_]*(?:\([^)]*\)\s)?(?:(?:of it|is|was|are|were|still|also|now|already)\s)*(?:{words})\b", re.I
        ),
    )
    for measure, words in _AFTER_WORDS
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a figure is said of.

    `bound` (a name of each kind) and `period` are what it belongs to by its wording, `direct` when that is not taken
    over from the figure before. `subjects` and `periods` are all that its sentence names; `carried` is the one category
    of the sentence before, when it names none, and `earlier` all that was named there. `partly`: the same days of a
    period are spoken of; `listing`: the sentence has several amounts.
    """

    start: int
    end: int
    bound: tuple[Subject, ...] = ()
    subjects: tuple[Subject, ...] = ()
    carried: Subject | None = None
    earlier: tuple[Subject, ...] = ()
    period: DateRange | None = None
    periods: tuple[DateRange, ...] = ()
    measure: Measure = ""
    question: bool = False
    direct: bool = False
    partly: bool = False
    listing: bool = False


_KINDS: Final = ("category", "account", "other")
_LISTED: Final = re.compile(r"[\s*_]*(?:,|and|&|,\s*and|plus|und|et|y)[\s*_]*", re.IGNORECASE)
_CLAUSE: Final = re.compile(r"\b(?:because|since|although|though|when|whereas)\b|;", re.IGNORECASE)


def contexts(text: str, figures: Sequence[Figure], known: Known) -> list[Context]:
    """The context of each figure, in their order."""
    names = mentioned(text, known)
    made: list[Context] = []
    lead: Context | None = None
    head: list[str] = []
    before: Context | None = None
    at = 0
    for start, end in spans(text):
        sentence = text[start:end]
        inside = []
        while at < len(figures) and figures[at].start < end:
            inside.append(figures[at])
            at += 1
        stripped = sentence.strip()
        if not stripped:
            if before and before.carried is None:
                before = None
            continue
        own = [n for n in names if start <= n[0] < end]
        periods = [(f.start, f.end, f.days[0]) for f in inside if f.kind == "period" and f.days]
        base = Context(
            start,
            end,
            subjects=tuple(dict.fromkeys(n[2] for n in own)),
            periods=tuple(dict.fromkeys(p[2] for p in periods)),
            question=stripped.endswith("?"),
        )
        if stripped.startswith("|"):
            if not head:
                head = _cells(sentence)
            made += [_cell(text, f, base, own, head, lead, known) for f in inside]
            continue
        head = []
        listed = re.match(r"\s*(?:[-*•–+]|\d+[.)])\s", sentence) is not None
        if listed and lead:
            base = replace(
                base, carried=None if base.subjects else _single(lead.subjects), periods=base.periods or lead.periods
            )
        elif not listed:
            if before and not base.subjects:
                base = replace(base, carried=_single(before.subjects) or before.carried, earlier=before.subjects)
            if before and not base.periods:
                base = replace(base, periods=before.periods if len(before.periods) == 1 else ())
        made += _sentence(text, inside, base, own, periods)
        if not listed:
            before = base
            if stripped.rstrip("*_").endswith(":"):
                lead = base
        if "\n\n" in text[end - 1 : end + 1]:
            before = None
    return made


def _single(subjects: Sequence[Subject]) -> Subject | None:
    named = [s for s in subjects if s.kind == "category"]
    return named[0] if len(named) == 1 == len(subjects) else None


def _sentence(
    text: str,
    figures: Sequence[Figure],
    base: Context,
    names: Sequence[Place],
    periods: Sequence[tuple[int, int, DateRange]],
) -> list[Context]:
    numbers = [f for f in figures if f.is_number]
    bound: dict[int, tuple[Subject, ...]] = {}
    inherited: set[int] = set()
    when: dict[int, DateRange | None] = {}
    for n, figure in enumerate(numbers):
        previous = numbers[n - 1] if n else None
        after = numbers[n + 1].start if n + 1 < len(numbers) else base.end
        edge = previous.end if previous else base.start
        bound[figure.start] = tuple(
            s
            for kind in _KINDS
            if (s := _bind(text, figure, [p for p in names if p[2].kind == kind], edge, after)) is not None
        )
        joined = previous is not None and not _BREAK.search(text, previous.end, figure.start)
        apart = previous is not None and any(previous.end <= p[0] < figure.start for p in names)
        if previous and joined and not apart and not bound[figure.start]:
            bound[figure.start] = bound[previous.start]
            inherited.add(figure.start)
        when[figure.start] = _bind(text, figure, periods, edge, after)
        if previous and joined and when[figure.start] is None and len(periods) > 1:
            when[figure.start] = when[previous.start]
    _pair(numbers, names, bound)
    partly = _SAME_DAYS.search(text, base.start, base.end) is not None
    base = replace(base, partly=partly, listing=sum(f.kind == "money" for f in numbers) > 1)
    days = [f for f in figures if f.kind == "day"]
    for n, figure in enumerate(days):
        edge = days[n - 1].end if n else base.start
        bound[figure.start] = tuple(
            s for kind in _KINDS if (s := _behind(text, figure, [p for p in names if p[2].kind == kind], edge))
        )
    made = []
    for f in figures:
        mine = replace(base, bound=bound.get(f.start, ()), period=when.get(f.start), direct=f.start not in inherited)
        if mine.period is None and len(base.periods) == 1:
            at = periods[0][0] if periods else -1
            if at > f.end and _CLAUSE.search(text, f.end, at):
                mine = replace(mine, periods=())
            else:
                mine = replace(mine, period=base.periods[0])
        made.append(replace(mine, measure=_measure(text, f, base)) if f.is_number else mine)
    return made


def _pair(numbers: Sequence[Figure], names: Sequence[Place], bound: dict[int, tuple[Subject, ...]]) -> None:
    """ "A and B are at 1 and 2": as many names before the figures as figures, of which none is bound yet."""
    money = [f for f in numbers if f.kind == "money"]
    if len(names) != len(money) or len(money) < 2 or names[-1][1] > money[0].start:
        return
    if not any(bound.get(f.start) for f in money):
        bound.update({f.start: (name[2],) for f, name in zip(money, names, strict=True)})


_SAME_DAYS: Final = re.compile(r"\b(?:same (?:point|time|days?|stage|date)|by then|at this point)\b", re.IGNORECASE)


def _bind(text: str, figure: Figure, places: Sequence[tuple[int, int, T]], edge: int, after: int) -> T | None:
    """What a figure belongs to: what follows it with a preposition or at once, else what stands before it."""
    ahead = next((p for p in places if figure.end <= p[0] < after), None)
    if ahead is not None:
        gap = text[figure.end : ahead[0]]
        direct = re.fullmatch(r"[\s*_]*(?:monthly |total |\w+ly )?[*_]*", gap)
        if direct or (len(gap) < 60 and not _BREAK.search(gap) and "," not in gap and _PREPOSITION.search(gap)):
            return ahead[2]
    return _behind(text, figure, places, edge)


def _behind(text: str, figure: Figure, places: Sequence[tuple[int, int, T]], edge: int) -> T | None:
    """What stands before a figure, with no number, conjunction or stop between; of "A and B: 1 and 2" neither."""
    before = [p for p in places if edge <= p[0] and p[1] <= figure.start]
    if not before:
        return None
    gap = text[before[-1][1] : figure.start]
    if len(gap) > 80 or _BREAK.search(gap) or (":" in gap and len(before) > 1):
        return None
    if len(before) > 1 and _LISTED.fullmatch(text, before[-2][1], before[-1][0]):
        return None  # "A and B together come to 3"
    return before[-1][2]


def _measure(text: str, figure: Figure, base: Context) -> Measure:
    before, after = (
        text[max(base.start, figure.start - 40) : figure.start],
        text[figure.end : min(base.end, figure.end + 40)],
    )
    for measure, pattern in _AFTER:
        if pattern.match(after):
            return measure
    for measure, pattern in _BEFORE:
        if pattern.search(before):
            return "" if measure == "left" and before.rstrip(" *_").lower().endswith("have") else measure
    return ""


def _cells(row: str) -> list[str]:
    return [cell.strip(" *_") for cell in row.strip().strip("|").split("|")]


def _cell(
    text: str,
    figure: Figure,
    base: Context,
    names: Sequence[Place],
    head: Sequence[str],
    lead: Context | None,
    known: Known,
) -> Context:
    """A table's cell: its row says of what, its column of when and which measure."""
    column = text.count("|", base.start, figure.start) - 1
    title = head[column] if 0 <= column < len(head) else ""
    first = [n[2] for n in names if text.count("|", base.start, n[0]) == 1]
    periods = [m.days[0] for m in known.finder.calendar.find(title, known.today) if m.period] if title else []
    own = list(base.periods)
    period = own[0] if len(own) == 1 else periods[0] if len(periods) == 1 else None
    if period is None and lead and len(lead.periods) == 1:
        period = lead.periods[0]
    return replace(base, bound=tuple(first) if len(first) == 1 else (), period=period, measure=_title_measure(title))


def _title_measure(title: str) -> Measure:
    word = title.casefold()
    for measure, words in (
        ("left", ("left", "remaining", "übrig", "restant")),
        ("over", ("over",)),
        ("budget", ("budget", "limit")),
        ("spent", ("spent", "ausgegeben", "dépensé", "spending")),
    ):
        if any(w in word.split() for w in words):
            return measure  # type: ignore[return-value]
    return ""
