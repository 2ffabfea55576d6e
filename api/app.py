"""The HTTP application: every route, with its errors as problems, inside the edge."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api import problems
from api.address import Proxies
from api.edge import Edge
from api.limits import Gate
from api.openapi import describe
from api.problems import documented, documented_ag_ui, documented_openai
from api.routes import (
    ag_ui,
    ai_sdk,
    facts,
    feed,
    goals,
    health,
    insights,
    journal,
    lab,
    links,
    mcp,
    me,
    messages,
    model,
    money,
    openai,
    page,
    pictures,
    preferences,
    proposals,
    runs,
    sessions,
    setup,
    transfer,
    webhooks,
    widget,
)
from api.routes.widget import Assets
from api.services import Services

DESCRIPTION = """A conversational budget assistant: ask about money, or ask for a change, which becomes a proposal that
only the user applies. Errors are `application/problem+json` (RFC 9457) with a stable `code`; lists take `limit` and
`cursor`; amounts are whole minor units with their currency."""

ALLOWED = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "Penny-Session-Id",
    "Prefer",
    "X-Request-Id",
)
"""Headers that pages of other sites may send."""

EXPOSED = ("Location", "Penny-Run-Id", "Penny-Session-Id", "Preference-Applied", "Retry-After", "X-Request-Id")
"""Headers that pages of other sites may read."""

ROUTERS = (
    sessions.router,
    messages.router,
    feed.router,
    runs.router,
    proposals.router,
    journal.router,
    money.router,
    goals.router,
    insights.router,
    setup.router,
    preferences.router,
    facts.router,
    me.router,
    model.router,
    transfer.router,
    ai_sdk.router,
    links.router,
)


def create_app(
    services: Services,
    *,
    cors_origins: Sequence[str] = (),
    assets: Assets | None = None,
    gate: Gate | None = None,
    trusted_proxies: Sequence[str] = (),
) -> FastAPI:
    """The application over `services`, which are ready to be used and are closed by who made them.

    The demo page and its tokens are there only when `services.dev` is. `cors_origins` are sites whose pages may call.
    `assets` are the built widget and page, by default those of the checkout.
    """
    app = FastAPI(
        title="Penny",
        version="1.0.0",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.gate = gate
    app.state.cors_origins = tuple(cors_origins)
    app.state.assets = assets or Assets()
    problems.install(app)
    app.add_middleware(Edge, gate=gate, proxies=Proxies(trusted_proxies))
    if cors_origins:  # around the edge, so that a page can read its refusals too
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=[*ALLOWED, *mcp.HEADERS],
            expose_headers=EXPOSED,
        )
    app.include_router(health.router)
    app.include_router(widget.router)
    app.include_router(webhooks.router, responses=documented(500, 503))
    app.include_router(pictures.router, responses=documented(500, 503))
    for router in ROUTERS:
        app.include_router(router, responses=documented(401, 422, 429, 500, 503))
    app.include_router(openai.router, responses=documented_openai(400, 401, 429, 500, 503))
    app.include_router(ag_ui.router, responses=documented_ag_ui(400, 401, 413, 415, 422, 429, 500, 503))
    app.include_router(mcp.router)
    if services.dev is not None:
        app.include_router(page.router)
        app.include_router(lab.router)
    app.openapi = describe(app)  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    return app
