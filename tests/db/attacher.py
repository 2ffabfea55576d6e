"""A process of its own that attaches to the embedded database: python attacher.py HOME [UID]; ends with its stdin.

Prints one JSON line when it is attached, or with what stood in its way. With UID it becomes that user first,
all modules loaded, because an ordinary user may not be able to read root's Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
import asyncpg

from db.embedded import embedded
from db.placement import wheel_version
from domain.errors import SetupError


def say(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


async def main(home: Path) -> None:
    try:
        async with embedded(home, durable=False) as server:
            connection = await asyncpg.connect(server.admin_url)
            # Two CREATE TABLE IF NOT EXISTS at once can collide in the catalogue, so the visitors take turns.
            await connection.execute(
                "BEGIN; SELECT pg_advisory_xact_lock(1); "
                "CREATE TABLE IF NOT EXISTS visit (pid int); INSERT INTO visit VALUES (1)"
            )
            visits = await connection.fetchval("SELECT count(*) FROM visit")
            await connection.execute("COMMIT")
            await connection.close()
            say(port=server.port, server=server.pid, visits=visits, uid=os.geteuid())
            await asyncio.to_thread(sys.stdin.read)
    except SetupError as error:
        say(error=error.message)


async def load_lazily_imported_modules() -> None:
    """What the first connection and the first thread import, imported while root's files can still be read."""
    import asyncio.staggered
    import encodings.idna
    import getpass
    import stringprep

    await asyncio.to_thread(lambda: (asyncio.staggered, encodings.idna, getpass, stringprep))
    wheel_version()
    with contextlib.suppress(OSError):
        await asyncpg.connect("postgresql://nobody:x@127.0.0.1:1/x")


if len(sys.argv) > 2:
    asyncio.run(load_lazily_imported_modules())
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
asyncio.run(main(Path(sys.argv[1])))
