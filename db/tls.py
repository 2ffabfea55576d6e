"""Whose certificates a database has to have: those of an authority that is named, for the host that is asked for."""

from __future__ import annotations

import ssl
from importlib.resources import as_file, files
from pathlib import Path

from domain.errors import SetupError

SHIPPED = {"rds": "rds.pem", "rds-proxy": "rds-proxy.pem"}
"""What Amazon's databases have, and what its proxies have: two authorities; the files say where they are from."""


def trusting(authority: str) -> ssl.SSLContext:
    """TLS that trusts the authorities in a file of PEM, or those that are shipped under this name, and no others. The
    host's name is checked. Raises SetupError."""
    # Not ssl.create_default_context: from Python 3.13 on it is stricter than the certificates that RDS has made.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if shipped := SHIPPED.get(authority):
            with as_file(files("db").joinpath("certificates", shipped)) as path:
                context.load_verify_locations(path)
        else:
            context.load_verify_locations(Path(authority).expanduser())
    except FileNotFoundError:
        raise SetupError(
            f"PENNY_DATABASE_CA={authority}: there is no such file; name one of PEM, or {' or '.join(SHIPPED)}."
        ) from None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = getattr(error, "reason", None) or type(error).__name__
        raise SetupError(
            f"PENNY_DATABASE_CA={authority} has no certificates in PEM that can be read ({why})."
        ) from None
    return context
