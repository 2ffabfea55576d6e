"""At the end of a run of the tests: what was logged in it holds no secret and nobody's words, or the run has failed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator

import pytest
from log_scan import LogScan

LOGS = pytest.StashKey[LogScan]()
OUTCOME = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LOGS] = LogScan()
    os.environ["TESTS_LOGS"] = str(config.stash[LOGS].directory)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test's own process logged is what pytest captured."""
    report = yield
    for part, text in report.sections:
        if part.startswith(("Captured std", "Captured log")):
            item.config.stash[LOGS].feed(item.nodeid, text)
    return report


@pytest.fixture(scope="session")
def log_scan(request: pytest.FixtureRequest) -> LogScan:
    """What looks through the logs at the end."""
    return request.config.stash[LOGS]


def pytest_sessionfinish(session: pytest.Session) -> None:
    scan = session.config.stash[LOGS]
    scan.feed_programs()
    found = list(scan.found())
    session.config.stash[OUTCOME] = [
        f"logs: {scan.lines} lines held against {len(scan.said)} texts and every form of secret: {len(found)} found",
        *(f"LOGGED, and must not be: {each}" for each in found[:50]),
    ]
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    shutil.rmtree(scan.directory, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(OUTCOME, []):
        terminalreporter.write_line(line)
