"""Streams of runs, which break off on request."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from fake_penny.state import TERMINAL, Run, State


class Runs(State):
    """Every stream of a run reads from the same list of events."""

    def routes(self) -> list[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/v1/runs/{id}", self._run),
            web.get("/v1/runs/{id}/events", self._events),
            web.post("/v1/runs/{id}/cancel", self._cancel),
        ]

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

    async def _run(self, request: web.Request) -> web.Response:
        run = self.runs[request.match_info["id"]]
        error = json.loads(run.events[-1][2]) if run.status == "failed" else None
        return web.json_response({"id": run.id, "session_id": run.session_id, "status": run.status, "error": error})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self.authorized(request)
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
