"""The keys that tokens are signed with: the one of this installation's `dev` mode, and a shared one from a file."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from domain.errors import SetupError


def dev_key(home: Path) -> bytes:
    """The key in `home`, made at first use, readable by its owner alone."""
    path = home / "dev.key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            made = path.with_name(f"dev.key.{os.getpid()}")
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_hex(32).encode())
            try:
                os.link(made, path)  # fails when another process was first; theirs counts
            except FileExistsError:
                pass
            finally:
                made.unlink()
        return path.read_bytes().strip()
    except OSError as error:
        raise SetupError(f"The key file {path} cannot be used ({error.strerror}); set PENNY_HOME elsewhere.") from None


def shared_key(path: Path) -> bytes:
    """The key in the file that PENNY_AUTH=hs256:<file> names. Raises SetupError."""
    try:
        return path.expanduser().read_bytes().strip()
    except OSError as error:
        raise SetupError(f"The key file {path} of PENNY_AUTH cannot be read ({error.strerror}).") from None
