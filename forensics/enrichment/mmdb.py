"""Databases of addresses in the form MMDB: https://maxmind.github.io/MaxMind-DB/

The reader in pure Python is used: a damaged file cannot do more to it than raise. Coordinates are taken as `forensics.enrichment.place` writes them.
"""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import maxminddb

from forensics.enrichment.facts import (
    AS_NAME,
    ASN,
    CITY,
    EARTH_X,
    EARTH_Y,
    EARTH_Z,
    GEO_COUNTRY,
    RADIUS,
    Account,
    Addresses,
    Fact,
)
from forensics.enrichment.place import place_facts
from forensics.model.errors import UsageFault

_MARK = b"\xab\xcd\xefMaxMind.com"
_LAST = 128 * 1024
_FAULTS = (maxminddb.InvalidDatabaseError, ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)
_LONGEST = 200
_PLACE = (EARTH_X, EARTH_Y, EARTH_Z, RADIUS)


def is_mmdb(data: bytes) -> bool:
    """Whether bytes end as such a database does."""
    return _MARK in data[-_LAST:]


class Database:
    """An opened database. Raises UsageFault when it cannot be read."""

    def __init__(self, data: bytes) -> None:
        try:
            self._reader = maxminddb.open_database(io.BytesIO(data), maxminddb.MODE_FD)
            facts = self._reader.metadata()
            self._type, self._epoch = str(facts.database_type), int(facts.build_epoch)
            self._version = int(facts.ip_version)
        except _FAULTS:
            raise UsageFault("is an MMDB that cannot be read", hint="download it again") from None
        if self._version not in {4, 6}:
            raise UsageFault("is an MMDB of no known version of addresses")

    @property
    def dated(self) -> datetime | None:
        """When it says it was built."""
        try:
            moment = datetime.fromtimestamp(self._epoch, UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return moment.replace(tzinfo=None) if self._epoch > 0 else None

    def facts(self, addresses: Addresses, account: Account) -> tuple[Fact, ...]:
        """Return what it says of the addresses; those whose record cannot be read go into the account."""
        found: set[Fact] = set()
        for text in addresses.texts:
            if ":" in text and self._version == 4:
                account.fault(text, "is an IPv6 address, and the database holds none")
                continue
            try:
                record = self._reader.get(text)
            except _FAULTS:
                account.fault(text, "has a record that cannot be read")
                continue
            account.entries += record is not None
            found.update((text, fact, value) for fact, value in _said(record))
        return tuple(sorted(found))

    def covers(self, facts: tuple[Fact, ...]) -> tuple[str, ...]:
        """Return the facts it can give: by the name of its type, else those it gave."""
        name = self._type.lower()
        by_name = {
            "asn": (ASN, AS_NAME),
            "isp": (ASN, AS_NAME),
            "city": (CITY, GEO_COUNTRY, *_PLACE),
            "enterprise": (CITY, GEO_COUNTRY, *_PLACE),
            "country": (GEO_COUNTRY,),
        }
        stated = {fact for word, names in by_name.items() if word in name for fact in names}
        return tuple(sorted(stated | {fact for _, fact, _ in facts}))


def _said(record: Any) -> list[tuple[str, str]]:
    """Return (fact, value) pairs of a record, in the nested form of GeoIP2 or a flat one."""
    if not isinstance(record, dict):
        return []
    number = record.get("autonomous_system_number", record.get("asn"))
    place = record.get("city")
    names = place.get("names") if isinstance(place, dict) else None
    land = record.get("country")
    values = (
        (ASN, _asn(number)),
        (AS_NAME, _text(record.get("autonomous_system_organization", record.get("as_name")))),
        (CITY, _text(names.get("en") if isinstance(names, dict) else place)),
        (GEO_COUNTRY, _text(land.get("iso_code") if isinstance(land, dict) else record.get("country_code", land))),
    )
    return [(fact, value) for fact, value in values if value] + place_facts(record.get("location"))


def _asn(value: Any) -> str:
    match = re.fullmatch(r"(?:AS)?([0-9]{1,10})", str(value)) if isinstance(value, (int, str)) else None
    return f"AS{int(match[1])}" if match and 0 < int(match[1]) < 2**32 else ""


def _text(value: Any) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""
