"""Signs in where requests came from: autonomous systems, addresses and user agents never seen with a key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from forensics.analysis.facts import Facts, Row
from forensics.analysis.keys import Key
from forensics.analysis.misuse.act_signs import sources_of
from forensics.analysis.misuse.sign import Sign
from forensics.analysis.policy import Policy
from forensics.model.address import read_address

#: All these signs are of the same logs, whatever a file says of an address: they count once.
_ROOT, _QUERY = "request sources", "exposure.request_sources"
_WORDS = {
    "network": "addresses of autonomous systems never seen with it before",
    "address": "addresses never seen with it before",
    "near_address": "addresses never seen with it before, of autonomous systems that it came from before",
    "agent": "user agents never seen with it before",
}
_SHOWN = 5


def sources(key: Key, facts: Facts, baseline_until: datetime, since: datetime, policy: Policy) -> list[Sign]:
    """Return autonomous systems, addresses and user agents that requests with the key came from only after `since`.

    The organisation's own egress is no news: its product uses the key from there.
    """
    rows = sources_of(key, facts)
    known = [r for r in rows if r["first_at"] < baseline_until]
    if not known or min(r["first_at"] for r in known) > baseline_until - timedelta(days=policy.baseline_days):
        return []
    earlier = [r for r in rows if r["first_at"] < since]
    addresses, agents = (_new(rows, column, since) for column in ("source_ip", "user_agent"))
    systems, unplaced = _placed(earlier)
    kinds: dict[str, list[Row]] = {"network": [], "address": [], "near_address": []}
    for row in addresses:
        kinds[_kind(row, systems, unplaced)].append(row)
    out = [
        _sign(kind, found, "source_ip", _open(found, unplaced) if kind == "address" else "")
        for kind, found in kinds.items()
        if found
    ]
    return [*out, *([_sign("agent", agents, "user_agent")] if agents else [])]


def _new(rows: list[Row], column: str, since: datetime) -> list[Row]:
    before = {r[column] for r in rows if r["first_at"] < since}
    return [
        r for r in rows
        if r["first_at"] >= since and r[column] and r[column] not in before and not r["is_own"] and r["requests"] > r["failures"]
    ]  # fmt: skip


def _placed(earlier: Iterable[Row]) -> tuple[set[str], set[str]]:
    """Return the systems that earlier requests came from, and earlier public addresses whose system is not known."""
    systems, unplaced = set(), set()
    for row in earlier:
        if row["asn"]:
            systems.add(row["asn"])
        elif read_address(row["source_ip"]).kind == "public":
            unplaced.add(row["source_ip"])
    return systems, unplaced


def _kind(row: Row, systems: set[str], unplaced: set[str]) -> str:
    """A system is only new where that of every earlier address is known."""
    if row["asn"] in systems:
        return "near_address"
    return "network" if row["asn"] and not unplaced else "address"


def _open(found: list[Row], unplaced: set[str]) -> str:
    """Say what is not known: of the new addresses, else of the earlier ones."""
    lacking = {r["source_ip"] for r in found if not r["asn"]}
    if lacking:
        return f"; the autonomous system of {len(lacking)} of them is not known"
    return f"; whether their autonomous systems are new is open: that of {len(unplaced)} earlier addresses is not known"


def _sign(kind: str, found: list[Row], column: str, more: str = "") -> Sign:
    values = sorted({_value(r, column) for r in found})
    requests = sum(r["requests"] - r["failures"] for r in found)
    text = f"{requests} requests with this key came from {_WORDS[kind]}: {', '.join(values[:_SHOWN])}{more}"
    keys = tuple(r["event_key"] for r in found)
    return Sign(kind, text, _ROOT, _QUERY, keys, min(r["first_at"] for r in found), max(r["last_at"] for r in found))


def _value(row: Row, column: str) -> str:
    if column != "source_ip" or not row["asn"]:
        return str(row[column])
    name = f" {row['as_name']}" if row["as_name"] else ""
    return f"{row['source_ip']} (AS{row['asn'].removeprefix('AS')}{name})"
