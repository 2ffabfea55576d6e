"""How the commands speak: a line each, problems on standard error with what mends them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from infra.deployment import Deployment, DeploymentError, load
from infra.preflight import Problem


def say(text: str) -> None:
    """What is being done."""
    print(f"penny: {text}", flush=True)  # noqa: T201


def loaded(arguments: Sequence[str]) -> tuple[Path, Deployment]:
    """The deployment whose file is the first argument. Ends the program when it cannot be used."""
    path = Path(arguments[0]) if arguments else Path("infra/deployments/example.toml")
    try:
        return path, load(path)
    except DeploymentError as error:
        raise SystemExit(f"penny: {error}") from None


def refuse(problems: Sequence[Problem]) -> None:
    """Ends the program with the problems, if there are any."""
    if not problems:
        return
    for problem in problems:
        print(f"penny: {problem.what}\n       {problem.mend}", file=sys.stderr)  # noqa: T201
    count = len(problems)
    raise SystemExit(
        f"penny: {'one thing stands' if count == 1 else f'{count} things stand'} in the way; nothing was done."
    )
