"""Small hand-made files about addresses, and a writer of tiny MMDB databases."""

from __future__ import annotations

import ipaddress
import json
import struct
from typing import Any

REGISTRY = """# a remark
2|apnic|20260430|5|19830705|20260430|+1000
apnic|*|ipv4|*|3|summary
apnic|JP|asn|64496|1|20020801|allocated
apnic|JP|ipv4|203.0.113.0|24|20110811|allocated
apnic|AU|ipv4|203.0.113.24|232|20110811|assigned
apnic||ipv4|198.51.100.0|256||reserved
apnic|NZ|ipv6|2001:db8::|33|20110811|allocated|A91
apnic|NZ|ipv4|not-an-address|256|20110811|allocated
"""
RANGES = json.dumps(
    {
        "syncToken": "1777593600",
        "createDate": "2026-05-01-00-00-07",
        "prefixes": [
            {"ip_prefix": "203.0.113.0/24", "region": "eu-west-1", "service": "AMAZON", "network_border_group": "x"},
            {"ip_prefix": "203.0.113.8/29", "region": "eu-west-1", "service": "EC2", "network_border_group": "x"},
            {"ip_prefix": "203.0.113.8/29", "region": ["eu"], "service": "EC2"},
        ],
        "ipv6_prefixes": [{"ipv6_prefix": "2001:db8::/48", "region": "us-east-1", "service": "S3"}],
    }
)
TOR = "# exits, updated: 2026-05-02\n203.0.113.9 ; an exit\nnonsense\n"
HOSTING = "198.51.100.0/24\n203.0.113.10-203.0.113.20\n0.0.0.0/0\n2001:db8::/32\n"


def _sized(kind: int, size: int) -> bytes:
    """Control bytes of the format: kinds above 7 stand in a second byte, sizes from 29 in one more."""
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return (bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])) + more


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        return _sized(2, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return _sized(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        data = value.to_bytes(4, "big")
        return _sized(6, 4) + data
    if isinstance(value, list):
        return _sized(11, len(value)) + b"".join(map(_encoded, value))
    return _sized(7, len(value)) + b"".join(_encoded(k) + _encoded(v) for k, v in value.items())


def mmdb(kind: str, networks: dict[str, Any], epoch: int = 1_777_593_600) -> bytes:
    """A database of IPv4 networks, as https://maxmind.github.io/MaxMind-DB/ describes it, with records of 24 bits."""
    nodes: list[list[Any]] = [[None, None]]
    data = b""
    for network, record in networks.items():
        net = ipaddress.IPv4Network(network)
        bits = f"{int(net.network_address):032b}"[: net.prefixlen]
        here = 0
        for bit in bits[:-1]:
            if nodes[here][int(bit)] is None:
                nodes.append([None, None])
                nodes[here][int(bit)] = len(nodes) - 1
            here = nodes[here][int(bit)]
        nodes[here][int(bits[-1])] = ("data", len(data))
        data += _encoded(record)
    count = len(nodes)

    def number(cell: Any) -> int:
        return count if cell is None else cell if isinstance(cell, int) else count + 16 + cell[1]

    tree = b"".join(number(cell).to_bytes(3, "big") for node in nodes for cell in node)
    facts = {
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": epoch, "database_type": kind,
        "description": {"en": "made by hand"}, "ip_version": 4, "languages": ["en"], "node_count": count, "record_size": 24,
    }  # fmt: skip
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + _encoded(facts)


ASN = mmdb(
    "Made-ASN", {"203.0.113.0/24": {"autonomous_system_number": 64_500, "autonomous_system_organization": "Heron"}}
)
CITY = mmdb(
    "Made-City",
    {
        "203.0.113.0/25": {"city": {"names": {"en": "Wren\nTown"}}, "country": {"iso_code": "JP"}},
        "198.51.100.0/24": "odd",
    },
)
