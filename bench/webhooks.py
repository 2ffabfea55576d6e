"""What messaging apps wait for: a webhook with a message, fifty at once, each of another person, until its 200.

`python -m bench.webhooks`, or of some apps alone: `python -m bench.webhooks twilio`. `penny serve` has a process; this
one is the apps and their APIs, so it takes part of the machine. Each message is verified, stored with its run and its
outbox row, and answered by a scripted model meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import statistics
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
import psutil
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bench.record import quick, record
from bench.service import READY, new_home, told
from channels.standard.verify import signed
from channels.twilio.verify import signature

AT_ONCE = 50
ROUNDS = 3
SECRET = "whsec_" + "c2VjcmV0" * 6
PUBLIC = "https://penny.example"
TARGET_MS = 200.0

Signed = tuple[bytes, dict[str, str]]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def standard(person: str, text: str) -> Signed:
    event_id = uuid4().hex
    body = _json({"type": "message.received", "data": {"id": event_id, "from": person, "text": text}})
    return body, signed(SECRET, event_id, body, datetime.now(UTC))


def slack(person: str, text: str) -> Signed:
    event = {"type": "message", "channel": f"D{person}", "channel_type": "im", "user": f"U{person}", "text": text}
    event["ts"] = f"{time.time():.6f}"
    body = _json({"type": "event_callback", "team_id": "T1", "event_id": f"Ev{uuid4().hex}", "event": event})
    stamp = str(int(time.time()))
    signature_ = str(SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body))
    return body, {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature_}


def telegram(person: str, text: str) -> Signed:
    chat = {"id": int(person), "type": "private", "first_name": "Kim"}
    sender = {"id": int(person), "is_bot": False, "first_name": "Kim"}
    message = {"message_id": 1, "date": int(time.time()), "chat": chat, "from": sender, "text": text}
    body = _json({"update_id": uuid4().int % 10**9, "message": message})
    return body, {"X-Telegram-Bot-Api-Secret-Token": SECRET}


def whatsapp(person: str, text: str) -> Signed:
    message = {"from": person, "id": f"wamid.{uuid4().hex}", "type": "text", "text": {"body": text}}
    value = {"metadata": {"phone_number_id": "1"}, "messages": [message]}
    body = _json({"entry": [{"changes": [{"field": "messages", "value": value}]}]})
    return body, {"X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


def twilio(person: str, text: str) -> Signed:
    form = {"MessageSid": f"SM{uuid4().hex}", "From": f"+1{person}", "To": "+15557654321", "Body": text}
    name = signature(SECRET, f"{PUBLIC}/webhooks/twilio", form)
    return urlencode(form).encode(), {
        "X-Twilio-Signature": name,
        "Content-Type": "application/x-www-form-urlencoded",
    }


APPS: dict[str, Callable[[str, str], Signed]] = {
    "standard": standard,
    "slack": slack,
    "telegram": telegram,
    "whatsapp": whatsapp,
    "twilio": twilio,
}


async def apps(stack: AsyncExitStack) -> str:
    """The URL of what stands in for every app's API: it takes everything."""

    async def take(request: web.Request) -> web.Response:
        chat = {"id": 1, "type": "private", "first_name": "Kim"}
        sent = {"message_id": 1, "date": 1_700_000_000, "chat": chat}
        answer = {"ok": True, "result": sent, "channel": "D1", "ts": "1.1", "messages": [{"id": "1"}], "sid": "SM1"}
        typing = request.path.endswith("sendChatAction")
        return web.json_response({"ok": True, "result": True} if typing else answer)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def penny(stack: AsyncExitStack, api: str) -> tuple[psutil.Process, str]:
    """A running service with every channel on, and its URL."""
    home = new_home()
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    script = home / "script.json"
    script.write_text(json.dumps([{"text": "Noted."}]))
    env = {
        "PENNY_HOME": str(home),
        "PENNY_MODEL": f"scripted:{script}",
        "PENNY_PUBLIC_URL": PUBLIC,
        "PENNY_STANDARD_WEBHOOK_SECRET": SECRET,
        "PENNY_STANDARD_OUT_URL": f"{api}/standard",
        "PENNY_STANDARD_OUT_SECRET": SECRET,
        "PENNY_SLACK_SIGNING_SECRET": SECRET,
        "PENNY_SLACK_BOT_TOKEN": "xoxb-1",
        "PENNY_SLACK_API_URL": f"{api}/api/",
        "PENNY_TELEGRAM_BOT_TOKEN": "42:bench",
        "PENNY_TELEGRAM_WEBHOOK_SECRET": SECRET,
        "PENNY_TELEGRAM_API_URL": api,
        "PENNY_WHATSAPP_APP_SECRET": SECRET,
        "PENNY_WHATSAPP_VERIFY_TOKEN": "w",
        "PENNY_WHATSAPP_ACCESS_TOKEN": "a",
        "PENNY_WHATSAPP_PHONE_NUMBER_ID": "1",
        "PENNY_WHATSAPP_API_URL": api,
        "PENNY_TWILIO_ACCOUNT_SID": "AC1",
        "PENNY_TWILIO_AUTH_TOKEN": SECRET,
        "PENNY_TWILIO_FROM": "+15557654321",
        "PENNY_TWILIO_API_URL": api,
        "PENNY_LIMITS_TOKENS_DAY": "0",
        **{
            f"PENNY_LIMITS_{what}_PER_{whose}": "0"
            for what in ("REQUESTS", "OPEN")
            for whose in ("USER", "TENANT", "ADDRESS")
        },
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "penny", "serve", "--port", "0", env={**os.environ, **env}, stderr=PIPE, stdout=DEVNULL
    )
    return psutil.Process(process.pid), await stack.enter_async_context(told(process, READY))


async def main() -> None:
    """Prints the table."""
    chosen = sys.argv[1:] or list(APPS)
    if unknown := set(chosen) - set(APPS):
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}; there are: {', '.join(APPS)}.")
    async with AsyncExitStack() as stack:
        server, url = await penny(stack, await apps(stack))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        people = [str(10_000_000 + n) for n in range(AT_ONCE)]

        async def post(app: str, person: str, text: str) -> float:
            body, headers = APPS[app](person, text)
            headers = {"Content-Type": "application/json"} | headers
            began = time.perf_counter()
            async with http.post(f"{url}/webhooks/{app}", data=body, headers=headers) as answer:
                assert answer.status == 200, f"{app}: {answer.status} {await answer.text()}"
                await answer.read()
            return (time.perf_counter() - began) * 1000

        async def link(person: str) -> None:
            async with http.get(f"{url}/dev/token", params={"user": f"bench-{person}"}) as answer:
                bearer = {"Authorization": f"Bearer {(await answer.json())['token']}"}
            for app in chosen:
                async with http.post(f"{url}/v1/links", json={"channel": app}, headers=bearer) as answer:
                    text = (await answer.json())["text"]
                await post(app, person, text)

        for first in range(0, AT_ONCE, 5):
            await asyncio.gather(*map(link, people[first : first + 5]))
        rounds, pause = (1, 1.0) if quick() else (ROUNDS, 5.0)
        print(f"{AT_ONCE} messages at once, {rounds} rounds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"{'channel':>10}{'p50 ms':>9}{'p95 ms':>9}{'most ms':>9}{'CPU ms':>9}")
        for app in chosen:
            await asyncio.gather(*(post(app, person, "hello") for person in people))
            await asyncio.sleep(pause)
            took: list[float] = []
            spent = sum(server.cpu_times()[:2])
            for _ in range(rounds):
                await asyncio.sleep(2)
                took += await asyncio.gather(*(post(app, person, "42.50 lunch") for person in people))
            await asyncio.sleep(pause)  # for the replies, which count as the message's
            cpu = (sum(server.cpu_times()[:2]) - spent) * 1000 / len(took)
            p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
            record(f"webhooks.p95.{app}", p95)
            verdict = "" if p95 < TARGET_MS else f"  above {TARGET_MS:.0f}"
            print(f"{app:>10}{p50:>9.1f}{p95:>9.1f}{max(took):>9.1f}{cpu:>9.1f}{verdict}")


if __name__ == "__main__":
    asyncio.run(main())
