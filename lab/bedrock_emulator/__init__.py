"""A Bedrock runtime over real HTTP that answers by script: converse, converse-stream, true frames, faults on demand.

In a test: `async with BedrockEmulator(Script((Turn("Hello."),))) as emulator: ... emulator.url, emulator.state`. A
function from the request's JSON (with `modelId`) to a Turn, instead of a Script, lets the content decide. As a program:
`python -m lab.bedrock_emulator --port 9100 --script FILE.json`; counters at GET /emulator/state.

A script file is JSON; only `turns` is required, and in a turn nothing is:

    {"then": "refuse",                      after the last turn: "refuse", "repeat_last" or "cycle"
     "turns": [
       {"thinking": "They ask for...",      signed, before everything else; "redacted": the same, encrypted
        "text": "Let me see.",              cut into words; a list of strings is taken as the tokens themselves
        "tools": [{"name": "get_spending", "input": {"by": "category"}, "id": "tooluse_1"}],    no id: a fresh one
        "stop_reason": "tool_use",          inferred when absent
        "usage": {"input": 900, "output": 30, "cache_read": 0, "cache_write": 0},     tokens; absent: as accounted
        "trace": {"action": "..."},         the guardrail's, with stop_reason "guardrail_intervened"
        "first_delay": 0.3,                 seconds before the response's head
        "token_delay": 0.02,                seconds before each token or fragment of a tool's input
        "refusal": {"type": "ThrottlingException", "times": 2, "message": "Too many requests"},  then the turn plays
        "fault": {"kind": "exception", "at": 3, "type": "modelStreamErrorException", "message": "..."}}]}

Faults count frames: `at` 0 is before messageStart, 1 after it, and so on. Kinds: `exception` (type: one of
throttlingException, modelStreamErrorException, internalServerException, serviceUnavailableException,
validationException), `reset` (TCP RST), `truncate` (ends without messageStop), `stall` (for `seconds`, or until the
client leaves), `corrupt` (a wrong checksum), `hang` (nothing at all, no `at`).

Each model takes what the real one takes (agent/capabilities.toml): tools, system prompts, history, streams, cache
points, thinking that comes back unchanged. Prompt caching is accounted by prefix, with each model's least length, for
five minutes or an hour.
"""

from lab.bedrock_emulator.cache import lifetimes, points
from lab.bedrock_emulator.script import (
    Corrupt,
    Hang,
    Refusal,
    Reset,
    Script,
    Stall,
    StreamException,
    TokenCounts,
    ToolUse,
    Truncate,
    Turn,
)
from lab.bedrock_emulator.server import BedrockEmulator
from lab.bedrock_emulator.state import State

__all__ = [
    "BedrockEmulator",
    "Corrupt",
    "Hang",
    "Refusal",
    "Reset",
    "Script",
    "Stall",
    "State",
    "StreamException",
    "TokenCounts",
    "ToolUse",
    "Truncate",
    "Turn",
    "lifetimes",
    "points",
]
