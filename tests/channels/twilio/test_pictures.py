"""Charts as pictures in text messages: Twilio fetches them from Penny, and nobody else does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from channels.pictures import LASTS_SECONDS, Picture, PictureAddresses
from channels.twilio import TwilioChannel
from penny.channels import make_channels
from penny.settings import Settings

PUBLIC = "https://penny.example"
TOKEN = "auth-token"


@dataclass
class MovingClock:
    at: datetime = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
async def asked(serve: Any, channel: TwilioChannel, twilio: Any, clock: Any, charts: Any, until: Any) -> Any:
    """A service with pictures on, whose linked person has asked for a chart: `await asked()`."""

    async def start() -> Any:
        channel.pictures = PictureAddresses(TOKEN, PUBLIC, clock)
        service = await serve({"twilio": channel}, charts)
        await service.spend()
        await twilio.say(service.outside, await service.link_text("twilio"))
        await until(lambda: twilio.sent)
        twilio.sent.clear()
        await twilio.say(service.outside, "where does it go?")
        await until(lambda: service.outbox(status="sent", kind="reply"))
        return service

    return start


async def fetched(service: Any, url: str) -> httpx.Response:
    """As Twilio does: without any credentials of a user's."""
    return await service.outside.get(url)


async def test_a_chart_comes_as_a_picture(asked: Any, twilio: Any) -> None:
    """After the text, as a message with the chart's title; what is fetched is a PNG that nobody keeps."""
    service = await asked()
    text, picture = twilio.sent
    assert text["Body"] == "See the chart."
    answer = await fetched(service, picture["MediaUrl"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["cache-control"] == "no-store"


async def test_the_address_says_nothing_and_ends(asked: Any, twilio: Any, clock: MovingClock) -> None:
    """No name, run or figure stands in it; after its minutes, and with any sign changed, it is 404 like any other."""
    service = await asked()
    url = twilio.sent[1]["MediaUrl"]
    (row,) = await service.outbox(kind="reply")
    token = url.rpartition("/")[2]
    for name in (service.user, row["run_id"], row["id"]):
        assert name.hex not in url
        assert str(name) not in url
    other = "A" if token[30] != "A" else "B"
    wrong = (token[:30] + other + token[31:], token[:-1], "", "x" * 200, "%00", "é")
    answers = [await fetched(service, f"{PUBLIC}/pictures/{one}") for one in wrong]
    assert {answer.status_code for answer in answers} == {404}
    clock.at += timedelta(seconds=LASTS_SECONDS - 1)
    assert (await fetched(service, url)).status_code == 200
    clock.at += timedelta(seconds=2)
    late = await fetched(service, url)
    assert late.status_code == 404
    assert late.json()["code"] == answers[0].json()["code"] == "not_found"


async def test_an_erased_user_has_no_pictures(asked: Any, twilio: Any) -> None:
    """An address that still counts leads nowhere."""
    service = await asked()
    assert (await service.client.delete("/v1/me")).status_code == 204
    assert (await fetched(service, twilio.sent[1]["MediaUrl"])).status_code == 404


async def test_without_pictures_there_are_only_texts(
    serve: Any, channel: TwilioChannel, twilio: Any, charts: Any, until: Any
) -> None:
    """As it is unless it is switched on; and to numbers elsewhere always, where Twilio would send a link."""
    channel.pictures = PictureAddresses(TOKEN, PUBLIC, MovingClock())
    twilio.phone = "+49" + str(uuid4().int)[:10]
    service = await serve({"twilio": channel}, charts)
    await service.spend()
    await twilio.say(service.outside, await service.link_text("twilio"))
    await twilio.say(service.outside, "where does it go?")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    channel.pictures = None
    await twilio.say(service.outside, "where does it go?")
    await until(lambda: service.outbox(status="sent", kind="reply"), 2)
    assert not [message for message in twilio.sent if "MediaUrl" in message]


def test_another_secret_reads_nothing(clock: MovingClock) -> None:
    """Nor does one from the future."""
    picture = Picture(uuid4(), uuid4(), 0)
    made = PictureAddresses(TOKEN, PUBLIC, clock)
    token = made.of(picture).rpartition("/")[2]
    assert made.read(token) == picture
    assert PictureAddresses("other", PUBLIC, clock).read(token) is None
    clock.at -= timedelta(hours=1)
    assert made.read(token) is None


@pytest.mark.parametrize("on", [False, True])
async def test_pictures_are_off_unless_switched_on(on: bool, clock: MovingClock) -> None:
    """`PENNY_TWILIO_MMS`."""
    settings = Settings(
        twilio_account_sid="AC1", twilio_auth_token=TOKEN, twilio_from="+15557654321", public_url=PUBLIC, twilio_mms=on
    )  # type: ignore[arg-type]
    made = make_channels(settings, clock)["twilio"]
    assert isinstance(made, TwilioChannel)
    assert (made.pictures is not None) == on
    await made.close()
