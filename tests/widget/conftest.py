"""Chromium, and a small stand-in for the HTTP service that speaks CONTRACT.md and misbehaves on request."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, async_playwright

from api.routes.page import POLICY

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "api" / "assets"
HOST_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<link rel="icon" href="/page/icon.svg"><link rel="stylesheet" href="/bank.css"></head>
<body>{body}</body></html>"""
HOST_STYLE = "body { margin: 0; block-size: 100vh }"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TERMINAL = ("run.finished", "run.failed", "run.cancelled")

WIDGET = "<penny-chat token-url='/dev/token' mode='page'></penny-chat><script type='module' src='/widget.js'></script>"


def usd(minor: int) -> dict[str, Any]:
    """An amount in US cents."""
    return {"minor": minor, "currency": "USD"}


Step = tuple[str, dict[str, Any]] | asyncio.Event
"""An event of a run (type, data), or something the run waits for before it goes on."""


@dataclass
class Run:
    """A run whose events appear as its script is played; every stream of it reads from the same list."""

    id: str
    session_id: str
    text: str
    status: str = "running"
    events: list[tuple[int, str, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        self.events.append((len(self.events) + 1, kind, json.dumps(data, ensure_ascii=False)))
        if kind in TERMINAL:
            self.status = kind.removeprefix("run.")
        self.changed.set()
        self.changed = asyncio.Event()


class FakePenny:
    """Sessions, runs and proposals in memory. What a test wants to happen goes into `script`, what happened is in
    `posts`, `confirms` and `requests`."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.runs: dict[str, Run] = {}
        self.proposals: dict[str, dict[str, Any]] = {}
        self.scripts: list[list[Step]] = []
        self.posts: list[dict[str, Any]] = []
        self.confirms: list[dict[str, Any]] = []
        self.undone: list[str] = []
        self.retries: list[str] = []
        self.reads: list[tuple[str, int]] = []
        self.model = {"name": "local", "small": True, "status": "ready", "note": "It makes mistakes."}
        self.cut_after: list[int] = []
        self.refusals: list[tuple[int, dict[str, Any]]] = []
        self.chunk = 7
        self.body = WIDGET
        self.host_script = ""
        self.host_style = ""
        self.feeds: dict[str, list[tuple[int, str, str]]] = {}
        self.told = asyncio.Event()
        self.channels = ["slack", "telegram"]
        self.links: list[dict[str, str]] = []
        self.code_seconds = 900.0
        self.facts = [{"id": "f1", "kind": "payday", "text": "Salary comes on the 25th."}]
        self.accounts = [{"id": "a1", "name": "Everyday Checking", "kind": "checking", "balance": usd(204978)}]
        self.budgets: dict[str, Any] = {"items": [], "totals": []}
        self.imports: list[tuple[str, bool]] = []
        self.import_refusal: dict[str, Any] | None = None
        self.tokens = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.BaseTransport] = set()
        self._readers: set[asyncio.Task[Any]] = set()

    def script(self, *steps: Step) -> None:
        """The next message is answered by these events; run.started comes by itself."""
        self.scripts.append(list(steps))

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

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._host),
                web.get("/bank.css", self._host_style),
                web.get("/bank.js", self._host_script),
                web.get("/penny-token", self._token),
                web.get("/bank", self._file),
                web.get("/page/{name}", self._file),
                web.get("/{name:widget.*}", self._file),
                web.get("/dev/token", self._token),
                web.get("/v1/model", self._model),
                web.get("/v1/sessions", self._list),
                web.post("/v1/sessions", self._create),
                web.patch("/v1/sessions/{id}", self._rename),
                web.delete("/v1/sessions/{id}", self._delete),
                web.get("/v1/sessions/{id}/events", self._feed),
                web.get("/v1/sessions/{id}/messages", self._messages),
                web.post("/v1/sessions/{id}/messages", self._say),
                web.get("/v1/runs/{id}", self._run),
                web.get("/v1/runs/{id}/events", self._events),
                web.post("/v1/runs/{id}/cancel", self._cancel),
                web.post("/v1/runs/{id}/retry", self._retry),
                web.get("/v1/proposals", self._proposals),
                web.get("/v1/proposals/{id}", self._proposal),
                web.post("/v1/proposals/{id}/confirm", self._confirm),
                web.post("/v1/proposals/{id}/reject", self._reject),
                web.get("/v1/journal", self._journal),
                web.post("/v1/journal/{id}/undo", self._undo),
                web.get("/v1/budgets", self._budgets),
                web.get("/v1/accounts", self._accounts),
                web.get("/v1/transactions", self._accounts),
                web.post("/v1/imports", self._import),
                web.get("/v1/links", self._links),
                web.post("/v1/links", self._new_link),
                web.delete("/v1/links/{channel}", self._unlink),
                web.get("/v1/facts", self._facts),
                web.post("/v1/facts", self._new_fact),
                web.patch("/v1/facts/{id}", self._new_fact),
                web.delete("/v1/facts/{id}", self._forget),
            ]
        )
        return app

    def cut(self) -> None:
        """Breaks every stream that is open, without a farewell."""
        for transport in self._open:
            assert isinstance(transport, asyncio.WriteTransport)
            transport.abort()
        self._open.clear()

    async def close(self) -> None:
        """Ends the runs that still play."""
        ending = [*self._tasks, *(task for task in self._readers if not task.done())]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _host(self, request: web.Request) -> web.Response:
        """A page around the widget: `body` is what a test wants in it."""
        return web.Response(
            text=HOST_PAGE.format(body=self.body), content_type="text/html", headers={"Content-Security-Policy": POLICY}
        )

    async def _host_style(self, request: web.Request) -> web.Response:
        return web.Response(text=self.host_style or HOST_STYLE, content_type="text/css")

    async def _host_script(self, request: web.Request) -> web.Response:
        return web.Response(text=self.host_script, content_type="text/javascript")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        if name == "widget.js":
            name = json.loads((BUILT / "manifest.json").read_text())["widget"]
        return web.FileResponse(BUILT / name, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})

    async def _token(self, request: web.Request) -> web.Response:
        self.tokens += 1
        return web.json_response({"token": "test-token", "expires_in": 3600, "user": "demo"})

    async def _model(self, request: web.Request) -> web.Response:
        return web.json_response(self.model)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"items": list(reversed(self.sessions.values())), "next": None})

    async def _create(self, request: web.Request) -> web.Response:
        self._authorized(request)
        now = datetime.now(UTC).isoformat()
        session = {"id": str(uuid4()), "title": "", "created_at": now, "updated_at": now}
        self.sessions[str(session["id"])] = session
        self.messages[session["id"]] = []
        return web.json_response(session, status=201)

    async def _messages(self, request: web.Request) -> web.Response:
        items = self.messages.get(request.match_info["id"])
        if items is None:
            return _problem(404, "not_found", "There is no such session.")
        return web.json_response({"items": items, "next": None})

    async def _say(self, request: web.Request) -> web.StreamResponse:
        self._authorized(request)
        body = await request.json()
        self.posts.append(body)
        session_id = request.match_info["id"]
        known = next((r for r in self.runs.values() if (r.id, r.text) == (body["client_id"], body["text"])), None)
        if known is None:
            self.sessions[session_id]["title"] = self.sessions[session_id]["title"] or body["text"][:60]
            known = self._start(session_id, body)
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return _problem(status, **problem)
        return await self._stream(request, known, 0)

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

    def tell(self, session_id: str, kind: str, data: dict[str, Any]) -> None:
        """Adds an event to the session's feed."""
        feed = self.feeds.setdefault(session_id, [])
        feed.append((len(feed) + 1, kind, json.dumps(data)))
        self.told.set()
        self.told = asyncio.Event()

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

    async def _rename(self, request: web.Request) -> web.Response:
        session = self.sessions[request.match_info["id"]]
        session.update(await request.json())
        return web.json_response(session)

    async def _delete(self, request: web.Request) -> web.Response:
        del self.sessions[request.match_info["id"]]
        return web.Response(status=204)

    async def _proposals(self, request: web.Request) -> web.Response:
        status = request.query.get("status")
        found = [p for p in self.proposals.values() if status in (None, p["status"])]
        return web.json_response({"items": found, "next": None})

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

    def link(self, channel: str, address: str) -> None:
        """The person has sent the code in that app."""
        made = "2026-11-20T09:00:00+00:00"
        self.links.append({"channel": channel, "address": address, "created_at": made, "used_at": made})

    async def _unlink(self, request: web.Request) -> web.Response:
        ended = request.match_info["channel"], request.query["address"]
        self.links = [one for one in self.links if (one["channel"], one["address"]) != ended]
        return web.Response(status=204)

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
            return _problem(422, **self.import_refusal)
        report = {"account": "Everyday Checking", "format": "csv", "rows": 5, "added": 3, "duplicates": 2, "skipped": 0}
        days = {
            "categorized": 1,
            "first_day": "2026-11-01",
            "last_day": "2026-11-20",
            "notes": ["Dates are day first."],
        }
        return web.json_response(report | days | {"dry_run": dry, "journal_id": None if dry else "journal-import"})

    async def _run(self, request: web.Request) -> web.Response:
        run = self.runs[request.match_info["id"]]
        error = json.loads(run.events[-1][2]) if run.status == "failed" else None
        return web.json_response({"id": run.id, "session_id": run.session_id, "status": run.status, "error": error})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self._authorized(request)
        run = self.runs[request.match_info["id"]]
        after = int(request.query.get("after", 0))
        self.reads.append((run.id, after))
        return await self._stream(request, run, after)

    async def _stream(self, request: web.Request, run: Run, after: int) -> web.StreamResponse:
        """The run's events in chunks of `chunk` bytes; the next number in `cut_after` is of events before a cut."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Penny-Run-Id": run.id})
        await response.prepare(request)
        await response.write(b"retry: 1000\n: ping\n\n")
        assert request.transport is not None
        self._open.add(request.transport)
        if reader := asyncio.current_task():
            self._readers.add(reader)
        limit = self.cut_after.pop(0) if self.cut_after else 10**9
        sent = 0
        while True:
            changed = run.changed
            for seq, kind, data in run.events[after:]:
                frame = f"id: {seq}\nevent: {kind}\ndata: {data}\n\n".encode()
                for at in range(0, len(frame), self.chunk):
                    await response.write(frame[at : at + self.chunk])
                    await asyncio.sleep(0)
                after, sent = seq, sent + 1
                if sent >= limit:
                    request.transport.abort()
                    return response
                if kind in TERMINAL:
                    self._open.discard(request.transport)
                    return response
            await changed.wait()

    async def _cancel(self, request: web.Request) -> web.Response:
        self.runs[request.match_info["id"]].cancelled.set()
        return web.json_response({}, status=202)

    async def _retry(self, request: web.Request) -> web.Response:
        """As the service does when nothing was said since: the new message takes the failed one's place."""
        run = self.runs[request.match_info["id"]]
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return _problem(status, **problem)
        said = next(item for item in self.messages[run.session_id] if item["run_id"] == run.id)
        again = {"client_id": f"retry of {run.id}", "text": run.text, "edit_of": said["id"]}
        self.retries.append(run.id)
        return web.json_response({"run_id": self._start(run.session_id, again).id}, status=202)

    async def _proposal(self, request: web.Request) -> web.Response:
        return web.json_response(self.proposals[request.match_info["id"]])

    async def _confirm(self, request: web.Request) -> web.Response:
        self._authorized(request)
        body = await request.json()
        proposal = self.proposals[request.match_info["id"]]
        self.confirms.append({"id": proposal["id"], **body})
        if self.refusals:
            status, problem = self.refusals.pop(0)
            return _problem(status, **problem)
        if body["hash"] != proposal["hash"]:
            return _problem(409, "hash_mismatch", "This is not the proposal that you were shown.")
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

    def _authorized(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "Bearer test-token":
            raise web.HTTPUnauthorized


def _problem(status: int, code: str, detail: str, **members: Any) -> web.Response:
    body = {"type": "about:blank", "title": "", "status": status, "detail": detail, "code": code} | members
    return web.json_response(body, status=status, content_type="application/problem+json")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium, headless. Without one the tests are skipped, but on CI they fail."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        reason = "The page's tests need Chromium: apt-get install chromium (or Chrome) puts one in PATH."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def built() -> Path:
    """The built widget; what builds it is named where it is missing."""
    if not (BUILT / "manifest.json").exists():
        pytest.fail("The widget is not built: make widget")
    return BUILT


@pytest.fixture
async def penny(built: Path) -> AsyncIterator[FakePenny]:
    """A fresh fake service; its address is `penny.url`."""
    fake = FakePenny()
    runner = web.AppRunner(fake.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield fake
    await fake.close()
    await runner.cleanup()


@dataclass
class Visit:
    """A page under watch: what it requested, and what its console complained about."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def complain(self, text: str) -> None:
        """Notes a console error; a refused or broken request is not one of the page."""
        if not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    @property
    def field(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_role("textbox", name="Message to Penny")

    async def say(self, text: str) -> None:
        """Types a message and presses Enter."""
        await self.field.fill(text)
        await self.field.press("Enter")


@pytest.fixture
async def visit(browser: Browser, penny: FakePenny) -> AsyncIterator[Callable[..., Any]]:
    """Opens a page with the widget: `await visit(width=..., height=...)` gives a Visit (`beside` another: a tab of it).
    At the end no error, no policy violation and
    no request to anywhere but the service may have happened."""
    visits: list[Visit] = []

    async def opened(
        width: int = 1200, height: int = 800, path: str = "", beside: Visit | None = None, **options: Any
    ) -> Visit:
        context = (
            beside.context
            if beside
            else await browser.new_context(viewport={"width": width, "height": height}, locale="en-US", **options)
        )
        page = await context.new_page()
        visit = Visit(page, context)

        def note(request: Request) -> None:
            visit.requests.append(request.url)

        context.on("request", note)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("console", lambda m: m.type in ("error", "warning") and visit.complain(m.text))
        visits.append(visit)
        await page.goto(penny.url + path)
        return visit

    yield opened
    for visit in visits:
        await visit.context.close()
        assert [url for url in visit.requests if not url.startswith(penny.url)] == []
        assert visit.complaints == []
