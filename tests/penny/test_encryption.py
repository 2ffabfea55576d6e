"""What wraps users' keys: KMS, as moto has it, or a key file; and what is said of a key that cannot be used."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from fake_kms import FakeKms, fake_kms
from moto import mock_aws
from own_database import create

from db.embedded import Server
from db.sealing.keys import KeyRefused, Keys, context_of
from db.sealing.places import SESSION_TITLE
from db.sealing.ring import EncryptionUnavailable
from domain.errors import PennyError, SetupError
from penny.encryption.kms import KmsWrapper
from penny.encryption.setting import keys_of, nobodys_key, wrapper_of
from penny.settings import Settings

ANN, BOB = uuid4(), uuid4()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-west-1")


@pytest.fixture
def kms(aws: None) -> Iterator[Any]:
    """KMS, by moto."""
    with mock_aws():
        yield boto3.client("kms")


def key(kms: Any, alias: str = "alias/penny") -> str:
    """A new key under the alias; its ARN."""
    made = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    return str(made["Arn"])


async def test_a_key_of_kms_wraps_and_unwraps_for_the_same_user_only(kms: Any) -> None:
    """By its alias; what was wrapped for one user and number is refused for another."""
    arn = key(kms)
    wrapper = await wrapper_of("kms:alias/penny")
    made, wrapped, by = await wrapper.make(context_of(ANN, 1))
    assert (len(made), by) == (32, arn)
    assert made not in wrapped
    assert await wrapper.unwrap(wrapped, by, context_of(ANN, 1)) == made
    for other in (context_of(BOB, 1), context_of(ANN, 2)):
        with pytest.raises(KeyRefused):
            await wrapper.unwrap(wrapped, by, other)


async def test_what_another_kms_key_wrapped_is_unwrapped_and_wrapped_anew(kms: Any) -> None:
    """After the setting was changed, while the role may use both."""
    old, new = key(kms, "alias/old"), key(kms, "alias/new")
    made, wrapped, by = await KmsWrapper("alias/old").make(context_of(ANN, 1))
    wrapper = KmsWrapper("alias/new")
    assert (by, await nobodys_key(wrapper)) == (old, new)
    again, named = await wrapper.wrap(await wrapper.unwrap(wrapped, by, context_of(ANN, 1)), context_of(ANN, 1))
    assert named == new
    assert await wrapper.unwrap(again, named, context_of(ANN, 1)) == made


async def test_a_user_goes_on_after_kms_rotated_its_key_material(kms: Any, database: Any, user: Any) -> None:
    """KMS's own rotation needs nothing of ours: two servers read each other across it."""
    arn = key(kms)
    first = await Keys(KmsWrapper(arn)).of(database, user)
    kms.enable_key_rotation(KeyId=arn.rpartition("/")[2])
    kms.rotate_key_on_demand(KeyId=arn.rpartition("/")[2])
    second = await Keys(KmsWrapper(arn)).of(database, user)
    assert second.open(SESSION_TITLE, user, first.seal(SESSION_TITLE, user, "hello")) == "hello"


async def test_a_key_that_is_not_there_is_said_at_the_start(kms: Any) -> None:
    """With the setting and the region to look at."""
    with pytest.raises(SetupError, match=r"kms:alias/nobodys cannot be used: .*there is no such key.*AWS_REGION"):
        await keys_of(Settings(encryption_key="kms:alias/nobodys"))


@pytest.mark.parametrize(
    "where", ["alias/penny", "kms:", "file:", "vault:penny", "file:/no/such/file", "file:{short}", "file:{words}"]
)
async def test_a_setting_that_names_no_key_is_said_at_the_start(where: str, tmp_path: Path) -> None:
    """With how to write it, or how to make the file."""
    (tmp_path / "short").write_text("11" * 31)
    (tmp_path / "words").write_text("correct horse battery staple")
    named = where.format(short=tmp_path / "short", words=tmp_path / "words")
    with pytest.raises(SetupError, match=r"PENNY_ENCRYPTION_KEY.*(use kms:|openssl rand -hex 32)"):
        await keys_of(Settings(encryption_key=named))


@pytest.fixture
async def service(aws: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeKms]:
    """A KMS that does what a test says."""
    async with fake_kms() as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", fake.url)
        yield fake


async def test_a_disabled_key_is_obeyed_and_said(service: FakeKms, database: Any, user: Any) -> None:
    """At the start as a set-up error with what to do; while serving as 503, with nothing of ours in it."""
    await Keys(KmsWrapper("alias/penny")).of(database, user)
    service.error = "DisabledException"
    with pytest.raises(SetupError, match=r"PENNY_ENCRYPTION_KEY=kms:alias/penny cannot be used: .*disabled: enable it"):
        await keys_of(Settings(encryption_key="kms:alias/penny"))
    trouble = (await Keys(KmsWrapper("alias/penny")).of(database, user)).trouble
    assert isinstance(trouble, KeyRefused)
    assert (trouble.status, trouble.message, trouble.details) == (503, "Encrypted texts cannot be used now.", {})


async def test_a_missing_right_is_named(service: FakeKms) -> None:
    """The action that the role may not do."""
    service.error = "AccessDeniedException"
    with pytest.raises(SetupError, match=r"may not kms:GenerateDataKey it: allow kms:GenerateDataKey on it"):
        await keys_of(Settings(encryption_key="kms:alias/penny"))
    assert service.calls == ["GenerateDataKey"]


async def test_kms_in_trouble_is_asked_twice_and_is_no_refusal(service: FakeKms) -> None:
    """An error of its own: unavailable, to be tried again."""
    service.error = "KMSInternalException"
    with pytest.raises(EncryptionUnavailable) as away:
        await KmsWrapper("alias/penny").make(context_of(ANN, 1))
    assert not isinstance(away.value, KeyRefused)
    assert len(service.calls) == 2


async def test_every_use_is_for_a_user_of_penny(service: FakeKms, database: Any, user: Any) -> None:
    """What a key's policy may ask for, and CloudTrail shows."""
    await Keys(KmsWrapper("alias/penny")).of(database, user)
    assert service.contexts == [{"application": "penny", "user": str(user), "key": "1"}]


async def test_nobody_answers(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting is named, and what to look at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(EncryptionUnavailable, match=r"PENNY_ENCRYPTION_KEY=kms:alias/penny: KMS does not answer"):
        await keys_of(Settings(encryption_key="kms:alias/penny"))


async def test_calls_do_not_hold_up_the_loop(kms: Any) -> None:
    """Fifty at once go through, sixteen at a time, each in a thread."""
    wrapper = KmsWrapper(key(kms))
    made: list[tuple[bytes, bytes, str]] = await asyncio.gather(*(wrapper.make(context_of(ANN, n)) for n in range(50)))
    assert len({one[0] for one in made}) == 50


def test_what_a_key_refused_says_to_clients_names_no_key() -> None:
    """The reason is for the log."""
    error: PennyError = KeyRefused("Encrypted texts cannot be used now.", reason="KMS key arn:aws:kms:x: no")
    assert "arn" not in f"{error} {error.message} {error.details}"


@pytest.fixture
async def url(postgres: Server, admin_url: str) -> str:
    """A database of the commands' own, for they go through every user's rows."""
    return await create(admin_url, "penny_keys")


async def test_the_commands_from_off_to_on_and_off_again(
    penny: Callable[..., Awaitable[Any]], key_file: Path, url: str
) -> None:
    """Facts from before are encrypted, rotated and read all along; what is wrong is said in a sentence."""
    off = {"PENNY_DATABASE_URL": url}
    on = {**off, "PENNY_ENCRYPTION_KEY": f"file:{key_file}"}
    assert (await penny("facts", "add", "I am paid on the 25th", **off)).code == 0
    refused = await penny("keys", "encrypt", **off)
    assert (refused.code, refused.err) == (1, "penny: Encryption is off; set PENNY_ENCRYPTION_KEY.\n")
    done = await penny("keys", "encrypt", "--json", **on)
    assert done.code == 0, done.err
    assert json.loads(done.out)["changed"] > 1
    without = await penny("facts", "list", **off)
    assert without.code == 1
    assert "stored encrypted" in without.err
    rotated = await penny("keys", "rotate", "--json", **on)
    assert json.loads(rotated.out) == {"made": 1}
    assert "2 keys of 1 users by file:" in (await penny("keys", "status", **on)).out
    assert (await penny("keys", "decrypt", **on)).err.startswith("penny: Set PENNY_ENCRYPTION=read first")
    assert (await penny("keys", "decrypt", **on, PENNY_ENCRYPTION="read")).code == 0
    assert "25th" in (await penny("facts", "list", **off)).out
