"""The CDK's command line, for one deployment. `python -m infra.cdk synth FILE` makes the templates."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.deployment import DeploymentError, load

HERE = Path(__file__).parent
ROOT = HERE.parent
CLI = HERE / "node_modules" / "aws-cdk" / "bin" / "cdk"
OUT = HERE / "cdk.out"


def command(verb: str, deployment: Path, *, tag: str | None = None, arguments: Sequence[str] = ()) -> list[str]:
    """The command line of `verb` for the deployment's file."""
    context = ["-c", f"deployment={deployment.absolute()}", *(["-c", f"tag={tag}"] if tag else [])]
    app = ["--app", f"{shlex.quote(sys.executable)} -m infra.app", "--output", str(OUT), "--no-notices"]
    return ["node", str(CLI), verb, *app, *context, *arguments]


def run(verb: str, deployment: Path, *, tag: str | None = None, arguments: Sequence[str] = ()) -> int:
    """Runs it at the root of the checkout; its exit code."""
    return subprocess.run(command(verb, deployment, tag=tag, arguments=arguments), cwd=ROOT, check=False).returncode


def main() -> None:
    """`synth FILE`."""
    path = Path(sys.argv[2])
    try:
        deployment = load(path)
    except DeploymentError as error:
        raise SystemExit(f"penny: {error}") from None
    code = run("synth", path, arguments=["--quiet"])
    if code:
        raise SystemExit(code)
    print(f"penny: the templates of {deployment.prefix} ({deployment.size.name}) are in {OUT.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
