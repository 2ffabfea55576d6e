"""Proposals, decisions and the journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web

from fake_penny.state import State, refusal


class Changes(State):
    """A proposal is applied by its hash, once."""

    def routes(self) -> list[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/v1/proposals", self._proposals),
            web.get("/v1/proposals/{id}", self._proposal),
            web.post("/v1/proposals/{id}/confirm", self._confirm),
            web.post("/v1/proposals/{id}/reject", self._reject),
            web.get("/v1/journal", self._journal),
            web.post("/v1/journal/{id}/undo", self._undo),
        ]

    def propose(self, before: Any, after: Any, **changes: Any) -> dict[str, Any]:
        """A stored proposal as GET /v1/proposals/{id} shows it."""
        proposal = {
            "id": str(uuid4()),
            "kind": "set_budget",
            "status": "pending",
            "hash": uuid4().hex,
            "diff": [{"what": "Dining budget, November 2026", "field": "amount", "before": before, "after": after}],
            "text": "Set the Dining budget for November 2026 to $250.00.",
            "expires_at": (datetime.now(UTC) + timedelta(hours=24)).isoformat(),
            "session_id": None,
            "run_id": None,
        } | changes
        self.proposals[proposal["id"]] = proposal
        return proposal

    async def _proposals(self, request: web.Request) -> web.Response:
        status = request.query.get("status")
        found = [p for p in self.proposals.values() if status in (None, p["status"])]
        return web.json_response({"items": found, "next": None})

    async def _proposal(self, request: web.Request) -> web.Response:
        return web.json_response(self.proposals[request.match_info["id"]])

    async def _confirm(self, request: web.Request) -> web.Response:
        self.authorized(request)
        body = await request.json()
        proposal = self.proposals[request.match_info["id"]]
        self.confirms.append({"id": proposal["id"], **body})
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return refusal(status, **problem)
        if body["hash"] != proposal["hash"]:
            return refusal(409, "hash_mismatch", "This is not the proposal that you were shown.")
        proposal["status"] = "applied"
        return web.json_response({"status": "applied", "journal_id": f"journal-{proposal['id']}", "proposal": proposal})

    async def _reject(self, request: web.Request) -> web.Response:
        proposal = self.proposals[request.match_info["id"]]
        proposal["status"] = "rejected"
        return web.json_response(proposal)

    async def _journal(self, request: web.Request) -> web.Response:
        applied = [p["id"] for p in self.proposals.values() if p["status"] == "applied"]
        undone = {name.removeprefix("journal-") for name in self.undone}
        entries = [
            {
                "id": f"journal-{p}",
                "proposal_id": p,
                "undone_by": "x" if p in undone else None,
                "text": self.proposals[p]["text"],
                "at": "2026-11-22T12:00:00Z",
                "message": {"id": "m", "text": "Set dining to 250"},
                "approval": "http",
                "undoes": None,
            }
            for p in applied
        ]
        return web.json_response({"items": entries, "next": None})

    async def _undo(self, request: web.Request) -> web.Response:
        self.undone.append(request.match_info["id"])
        reversal = self.propose(None, None, kind="undo", status="applied")
        return web.json_response({"status": "applied", "journal_id": str(uuid4()), "proposal": reversal})
