"""What files can say of an address, and the addresses that they are asked about."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from forensics.model.address import read_address

COUNTRY, ASN, AS_NAME, GEO_COUNTRY, CITY = "country", "asn", "as_name", "geo_country", "city"
AWS_SERVICE, AWS_REGION, TOR, HOSTING = "aws_service", "aws_region", "tor", "hosting"
#: Where an address is said to be, in whole kilometres from the centre of the earth, and how far off that may be.
EARTH_X, EARTH_Y, EARTH_Z, RADIUS = "earth_x_km", "earth_y_km", "earth_z_km", "radius_km"

#: Each question about an address: the facts that answer it, and the file that is needed for it.
QUESTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "country": ((COUNTRY,), "delegated statistics of the address registries"),
    "asn": ((ASN, AS_NAME), "an MMDB of autonomous systems"),
    "city": ((CITY, GEO_COUNTRY), "an MMDB of cities"),
    "aws": ((AWS_SERVICE, AWS_REGION), "ip-ranges.json of AWS"),
    "tor": ((TOR,), "a list of Tor exits, taken in with --kind tor"),
    "hosting": ((HOSTING,), "a list of hosting networks, taken in with --kind hosting"),
}
#: Kinds of plain lists.
LIST_KINDS = (TOR, HOSTING)
#: Source ids of these files in the register of files, and what each is called.
REFERENCE_SOURCES: dict[str, str] = {
    "reference_registry": "delegated statistics of a registry",
    "reference_mmdb": "MMDB",
    "reference_aws_ranges": "address ranges of AWS",
    "reference_tor": "list of Tor exits",
    "reference_hosting": "list of hosting networks",
}


def list_kind(source_id: str) -> str:
    """Return what a plain list of this source id lists; empty for the other forms."""
    kind = source_id.removeprefix("reference_")
    return kind if kind in LIST_KINDS else ""


Fact = tuple[str, str, str]
"""(address, fact, value)"""
Span = tuple[str, str, tuple[tuple[str, str], ...]]
"""First and last address as 32 hex digits, and the (fact, value) pairs of all between."""


class Addresses:
    """Public addresses in the order of their keys. Others (private, names of services) are left out."""

    def __init__(self, texts: Iterable[str]) -> None:
        found = {a.key: a.text for a in map(read_address, texts) if a.kind == "public" and a.key and a.text}
        self._keys = sorted(found)
        self.texts = [found[key] for key in self._keys]

    def within(self, low: str, high: str) -> Iterator[str]:
        """Yield the addresses from `low` to `high`, both inclusive."""
        place = bisect_left(self._keys, low)
        while place < len(self._keys) and self._keys[place] <= high:
            yield self.texts[place]
            place += 1


@dataclass(slots=True)
class Account:
    """Entries of a file that were used, and how many could not be; the first of these in words."""

    entries: int = 0
    faults: int = 0
    first_fault: str = ""

    def fault(self, place: str, reason: str) -> None:
        """Count an entry that cannot be used."""
        self.faults += 1
        self.first_fault = self.first_fault or f"{place} {reason}"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a file says of the addresses asked about. `dated`: as the file states it, naive UTC, None when it does not.

    `covers`: the facts it could give, so that "not listed" can be told from "not asked".
    """

    source_id: str
    dated: datetime | None
    covers: tuple[str, ...]
    account: Account
    facts: tuple[Fact, ...] = field(default=())


def facts_within(spans: Iterable[Span], addresses: Addresses) -> tuple[Fact, ...]:
    """Return the facts of all addresses that lie in a span, sorted, each once."""
    found: set[Fact] = set()
    for low, high, pairs in spans:
        for text in addresses.within(low, high):
            found.update((text, fact, value) for fact, value in pairs)
    return tuple(sorted(found))
