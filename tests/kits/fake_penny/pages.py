"""The page around the widget, the widget's files, tokens and the model's state."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web

from api.routes.page import POLICY
from fake_penny.state import State

BUILT = Path(__file__).parents[3] / "api" / "assets"
HOST_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<link rel="icon" href="/page/icon.svg"><link rel="stylesheet" href="/bank.css"></head>
<body>{body}</body></html>"""
HOST_STYLE = "body { margin: 0; block-size: 100vh }"


class Pages(State):
    """What a browser loads before it asks for anything of the user's."""

    def routes(self) -> list[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/", self._host),
            web.get("/bank.css", self._host_style),
            web.get("/bank.js", self._host_script),
            web.get("/penny-token", self._token),
            web.get("/bank", self._file),
            web.get("/page/{name}", self._file),
            web.get("/{name:widget.*}", self._file),
            web.get("/dev/token", self._token),
            web.get("/v1/model", self._model),
        ]

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
