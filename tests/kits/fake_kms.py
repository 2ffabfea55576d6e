"""A key service that speaks KMS's wire over HTTP, and can be away, slow, or say no."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ARN = "arn:aws:kms:eu-west-1:123456789012:key/0000"


class FakeKms:
    """`error` is answered in place of everything else; while `away`, connections are closed without an answer.
    `calls` are the actions asked for, `contexts` with what."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.away = False
        self.calls: list[str] = []
        self.contexts: list[dict[str, str]] = []
        self.url = ""
        self._cipher = AESGCM(secrets.token_bytes(32))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        action = request.headers["X-Amz-Target"].partition(".")[2]
        self.calls.append(action)
        if self.away:
            assert request.transport is not None
            request.transport.abort()
            raise asyncio.CancelledError
        if self.error is not None:
            return web.json_response({"__type": self.error}, status=500 if "Internal" in self.error else 400)
        asked = await request.json()
        self.contexts.append(asked["EncryptionContext"])
        about = json.dumps(asked["EncryptionContext"], sort_keys=True).encode()
        if action == "Decrypt":
            return self._unwrapped(base64.b64decode(asked["CiphertextBlob"]), about)
        plain = secrets.token_bytes(32) if action == "GenerateDataKey" else base64.b64decode(asked["Plaintext"])
        nonce = secrets.token_bytes(12)
        wrapped = nonce + self._cipher.encrypt(nonce, plain, about)
        return _json(KeyId=ARN, Plaintext=plain, CiphertextBlob=wrapped)

    def _unwrapped(self, wrapped: bytes, about: bytes) -> web.StreamResponse:
        try:
            return _json(KeyId=ARN, Plaintext=self._cipher.decrypt(wrapped[:12], wrapped[12:], about))
        except InvalidTag:
            return web.json_response({"__type": "InvalidCiphertextException"}, status=400)


def _json(**members: Any) -> web.StreamResponse:
    shown = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in members.items()}
    return web.json_response(shown)


@asynccontextmanager
async def fake_kms() -> AsyncIterator[FakeKms]:
    """One that listens on a free port of this machine."""
    fake = FakeKms()
    app = web.Application()
    app.router.add_post("/", fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield fake
    finally:
        await runner.cleanup()


def environment(fake: FakeKms) -> dict[str, str]:
    """For a process that is to use it."""
    return {
        "AWS_ENDPOINT_URL_KMS": fake.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
        "PENNY_ENCRYPTION_KEY": "kms:alias/penny",
    }
