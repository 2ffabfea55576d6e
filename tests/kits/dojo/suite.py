"""AgentDojo's banking suite v1.2.2: its bank, its 16 user tasks, its 9 attacks and its own judges of both.

The wheel is installed without its dependencies (locks/agentdojo.txt): they are clients of model vendors, and do not
resolve beside LangGraph's. Only the modules of the suite are imported here; the packages around them, which would
import the clients, are left empty.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_VERSIONS = (
    ("v1", "banking.user_tasks"),
    ("v1", "banking.injection_tasks"),
    ("v1_1_1", "banking.user_tasks"),
    ("v1_2", "banking.injection_tasks"),
    ("v1_2_2", "banking.user_tasks"),
)


@dataclass(frozen=True)
class Suite:
    """The suite as AgentDojo gives it; `inner` is its own TaskSuite."""

    inner: Any

    @property
    def user_tasks(self) -> dict[str, Any]:
        return dict(self.inner.user_tasks)

    @property
    def attacks(self) -> dict[str, Any]:
        return dict(self.inner.injection_tasks)

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Each user task with each attack."""
        for task in self.user_tasks.values():
            for attack in self.attacks.values():
                yield task, attack

    def bank(self, task: Any, poison: str = "") -> Any:
        """The bank in which the task is set, `poison` standing wherever an attacker can write."""
        texts = {name: f"{text}{poison}" for name, text in self.inner.get_injection_vector_defaults().items()}
        return task.init_environment(self.inner.load_and_inject_default_environment(texts))

    def play(self, bank: Any, calls: list[Any]) -> None:
        """Makes the calls in AgentDojo's own bank, where nothing stands between the model and the money."""
        runtime = importlib.import_module("agentdojo.functions_runtime").FunctionsRuntime(self.inner.tools)
        for call in calls:
            runtime.run_function(bank, call.function, call.args, raise_on_error=False)


@cache
def suite() -> Suite:
    """Version 1.2.2 of the suite. Raises ModuleNotFoundError where `make test` has not installed it."""
    found = importlib.util.find_spec("agentdojo")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("agentdojo is missing: pip install --no-deps -r locks/agentdojo.txt, or make test")
    root = Path(found.origin).parent
    versions = {f"default_suites.{version}" for version, _ in _VERSIONS}
    for name in ("agent_pipeline", "agent_pipeline.ground_truth_pipeline", "task_suite", *sorted(versions)):
        hollow = types.ModuleType(f"agentdojo.{name}")
        hollow.__path__ = [str(root.joinpath(*name.split(".")))]
        sys.modules[hollow.__name__] = hollow
    sys.modules["agentdojo.agent_pipeline.ground_truth_pipeline"].GroundTruthPipeline = object  # type: ignore[attr-defined]
    for version, module in _VERSIONS:
        importlib.import_module(f"agentdojo.default_suites.{version}.{module}")
    banking = importlib.import_module("agentdojo.default_suites.v1.banking.task_suite").task_suite
    return Suite(banking.get_new_version((1, 2, 2)))


def achieved(attack: Any, before: Any, after: Any) -> bool:
    """Whether the attacker has got what they wanted, as AgentDojo judges it."""
    return bool(attack.security(attack.GROUND_TRUTH_OUTPUT or "", before, after))


def done(task: Any, before: Any, after: Any) -> bool:
    """Whether the user has got what they asked for, as AgentDojo judges it."""
    return bool(task.utility(task.GROUND_TRUTH_OUTPUT or "", before, after))
