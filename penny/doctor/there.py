"""The looks at a deployment from outside, as its users reach it: no token is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from domain.clock import Clock
from penny.doctor.finding import Look, Nothing, Wrong
from penny.doctor.here import SKEW_SECONDS

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass
class There:
    """The looks at the service at `url`."""

    url: str
    http: aiohttp.ClientSession
    clock: Clock

    def looks(self) -> Mapping[str, tuple[Look, str]]:
        """Each with what to do when its own error does not say."""
        return {
            "alive": (
                self._alive,
                "Look at the tasks and the load balancer; docs/observability.md has the logs' lines.",
            ),
            "ready": (self._ready, "Its log says why; mostly the database is away."),
            "protected": (self._protected, "Check PENNY_AUTH."),
            "encrypted": (self._encrypted, "Put TLS in front."),
            "clock": (self._clock, "Have the servers' clocks set by NTP."),
            "widget": (self._widget, "The image was built without it: `make image`."),
        }

    async def _get(self, path: str) -> aiohttp.ClientResponse:
        try:
            return await self.http.get(f"{self.url.rstrip('/')}{path}", allow_redirects=False)
        except aiohttp.ClientError as error:
            raise Wrong(
                f"{self.url} does not answer ({type(error).__name__}).", "Check the address and the network."
            ) from None

    async def _alive(self) -> str:
        answer = await self._get("/healthz")
        if answer.status != 200:
            raise Wrong(f"/healthz answers {answer.status}.", "Something else than Penny may listen there.")
        return "/healthz answers 200."

    async def _ready(self) -> str:
        answer = await self._get("/readyz")
        if answer.status != 200:
            try:
                detail = str((await answer.json(content_type=None)).get("detail", ""))
            except ValueError:
                detail = ""
            raise Wrong(f"/readyz answers {answer.status}. {detail}".strip(), "Its log says why.")
        return "/readyz answers 200: it takes requests and its database answers."

    async def _protected(self) -> str:
        answer = await self._get("/v1/sessions")
        if answer.status != 401:
            raise Wrong(
                f"/v1/sessions without a token answers {answer.status}, not 401.", "Check what stands in front."
            )
        if (await self._get("/dev/token")).status == 200:
            raise Wrong("It gives tokens to whoever asks (PENNY_AUTH=dev).", "Set PENNY_AUTH=jwks:<url>.")
        return "Without a token it answers 401."

    async def _encrypted(self) -> str:
        address = urlsplit(self.url)
        if address.hostname in LOOPBACK:
            raise Nothing("On this machine.")
        if address.scheme != "https":
            raise Wrong("Tokens would go over http in the clear.", "Use the https address, and put TLS in front.")
        return "https, with a certificate that this machine trusts."

    async def _clock(self) -> str:
        answer = await self._get("/healthz")
        try:
            theirs = parsedate_to_datetime(answer.headers["Date"])
        except (KeyError, ValueError):
            raise Nothing("The answer has no date.") from None
        skew = (theirs - self.clock.now()).total_seconds()
        if abs(skew) > SKEW_SECONDS:
            raise Wrong(f"It is {skew:+.0f} s off this machine's.", "Have both set by NTP.")
        return "It agrees with this machine's."

    async def _widget(self) -> str:
        answer = await self._get("/widget.js")
        if answer.status not in (200, 302, 307):
            raise Wrong(f"/widget.js answers {answer.status}.", "The image was built without it: `make image`.")
        return "/widget.js is served."
