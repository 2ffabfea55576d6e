"""Schemathesis over the OpenAPI document, against the real service: no 5xx, and no answer that is not documented."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 5
CALL_SECONDS = 30
ENDLESS = "/v1/sessions/{session_id}/events"
"""A feed does not end; with a session that is there it is not called here."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
async def known(penny: Any) -> tuple[Any, dict[str, str]]:
    """A person, and ids of things that they have, by the names that paths give them."""
    person = await penny.person()
    session = (await person.client.post("/v1/sessions", json={})).json()["id"]
    said = await person.client.post(f"/v1/sessions/{session}/messages", json={"text": "set dining to 250"})
    proposal = said.json()["proposals"][0]
    journal = (await person.client.get("/v1/journal")).json()["items"][0]["id"]
    ids = {"session_id": session, "chat_id": session, "run_id": said.json()["run_id"]}
    return person, ids | {"proposal_id": proposal["id"], "journal_id": journal}


async def test_no_answer_is_a_surprise(penny: Any, known: tuple[Any, dict[str, str]]) -> None:
    """Valid and invalid requests to every operation, with ids that are there and ids that are not."""
    person, ids = known
    seed = int(os.environ.get("PYTEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"schemathesis {schemathesis.__version__}, seed {seed}")  # noqa: T201
    document = (await person.client.get("/openapi.json")).json()
    count, surprises = await asyncio.to_thread(fuzz, document, penny.url, person.token, ids, seed)
    assert surprises == [], f"seed {seed}\n" + "\n\n".join(surprises)
    assert count > EXAMPLES * 20


def fuzz(document: dict[str, Any], url: str, token: str, ids: dict[str, str], seed: int) -> tuple[int, list[str]]:
    """Calls every operation with generated requests, the ones with ids also for things that are there: how often, and
    what was wrong."""
    schema = schemathesis.openapi.from_dict(document)
    calls, surprises = 0, []
    for found in schema.get_all_operations():
        operation = found.ok()
        names = re.findall(r"{(\w+)}", operation.path)
        places: list[dict[str, str] | None] = [None]
        if names and names[0] in ids and operation.method != "delete" and operation.path != ENDLESS:
            places.append({name: ids[name] for name in names})
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for place in places:
                try:
                    calls += _called(operation.as_strategy(mode, path_parameters=place), url, token, seed)
                except (Exception, FailureGroup) as surprise:
                    surprises.append(f"{operation.label}: {surprise}")
    return calls, surprises


def _called(strategy: Any, url: str, token: str, seed: int) -> int:
    calls = 0

    @seeded(seed)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def call(case: Case) -> None:
        nonlocal calls
        calls += 1
        headers = {"Authorization": f"Bearer {token}"}
        response = case.call(base_url=url, headers=headers, timeout=CALL_SECONDS)
        case.validate_response(response, checks=CHECKS, headers=headers)

    with contextlib.suppress(Unsatisfiable):  # an operation that nothing wrong can be sent to
        call()
    return calls
