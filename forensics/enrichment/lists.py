"""Plain lists of addresses, networks and ranges, one a line; `#` and `;` begin remarks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime

from forensics.enrichment.facts import Account, Span
from forensics.model.address import key_of
from forensics.model.times import parse_time

_REMARK = re.compile(r"\s*[#;].*$")
_DATED = re.compile(
    r"^\s*[#;].*\b(?:date|dated|updated|generated|created|modified|as of)\b\W{0,4}"
    r"(\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|\+00:00| UTC)?)?)(?=$|[\s.,;)])",
    re.I,
)
_HEAD_LINES = 50
#: A list that names a whole eighth of the address space names nobody.
_WIDEST = {4: 8, 6: 16}


def list_date(text: str) -> datetime | None:
    """Return the date that a remark at the head of a list states, as in `# updated: 2026-05-01`."""
    for line in text[:65_536].splitlines()[:_HEAD_LINES]:
        found = _DATED.match(line)
        if found:
            stated = found[1].removesuffix(" UTC").replace(" ", "T")
            moment = parse_time(stated if "T" in stated else f"{stated}T00:00:00Z")
            if moment is not None:
                return moment
    return None


def list_spans(text: str, fact: str, account: Account) -> Iterator[Span]:
    """Yield the entries of a list; the value of the fact is the entry that holds the address."""
    for number, line in enumerate(text.splitlines(), 1):
        entry = _REMARK.sub("", line).strip()
        if not entry:
            continue
        try:
            low, high, name = _bounds(entry)
        except ValueError:
            account.fault(f"line {number}", "is no address, network or range, or one too wide to say anything")
            continue
        account.entries += 1
        yield low, high, ((fact, name),)


def _bounds(entry: str) -> tuple[str, str, str]:
    """Return first key, last key and normal form. Raises ValueError."""
    first, dash, last = (part.strip() for part in entry.partition("-"))
    if dash:
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
        if low.version != high.version or int(low) > int(high):
            raise ValueError("is no range")
        if int(high) - int(low) >= 2 ** (low.max_prefixlen - _WIDEST[low.version]):
            raise ValueError("is too wide")
        return key_of(low), key_of(high), f"{low}-{high}"
    network = ipaddress.ip_network(entry, strict=False)
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError("is too wide")
    single = network.prefixlen == network.max_prefixlen
    return key_of(network[0]), key_of(network[-1]), str(network[0] if single else network)
