"""Statistics of delegated addresses as the regional registries exchange them.

Format: https://www.apnic.net/about-apnic/corporate-documents/documents/resource-guidelines/rir-statistics-exchange-format/
The country is the one an address block was registered for, which need not be where it is used.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime

from forensics.enrichment.facts import COUNTRY, Account, Span

_TYPES = frozenset({"asn", "ipv4", "ipv6"})
_IN_USE, _FREE = frozenset({"allocated", "assigned"}), frozenset({"available", "reserved"})
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"[0-9]{1,10}")
_LAST_V4 = 2**32 - 1
#: IPv4 inside IPv6, as in the keys of `forensics.model.address`.
_MAPPED = 0xFFFF << 32


class _NoRecordError(ValueError):
    """A line that cannot be used; the message says why."""


def is_registry(text: str) -> bool:
    """Whether the first line that is no remark is a header or a record of such a file."""
    for line in text[:65_536].splitlines():
        if line.strip() and not line.startswith("#"):
            parts = line.split("|")
            return len(parts) >= 6 and (parts[2] in _TYPES or _is_header(parts))
    return False


def _is_header(parts: list[str]) -> bool:
    return re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", parts[0]) is not None


def registry_date(text: str) -> datetime | None:
    """Return the day up to which the file goes: the end date of its header, else a serial number that is a day."""
    for line in text[:65_536].splitlines():
        parts = line.split("|")
        if len(parts) >= 6 and not line.startswith("#") and _is_header(parts):
            return _day(parts[5]) or _day(parts[2])
    return None


def _day(text: str) -> datetime | None:
    if not re.fullmatch(r"[12][0-9]{7}", text):
        return None
    try:
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]))  # noqa: DTZ001 - naive UTC, as all times of the store
    except ValueError:
        return None


def registry_spans(text: str, account: Account) -> Iterator[Span]:
    """Yield the blocks that are in use, with their country. Lines that cannot be used go into the account."""
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.strip().split("|")
        if not parts[0] or line.startswith("#") or _is_header(parts) or parts[-1] == "summary":
            continue
        if len(parts) < 7 or parts[2] not in _TYPES:
            account.fault(f"line {number}", "is no record of the format")
            continue
        try:
            span = _span(parts)
        except _NoRecordError as reason:
            account.fault(f"line {number}", str(reason))
            continue
        account.entries += 1
        if span is not None:
            yield span


def _span(parts: list[str]) -> Span | None:
    """Return the block of a record; None for numbers of systems and for blocks that nobody holds."""
    country, kind, start, size, status = parts[1].upper(), parts[2], parts[3], parts[4], parts[6]
    if status not in _IN_USE | _FREE:
        raise _NoRecordError("has an unknown status")
    if kind == "asn" or status in _FREE:
        return None
    if not _COUNTRY.fullmatch(country) or country == "ZZ":
        raise _NoRecordError("names no country")
    if not _NUMBER.fullmatch(size):
        raise _NoRecordError("has no size")
    return (*_bounds(kind, start, int(size)), ((COUNTRY, country),))


def _bounds(kind: str, start: str, size: int) -> tuple[str, str]:
    """Return first and last key by arithmetic: files hold half a million blocks, and objects of networks are slow."""
    try:
        first = int(ipaddress.IPv4Address(start) if kind == "ipv4" else ipaddress.IPv6Address(start))
    except ValueError:
        raise _NoRecordError("has no address") from None
    if kind == "ipv4":
        last = first + size - 1
        if not first <= last <= _LAST_V4:
            raise _NoRecordError("reaches over the end of the addresses")
        return f"{_MAPPED | first:032x}", f"{_MAPPED | last:032x}"
    if size > 128:
        raise _NoRecordError("has no address")
    rest = (1 << (128 - size)) - 1
    return f"{first & ~rest:032x}", f"{first | rest:032x}"
