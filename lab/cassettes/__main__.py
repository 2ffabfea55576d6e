"""`python -m lab.cassettes record|replay|show`: recording and playing back as programs (see lab.cassettes)."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from domain.errors import PennyError
from lab.cassettes.recorder import recording, signed_by_aws
from lab.cassettes.replay import replaying
from lab.cassettes.tape import Header, read_all, salt_of


def main() -> int:
    """Serves until interrupted. Exit code 2: something cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m lab.cassettes", description="Record and replay Bedrock's wire.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    record = verbs.add_parser("record", help="a proxy that writes what passes to a cassette")
    record.add_argument("file", type=Path)
    record.add_argument("--upstream", help="where requests go; default: Bedrock in AWS_REGION, with your credentials")
    record.add_argument("--keep-words", action="store_true", help="do not mask what people said: it is made up anyway")
    record.add_argument("--note", default="", help="what the cassette is of")
    record.add_argument("--port", type=int, default=9100)
    replay = verbs.add_parser("replay", help="the emulator, answering from a folder's cassettes")
    replay.add_argument("folder", type=Path)
    replay.add_argument("--port", type=int, default=9100)
    show = verbs.add_parser("show", help="what cassettes there are")
    show.add_argument("folder", type=Path)
    options = parser.parse_args()
    try:
        if options.verb == "show":
            _show(options.folder)
        else:
            asyncio.run(_record(options) if options.verb == "record" else _replay(options))
    except (PennyError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _show(folder: Path) -> None:
    for cassette in read_all(folder):
        about = cassette.header
        masked = "masked" if about.masked else "words as they were"
        _say(f"{cassette.path}: {len(cassette.exchanges)} exchanges, {about.made_with}, {about.recorded}, {masked}")
        _say(f"  matches {', '.join(about.match)}{'; ' + about.note if about.note else ''}")


async def _record(options: argparse.Namespace) -> None:
    upstream, sign = (options.upstream, None) if options.upstream else signed_by_aws()
    header = Header(
        "scripted" if options.upstream else "live",
        datetime.now(UTC).date().isoformat(),
        salt=None if options.keep_words else secrets.token_hex(16),
        note=options.note,
    )
    async with recording(options.file, header, upstream=upstream, sign=sign, port=options.port) as recorder:
        _say(f"Recording {upstream} at {recorder.url}\n  AWS_ENDPOINT_URL_BEDROCK_RUNTIME={recorder.url}")
        await _interrupted()
        _say(f"{recorder.kept} of {recorder.passed} requests kept in {options.file}")
        if header.salt is not None:
            _say(f"To play it {salt_of(options.file)} has to be beside it; who has that too can guess masked words.")


async def _replay(options: argparse.Namespace) -> None:
    async with replaying(options.folder, port=options.port) as replay:
        _say(f"Replaying {options.folder} at {replay.url}\n  AWS_ENDPOINT_URL_BEDROCK_RUNTIME={replay.url}")
        await _interrupted()
        _say(f"{replay.played} answers played; {len(replay.misses)} unknown requests")
        for miss in replay.misses:
            _say(f"  {miss}")


async def _interrupted() -> None:
    ended = asyncio.Event()
    for sig in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sig, ended.set)
    await ended.wait()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
