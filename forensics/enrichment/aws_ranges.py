"""The address ranges that AWS publishes: https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html

A range may stand there several times, once for each service that uses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from forensics.enrichment.facts import AWS_REGION, AWS_SERVICE, Account, Span
from forensics.model.address import network_bounds
from forensics.model.errors import UsageFault

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LISTS = (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix"))


def parsed_ranges(text: str) -> dict[str, Any]:
    """Return the parsed file. Raises UsageFault for anything that is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageFault("is no JSON that can be read") from None
    if not isinstance(data, dict) or not any(isinstance(data.get(name), list) for name, _ in _LISTS):
        raise UsageFault("is JSON without prefixes", hint="of JSON files only ip-ranges.json of AWS is read")
    return data


def ranges_date(data: dict[str, Any]) -> datetime | None:
    """Return the time that the file says it was made."""
    try:
        return datetime.strptime(str(data.get("createDate")), "%Y-%m-%d-%H-%M-%S")  # noqa: DTZ007 - naive UTC
    except ValueError:
        return None


def range_spans(data: dict[str, Any], account: Account) -> Iterator[Span]:
    """Yield the ranges with service and region. Entries that cannot be used go into the account."""
    for name, member in _LISTS:
        entries = data.get(name)
        for number, each in enumerate(entries if isinstance(entries, list) else (), 1):
            place = f"{name} {number}"
            cells = each if isinstance(each, dict) else {}
            prefix, service, region = cells.get(member), cells.get("service"), cells.get("region")
            if not (isinstance(prefix, str) and isinstance(service, str) and isinstance(region, str)):
                account.fault(place, "has no prefix, service and region")
                continue
            if not (_NAME.fullmatch(service) and _NAME.fullmatch(region)):
                account.fault(place, "has no name of a service and a region")
                continue
            try:
                low, high = network_bounds(prefix)
            except ValueError:
                account.fault(place, "is no network")
                continue
            account.entries += 1
            yield low, high, ((AWS_SERVICE, service), (AWS_REGION, region))
