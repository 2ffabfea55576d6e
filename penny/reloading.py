"""Penny's own Python files that were saved while it runs, and importing all of them anew.

One module alone cannot be reloaded rightly: the others keep what they imported from it. All of Penny's modules go
together instead, which works because none of them builds anything at import. What is installed beside Penny stays.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

from domain.errors import SetupError

ROOT: Final = Path(__file__).resolve().parents[1]


class Code:
    """The files that Penny's modules were imported from, as they were then. Raises SetupError from `anew`."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._known: dict[Path, int] = {}
        self.saved()

    def saved(self) -> list[Path]:
        """Which files were saved or imported since this was asked last, by path."""
        now = {file: _stamp(file) for file in self._modules().values()}
        changed = sorted(file for file, stamp in now.items() if self._known.get(file, stamp) != stamp)
        self._known |= now
        return changed

    def anew(self, name: str) -> ModuleType:
        """The module, imported anew with all of Penny's that it needs. When one cannot be imported, all stay as they
        were."""
        before = {module: sys.modules.pop(module) for module in self._modules()}
        importlib.invalidate_caches()
        try:
            return importlib.import_module(name)
        except Exception as error:
            for module in self._modules():
                del sys.modules[module]
            sys.modules.update(before)
            raise SetupError(f"{_where(error, self._root)}{type(error).__name__}: {error}") from None

    def _modules(self) -> Mapping[str, Path]:
        files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
        inside = {name: Path(file) for name, file in files.items() if file and name != "__main__"}
        return {name: file for name, file in inside.items() if file.is_relative_to(self._root) and _is_own(name, file)}


def _is_own(name: str, file: Path) -> bool:
    """Not what is installed in an environment below the checkout."""
    return "site-packages" not in file.parts and not name.startswith("tests")


def _stamp(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _where(error: Exception, root: Path) -> str:
    """The last place in Penny's code that the error came from."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: "
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(root) and file != Path(__file__) and "site-packages" not in file.parts:
            place = f"{file.relative_to(root)}, line {trace.tb_lineno}: "
        trace = trace.tb_next
    return place
