"""Case files: what is read is what was written, and what is wrong is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.cases import CaseError, load

WHOLE = """\
given:
  currency: EUR
tags: [shared]
cases:
  - name: everything-there-is
    about: Uses every key once.
    tags: [own]
    given:
      household: empty
      today: 2026-02-28
      locale: de-DE
      time_zone: Europe/Berlin
      accounts: [{name: Giro, kind: checking, opening: 100.50, currency: EUR}]
      categories: [Lebensmittel, {name: Gehalt, kind: income, group: Ein}]
      budgets: [{category: Lebensmittel, month: 2026-02, amount: 300}]
      transactions:
        - {day: 2026-02-03, amount: -12.50, merchant: Lidl, category: Lebensmittel, memo: x, pending: true}
      rules: {Lidl: Lebensmittel}
      facts: [I am paid on the 25th.]
      goals: [{name: Rad, amount: 800, date: 2026-09-01, account: Giro}]
      rates: [{base: USD, quote: EUR, rate: 0.92, day: 2026-02-01}]
      history: [{user: Hallo, penny: Guten Tag.}]
      filler: 3
    conversation:
      - user: Wie viel habe ich für Lebensmittel ausgegeben?
        example: 12,50 € im Februar.
        expect:
          tools:
            - any_of:
                - get_spending: {by: category, category: [Lebensmittel, groceries], period: null}
                - list_transactions
            - get_budget_status
          in_order: true
          not_tools: [set_budget]
          figures: [12.50 EUR, {spent: {category: Lebensmittel, month: 2026-02}}, {balance: Giro}]
          not_figures: [99 EUR]
          words: [Februar, [Lidl, Laden]]
          not_words: [Miete]
          proposals: []
          language: de
          max_words: 30
          min_words: 2
          grounded: false
      - confirm: last
        expect:
          has: {budgets: [{category: Lebensmittel, amount: 300}]}
          lacks: {facts: [{text: secret}]}
      - persona:
          goal: Wants to lower the budget to 250.
          turns: 4
          examples: [Gut.]
          states:
            start:
              say: [Hallo, Guten Tag]
              then: [{question: true, go: yes_then}, {words: Budget, go: done}, {go: start}]
            yes_then: {decide: confirm, then: [{proposal: set_budget, go: done}, {tool: get_spending, go: done}]}
        expect: {proposals: [{kind: set_budget, diff: [{field: budget, after: 250}]}, undo]}
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "cases.yaml"
    path.write_text(text)
    return path


def test_a_case_comes_back_from_its_own_yaml(tmp_path: Path) -> None:
    """Every key survives reading, writing and reading; what a file shares is written out."""
    [case] = load(_written(tmp_path, WHOLE))
    [again] = load(_written(tmp_path, "cases:\n" + case.to_yaml()))

    assert case.tags == ("shared", "own")
    assert case.given.currency == "EUR"
    assert again == type(case)(**{f: getattr(case, f) for f in case.__slots__} | {"where": again.where})


def test_one_message_needs_no_conversation(tmp_path: Path) -> None:
    """A case of one message has its text and what is expected beside its name, and is written so too."""
    text = "cases:\n- {name: a, about: b, user: hello, expect: {tools: []}}\n"
    [case] = load(_written(tmp_path, text))

    assert "conversation" not in case.to_yaml()
    assert [step.text for step in case.steps] == ["hello"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cases:\n- {name: a, about: b, user: c, expct: {}}", "line 2: cases[1] has 'expct', which is not known here"),
        ("cases:\n- {name: a, about: b, user: c, expct: {}}", "did you mean expect?"),
        ("cases:\n- {name: a, user: c}", "cases[1] needs about; allowed: name, about"),
        ("cases:\n- {name: a, about: b}", "needs either `user`"),
        ("cases:\n- name: a\n  about: b\n  user: c\n  expect:\n    tools: [get_spendings]", "line 6: "),
        (
            "cases:\n- name: a\n  about: b\n  user: c\n  expect:\n    tools: [get_spendings]",
            "did you mean get_spending?",
        ),
        ("cases:\n- {name: a, about: b, user: c, expect: {tools: [get_spending: {bye: x}]}}", "allowed: by, period"),
        ("cases:\n- {name: a, about: b, user: c, expect: {language: klingon}}", "allowed: en, de"),
        ("cases:\n- {name: a, about: b, user: c, expect: {max_words: many}}", "has to be a whole number"),
        ("cases:\n- {name: a, about: b, user: c, given: {today: soon}}", "has to be a day like 2026-11-22"),
        ("cases:\n- {name: a, about: b, user: c, user: d}", "cases[1].user stands there twice"),
        (
            "cases:\n- {name: a, about: b, user: c}\n- {name: a, about: b, user: c}",
            "the name a is taken by the case at",
        ),
        ("cases: [", "this is no YAML"),
        ("", "is empty"),
        ("cases:\n- {name: a, about: b, conversation: [{confirm: maybe}]}", "allowed: all, last"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_allowed(tmp_path: Path, text: str, told: str) -> None:
    """File, line, key, and the way out, in one sentence."""
    path = _written(tmp_path, text)
    with pytest.raises(CaseError) as caught:
        load(path)
    assert told in caught.value.message
    assert caught.value.message.startswith(str(path)) or "cases.yaml:" in caught.value.message


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    """No stack trace for a wrong path, nor for an empty folder."""
    with pytest.raises(CaseError, match="cannot be read"):
        load(tmp_path / "none.yaml")
    with pytest.raises(CaseError, match=r"no \.yaml file"):
        load(tmp_path)
