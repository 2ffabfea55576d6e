"""Where a request comes from, also behind proxies: their header counts only when they are trusted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import Scope

from domain.errors import SetupError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The proxies whose X-Forwarded-For is believed, as addresses or networks. Raises SetupError for what is none."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        try:
            self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(one, strict=False) for one in trusted)
        except ValueError as error:
            raise SetupError(
                f"PENNY_TRUSTED_PROXIES: {error}; give addresses or networks such as 10.0.0.0/8."
            ) from None

    def client(self, scope: Scope) -> str:
        """The client's address: the connection's, or, when that is a trusted proxy's, the last one in the header that
        no trusted proxy has. Of IPv6 the network (/64) counts, for one client has many addresses in it."""
        peer = (scope.get("client") or ("", 0))[0]
        if self._networks and self._trusted(peer):
            forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
            for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
                if _address(hop) is None:
                    break
                peer = hop
                if not self._trusted(hop):
                    break
        return _subject(peer)

    def _trusted(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and any(address in network for network in self._networks)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _subject(peer: str) -> str:
    address = _address(peer)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or peer)
