"""Sessions and what is said in them; a message is answered by the next script."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from fake_penny.runs import Runs
from fake_penny.state import Run, Step, refusal


class Sessions(Runs):
    """Plays scripts as runs and tells the session's feed of them."""

    def routes(self) -> list[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/v1/sessions", self._list),
            web.post("/v1/sessions", self._create),
            web.patch("/v1/sessions/{id}", self._rename),
            web.delete("/v1/sessions/{id}", self._delete),
            web.get("/v1/sessions/{id}/events", self._feed),
            web.get("/v1/sessions/{id}/messages", self._messages),
            web.post("/v1/sessions/{id}/messages", self._say),
            web.post("/v1/runs/{id}/retry", self._retry),
        ]

    def script(self, *steps: Step) -> None:
        """The next message is answered by these events; run.started comes by itself."""
        self.scripts.append(list(steps))

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"items": list(reversed(self.sessions.values())), "next": None})

    async def _create(self, request: web.Request) -> web.Response:
        self.authorized(request)
        now = datetime.now(UTC).isoformat()
        session = {"id": str(uuid4()), "title": "", "created_at": now, "updated_at": now}
        self.sessions[str(session["id"])] = session
        self.messages[session["id"]] = []
        return web.json_response(session, status=201)

    async def _rename(self, request: web.Request) -> web.Response:
        session = self.sessions[request.match_info["id"]]
        session.update(await request.json())
        return web.json_response(session)

    async def _delete(self, request: web.Request) -> web.Response:
        del self.sessions[request.match_info["id"]]
        return web.Response(status=204)

    async def _messages(self, request: web.Request) -> web.Response:
        items = self.messages.get(request.match_info["id"])
        if items is None:
            return refusal(404, "not_found", "There is no such session.")
        return web.json_response({"items": items, "next": None})

    async def _say(self, request: web.Request) -> web.StreamResponse:
        self.authorized(request)
        body = await request.json()
        self.posts.append(body)
        session_id = request.match_info["id"]
        known = next((r for r in self.runs.values() if (r.id, r.text) == (body["client_id"], body["text"])), None)
        if known is None:
            self.sessions[session_id]["title"] = self.sessions[session_id]["title"] or body["text"][:60]
            known = self._start(session_id, body)
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return refusal(status, **problem)
        return await self._stream(request, known, 0)

    async def _retry(self, request: web.Request) -> web.Response:
        """As the service does when nothing was said since: the new message takes the failed one's place."""
        run = self.runs[request.match_info["id"]]
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return refusal(status, **problem)
        said = next(item for item in self.messages[run.session_id] if item["run_id"] == run.id)
        again = {"client_id": f"retry of {run.id}", "text": run.text, "edit_of": said["id"]}
        self.retries.append(run.id)
        return web.json_response({"run_id": self._start(run.session_id, again).id}, status=202)

    def _start(self, session_id: str, body: dict[str, Any]) -> Run:
        run = Run(body["client_id"], session_id, body["text"])
        self.runs[run.id] = run
        if body.get("edit_of"):
            items = self.messages[session_id]
            at = next(n for n, item in enumerate(items) if item["id"] == body["edit_of"])
            del items[at:]
        self.tell(session_id, "run.started", {"run_id": run.id, "status": "running"})
        edited = {"edit_of": body["edit_of"]} if body.get("edit_of") else {}
        self._remember(run, "user", body["text"], **edited)
        task = asyncio.create_task(self._play(run, self.scripts.pop(0)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def _play(self, run: Run, steps: list[Step]) -> None:
        ids = {"run_id": run.id, "session_id": run.session_id, "message_id": str(uuid4())}
        run.emit("run.started", ids | {"model": "local", "prompt_version": "1"})
        tools, proposals = [], []
        for step in steps:
            if isinstance(step, asyncio.Event):
                waiting = [asyncio.ensure_future(e.wait()) for e in (step, run.cancelled)]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for one in waiting:
                    one.cancel()
                if run.cancelled.is_set():
                    run.emit("run.cancelled", {})
                    return
                continue
            kind, data = step
            if kind == "tool.finished":
                tools.append(data | {"label": "Looked"})
            if kind == "proposal":
                proposals.append(data["id"])
            if kind == "run.finished":
                data = {"message_id": ids["message_id"]} | data
                self._remember(run, "assistant", data["text"], tools=tools, proposals=proposals)
            run.emit(kind, data)

    def _remember(self, run: Run, role: str, text: str, **more: Any) -> None:
        items = self.messages[run.session_id]
        item = {"id": str(uuid4()), "seq": len(items) + 1, "role": role, "text": text, "run_id": run.id}
        defaults: dict[str, Any] = {"tools": [], "proposals": [], "figures": []}
        items.append(item | defaults | {"created_at": datetime.now(UTC).isoformat()} | more)
        told = {"message_id": item["id"], "role": role, "text": text, "run_id": run.id, "at": items[-1]["created_at"]}
        told |= {"edit_of": more["edit_of"]} if "edit_of" in more else {}
        self.tell(run.session_id, "message.added", told)

    def notice(self, session_id: str) -> None:
        """Penny says something unasked, as the service's history and feed have it."""
        items = self.messages[session_id]
        fact = {
            "id": "n.1",
            "label": "used of the Dining budget in November 2026",
            "value": "92.0",
            "unit": "percent",
        }
        looked = {"call_id": "notice", "name": "notice", "label": "A notice you asked for", "ok": True}
        item: dict[str, Any] = {
            "id": str(uuid4()),
            "seq": len(items) + 1,
            "role": "assistant",
            "notice": "budget",
            "text": "**Budgets nearly spent**\n\n- Dining: 92% is spent.",
            "run_id": None,
            "status": "finished",
            "tools": [looked | {"summary": "", "facts": [fact]}],
            "proposals": [],
            "figures": [{"start": 36, "end": 39, "text": "92%", "fact_id": "n.1", "verified": True}],
            "created_at": datetime.now(UTC).isoformat(),
        }
        items.append(item)
        told = {name: item[name] for name in ("role", "notice", "text", "run_id")}
        self.tell(session_id, "message.added", told | {"message_id": item["id"], "at": item["created_at"]})

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": here\n\n")
        assert request.transport is not None
        self._open.add(request.transport)
        if reader := asyncio.current_task():
            self._readers.add(reader)
        after = int(request.query.get("after", 0))
        while True:
            told = self.told
            for seq, kind, data in self.feeds.get(request.match_info["id"], [])[after:]:
                await response.write(f"id: {seq}\nevent: {kind}\ndata: {data}\n\n".encode())
                after = seq
            await told.wait()
