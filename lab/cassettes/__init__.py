"""Cassettes: what a model on Bedrock was asked and what it answered, kept in files, and played back on the wire.

`async with recording(file, header, upstream=...) as recorder` is a proxy in front of Bedrock (or of the emulator) that
writes each whole answer to a cassette; `async with replaying(folder) as replay` is the emulator, which answers only
what the folder's cassettes know. Both have a `url` for AWS_ENDPOINT_URL_BEDROCK_RUNTIME. A request that no cassette
knows is refused, and `replay.misses` says for each in what it differs from the nearest known one.

A cassette never holds headers, so no signature or token; account ids are zeroed. With `Header.salt` the words of people
are replaced (lab.cassettes.mask). Its header says who made the answers and what they depended on: only that is matched.

    python -m lab.cassettes record FILE [--upstream URL] [--port N] [--keep-words]
    python -m lab.cassettes replay FOLDER [--port N]
    python -m lab.cassettes show FOLDER
"""

from lab.cassettes.asked import PARTS
from lab.cassettes.recorder import Recorder, recording
from lab.cassettes.replay import Replay, replaying
from lab.cassettes.tape import Cassette, CassetteError, Exchange, Header, read, read_all

__all__ = [
    "PARTS",
    "Cassette",
    "CassetteError",
    "Exchange",
    "Header",
    "Recorder",
    "Replay",
    "read",
    "read_all",
    "recording",
    "replaying",
]
