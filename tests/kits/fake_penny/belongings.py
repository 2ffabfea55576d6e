"""What the panels show: budgets, accounts, linked chats, facts, imports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from aiohttp import web

from fake_penny.state import State, refusal


class Belongings(State):
    """The user's, in a few rows."""

    def routes(self) -> list[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/v1/budgets", self._budgets),
            web.get("/v1/accounts", self._accounts),
            web.get("/v1/transactions", self._accounts),
            web.post("/v1/imports", self._import),
            web.get("/v1/links", self._links),
            web.post("/v1/links", self._new_link),
            web.delete("/v1/links/{channel}", self._unlink),
            web.get("/v1/preferences", self._preferences),
            web.patch("/v1/preferences", self._prefer),
            web.get("/v1/facts", self._facts),
            web.post("/v1/facts", self._new_fact),
            web.patch("/v1/facts/{id}", self._new_fact),
            web.delete("/v1/facts/{id}", self._forget),
        ]

    def link(self, channel: str, address: str) -> None:
        """The person has sent the code in that app."""
        made = "2026-11-20T09:00:00+00:00"
        self.links.append({"channel": channel, "address": address, "created_at": made, "used_at": made})

    async def _budgets(self, request: web.Request) -> web.Response:
        return web.json_response({"month": request.query.get("month", "2026-11")} | self.budgets)

    async def _accounts(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.accounts if "accounts" in request.path else [], "next": None})

    async def _links(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.links, "next": None, "channels": self.channels})

    async def _new_link(self, request: web.Request) -> web.Response:
        assert (await request.json())["channel"] in self.channels
        until = datetime.now(UTC) + timedelta(seconds=self.code_seconds)
        code = {"code": "K7Q2M9AB", "text": "link K7Q2M9AB", "expires_at": until.isoformat()}
        return web.json_response(code, status=201)

    async def _unlink(self, request: web.Request) -> web.Response:
        ended = request.match_info["channel"], request.query["address"]
        self.links = [one for one in self.links if (one["channel"], one["address"]) != ended]
        return web.Response(status=204)

    async def _preferences(self, request: web.Request) -> web.Response:
        return web.json_response(self.preferences)

    async def _prefer(self, request: web.Request) -> web.Response:
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return refusal(status, **problem)
        self.preferences |= await request.json()
        return web.json_response(self.preferences)

    async def _facts(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.facts, "next": None})

    async def _new_fact(self, request: web.Request) -> web.Response:
        body = await request.json()
        known = next((f for f in self.facts if f["id"] == request.match_info.get("id")), None)
        if known is None:
            known = {"id": str(uuid4()), "kind": "other"}
            self.facts.append(known)
        known.update(body)
        return web.json_response(known, status=201)

    async def _forget(self, request: web.Request) -> web.Response:
        self.facts = [f for f in self.facts if f["id"] != request.match_info["id"]]
        return web.json_response({})

    async def _import(self, request: web.Request) -> web.Response:
        form = await request.post()
        dry = form["dry_run"] == "true"
        upload = form["file"]
        assert isinstance(upload, web.FileField)
        self.imports.append((upload.filename, dry))
        if self.import_refusal:
            return refusal(422, **self.import_refusal)
        report = {"account": "Everyday Checking", "format": "csv", "rows": 5, "added": 3, "duplicates": 2, "skipped": 0}
        days = {
            "categorized": 1,
            "first_day": "2026-11-01",
            "last_day": "2026-11-20",
            "notes": ["Dates are day first."],
        }
        return web.json_response(report | days | {"dry_run": dry, "journal_id": None if dry else "journal-import"})
