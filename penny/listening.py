"""Where the service listens: settled before anything heavy is imported, so that what is wrong is said at once."""

from __future__ import annotations

import errno
import ipaddress
import socket

from domain.errors import SetupError
from penny.settings import Settings


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises SetupError when the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"Port {port} on {host} is taken by another program; stop it or use --port with another number."
            ) from None
        raise SetupError(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
    return listener


def check_exposure(settings: Settings, host: str) -> None:
    """Raises SetupError when `dev` authentication would be reachable from other machines."""
    if settings.auth == "dev" and not _loopback(host):
        raise SetupError(
            f"PENNY_AUTH=dev gives a token to whoever asks, so it listens on loopback only, not on {host}; "
            "set PENNY_AUTH=jwks:<url> or hs256:<file>, or use --host 127.0.0.1."
        )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
