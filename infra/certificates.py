"""`python -m infra.certificates < global-bundle.pem`: db/certificates/rds.pem anew, from what AWS publishes."""

from __future__ import annotations

import re
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

SOURCE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
FILE = Path(__file__).parents[1] / "db" / "certificates" / "rds.pem"
NAME = re.compile(r"Amazon RDS ([a-z]+(?:-[a-z]+)+-\d) Root CA (?:RSA2048|RSA4096|ECC384) G\d+")

HEAD = """\
# The certificate authorities of Amazon RDS and Aurora, one for each region and kind of key, without those that have run
# out. Made by `python -m infra.certificates` from {source}
"""


def kept(bundle: bytes, now: datetime) -> dict[str, x509.Certificate]:
    """The roots that sign databases' certificates now, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some that have run out have serial numbers below zero
        found = x509.load_pem_x509_certificates(bundle)
    named = {str(c.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value): c for c in found}
    return {name: c for name, c in sorted(named.items()) if NAME.fullmatch(name) and c.not_valid_after_utc > now}


def written(certificates: dict[str, x509.Certificate], source: str) -> str:
    """The file's text."""
    parts = [f"# {name}\n{c.public_bytes(Encoding.PEM).decode()}" for name, c in certificates.items()]
    return HEAD.format(source=source) + "".join(parts)


def regions(text: str) -> set[str]:
    """The regions whose databases the file's text vouches for."""
    return {found[1] for line in text.splitlines() if (found := NAME.fullmatch(line.removeprefix("# ")))}


def main() -> None:
    """Standard input to the file; says which regions came and went."""
    certificates = kept(sys.stdin.buffer.read(), datetime.now(UTC))
    if not certificates:
        raise SystemExit("penny: this is not the bundle of RDS's certificate authorities.")
    before = regions(FILE.read_text()) if FILE.exists() else set()
    FILE.write_text(written(certificates, sys.argv[1] if sys.argv[1:] else f"{SOURCE}."))
    after = regions(FILE.read_text())
    come, gone = (", ".join(sorted(some)) or "none" for some in (after - before, before - after))
    print(f"penny: {len(after)} regions; come: {come}; gone: {gone}")  # noqa: T201


if __name__ == "__main__":
    main()
