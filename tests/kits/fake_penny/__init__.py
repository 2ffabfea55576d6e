"""A small stand-in for the HTTP service that speaks the contract and misbehaves on request."""

from __future__ import annotations

from aiohttp import web

from fake_penny.belongings import Belongings
from fake_penny.changes import Changes
from fake_penny.pages import BUILT, Pages
from fake_penny.sessions import Sessions
from fake_penny.state import usd

__all__ = ["BUILT", "FakePenny", "usd"]


class FakePenny(Pages, Sessions, Changes, Belongings):
    """The service as the widget sees it."""

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes(self.routes())
        return app
