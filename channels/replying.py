"""A reply as a chat sees it grow: the events of its run, folded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from channels.texts import Texts
from memory.frames import Frame


def so_far(text: str, doing: str) -> str:
    """What may be shown of a reply before it is whole."""
    return "\n\n".join(filter(None, [text, f"_{doing} …_" if doing else ""]))


@dataclass
class Growing:
    """What the events up to now say, in the language of `say`."""

    say: Texts

    text: str = ""
    doing: str = ""
    """What Penny is looking at, in words, while a tool runs."""
    charts: list[dict[str, Any]] = field(default_factory=list)
    proposals: list[str] = field(default_factory=list)
    over: bool = False

    def add(self, frame: Frame) -> None:
        """Takes the next event."""
        data = orjson.loads(frame.data)
        match frame.type:
            case "text.delta":
                self.text += data["text"]
                self.doing = ""
            case "text.retracted":
                self.text = self.text[: data["keep"]]
            case "tool.started":
                self.doing = self.say.progress(data["name"], data["label"])
            case "chart":
                self.charts.append(data)
            case "proposal":
                self.proposals.append(data["id"])
            case "run.finished":
                self.text, self.over = data["text"], True
            case "run.failed":
                self.text, self.over = f"{self.text}\n\n{data['message']}".strip(), True
            case "run.cancelled":
                self.text, self.over = f"{self.text}\n\n{self.say.say('chat.stopped')}".strip(), True
