"""The certificate authorities of the database, as they are shipped and made anew."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from infra.certificates import FILE, kept, regions, written
from infra.tests.conftest import ROOT


def test_what_is_shipped_is_what_the_program_makes_of_it() -> None:
    """Making the file from itself changes nothing but the line that says where it is from."""
    text = FILE.read_text()
    made = written(kept(text.encode(), datetime(2026, 11, 26, tzinfo=UTC)), "itself")
    assert made.partition("# Amazon RDS")[2] == text.partition("# Amazon RDS")[2]
    assert {"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"} <= regions(text)


def test_each_region_has_every_kind_of_key() -> None:
    """RDS signs by RSA of two lengths or by ECC, as a database is set up."""
    text = FILE.read_text()
    for kind in ("RSA2048", "RSA4096", "ECC384"):
        assert text.count(f" Root CA {kind} ") == len(regions(text))


def test_what_has_run_out_is_left_out() -> None:
    """In a hundred years none of the shorter ones is good any more."""
    later = kept(FILE.read_bytes(), datetime(2100, 1, 1, tzinfo=UTC))
    assert later
    assert not any("RSA2048" in name for name in later)


def test_something_else_is_refused_and_nothing_is_written() -> None:
    """Amazon's other authorities are not those of databases."""
    before, other = FILE.read_text(), (FILE.parent / "rds-proxy.pem").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "infra.certificates"], cwd=ROOT, input=other, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"not the bundle" in done.stderr
    assert FILE.read_text() == before
