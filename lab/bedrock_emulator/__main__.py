"""`python -m lab.bedrock_emulator --port 9100 [--script FILE.json]`: the emulator as a program."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from lab.bedrock_emulator.conversation import conversation
from lab.bedrock_emulator.script import load
from lab.bedrock_emulator.server import BedrockEmulator


def main() -> int:
    """Serves until interrupted. Exit code 2: the script or the port cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m lab.bedrock_emulator", description="A Bedrock runtime to talk to.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--script", type=Path, help="JSON script (see lab/bedrock_emulator); else a small conversation")
    parser.add_argument("--delay", type=float, default=0.02, help="seconds between words, without a script")
    options = parser.parse_args()
    try:
        script = load(options.script) if options.script else conversation(options.delay)
        asyncio.run(_serve(BedrockEmulator(script, port=options.port)))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _serve(emulator: BedrockEmulator) -> None:
    async with emulator:
        sys.stdout.write(
            f"Bedrock emulator at {emulator.url} (counters: {emulator.url}/emulator/state)\n"
            f"  AWS_ENDPOINT_URL_BEDROCK_RUNTIME={emulator.url} AWS_REGION=us-east-1 "
            "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \\\n"
            "  PENNY_MODEL=bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0 penny serve\n"
        )
        sys.stdout.flush()
        ended = asyncio.Event()
        for sig in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us in the background, deaf to SIGINT
            asyncio.get_running_loop().add_signal_handler(sig, ended.set)
        await ended.wait()


if __name__ == "__main__":
    sys.exit(main())
