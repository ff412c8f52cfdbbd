"""IP addresses as they stand in logs: canonical text, sortable key, class."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_DOTTED = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(n)
    for n in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "::1/128",
        "fe80::/10",
    )
)


@dataclass(frozen=True, slots=True)
class Address:
    """`text` canonical or None, `key` 32 hex digits (IPv4 mapped into IPv6) or None, `kind` public, private, aws_service, other."""

    text: str | None
    key: str | None
    kind: str


def key_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return 32 hex digits; IPv4 as ::ffff:a.b.c.d, so that one order holds for both."""
    number = int(address) if address.version == 6 else (0xFFFF << 32) | int(address)
    return f"{number:032x}"


#: First and last key of each: comparing keys is many times faster than asking a network whether it holds an address.
_PRIVATE = tuple((key_of(net[0]), key_of(net[-1])) for net in _PRIVATE_NETWORKS)


def read_address(raw: str | None) -> Address:
    """Read a source address. Leading zeros in IPv4 are decimal; service names and `AWS Internal` are no addresses."""
    text = (raw or "").strip()
    if _DOTTED.fullmatch(text):
        text = ".".join(str(int(part)) for part in text.split("."))
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        service = text.endswith((".amazonaws.com", ".amazonaws.com.cn")) or text.startswith("AWS Internal")
        return Address(None, None, "aws_service" if service else "other")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    key = key_of(address)
    private = any(low <= key <= high for low, high in _PRIVATE)
    return Address(str(address), key, "private" if private else "public")


def network_bounds(text: str) -> tuple[str, str]:
    """Return first and last key of a network in CIDR form, or of a single address.

    Raises ValueError for anything else.
    """
    network = ipaddress.ip_network(text.strip(), strict=False)
    return key_of(network.network_address), key_of(network.broadcast_address)
