"""What each library costs the start of the service: CPU and memory of importing it alone, by top-level package.

`python -m bench.imports`. Each module's own part is counted, without what it imports in turn: classes made while it
runs are its own, also where pydantic makes them. Memory is what the process grew by.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import psutil

OWN = {"penny", "api", "channels", "agent", "tools", "memory", "prompts", "ledger", "db", "domain", "lab"}
SHOWN = 25


class Costs:
    """CPU seconds, bytes and modules by package, of the imports that are under way inside one another."""

    def __init__(self) -> None:
        self.of: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        self._inner: list[list[float]] = []
        self._process = psutil.Process()

    def now(self) -> list[float]:
        return [time.process_time(), float(self._process.memory_info().rss)]

    def measured(self, name: str, do: Callable[..., Any], *args: Any) -> Any:
        """Does it; what was measured inside of it is not its own."""
        began = self.now()
        self._inner.append([0.0, 0.0])
        try:
            return do(*args)
        finally:
            whole = [after - before for after, before in zip(self.now(), began, strict=True)]
            inner = self._inner.pop()
            if self._inner:
                self._inner[-1] = [a + b for a, b in zip(self._inner[-1], whole, strict=True)]
            cost = self.of[group(name)]
            cost[0] += whole[0] - inner[0]
            cost[1] += whole[1] - inner[1]
            cost[2] += do.__name__ == "exec_module"


def group(module: str) -> str:
    """Under which name a module's cost is shown."""
    top = module.partition(".")[0]
    return "Penny itself" if top in OWN else "Python's own" if top in sys.stdlib_module_names else top


class _Loader(importlib.abc.Loader):
    def __init__(self, inner: Any, costs: Costs) -> None:
        self._inner, self._costs = inner, costs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._costs.measured(spec.name, self._inner.create_module, spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._costs.measured(module.__name__, self._inner.exec_module, module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, costs: Costs) -> None:
        self._costs = costs

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._costs)
        return spec


def main() -> None:
    """Imports the service as `penny serve` does, with Bedrock, and prints the table."""
    costs = Costs()
    began = costs.now()
    sys.meta_path.insert(0, _Finder(costs))
    import penny.cli
    from penny.loading import loading

    with loading():
        import agent.bedrock  # noqa: F401
        import penny.server  # noqa: F401
    cpu, grown = (after - before for after, before in zip(costs.now(), began, strict=True))
    print(f"{'':24}{'ms':>8}{'MB':>8}{'modules':>9}")
    print(f"{'all':24}{cpu * 1000:8.0f}{grown / 1e6:8.1f}{sum(c[2] for c in costs.of.values()):9.0f}")
    for name, (seconds, size, modules) in sorted(costs.of.items(), key=lambda one: -one[1][1])[:SHOWN]:
        print(f"{name:24}{seconds * 1000:8.0f}{size / 1e6:8.1f}{modules:9.0f}")


if __name__ == "__main__":
    main()
