"""Direct links, known independently of the key: an address, session or actor of the intruder, or use after revocation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from forensics.analysis.facts import Facts, Reason, Row, times
from forensics.analysis.keys import Key
from forensics.analysis.usage import Series, owned
from forensics.model.clock import iso

#: Some exporters write underscores for dots.
_REVOKING = frozenset({"api_key.deleted", "api_key_deleted", "admin_api_key_deleted", "platform_api_key_deleted"})
_ENDED = frozenset({"inactive", "archived", "expired"})

Began = Callable[[datetime, datetime], None]


@dataclass(frozen=True, slots=True)
class Link:
    """A reason that establishes misuse; `path` is `direct`, or `own_proxy` when it ran through a gateway or the product."""

    reason: Reason
    path: str = "direct"


def mine(key: Key, row: Row, *names: str) -> bool:
    """Whether a row of the key's own owner names the key; another customer's log says nothing about it."""
    return row["provider"] == key.provider and owned(key, row["owner"] or "") and key.key_id in {row[n] for n in names}


def ends_key(act: Row) -> bool:
    """Whether an act of the provider's log ended its target key: deleted, or its status set to one that is over."""
    if act["action"] in _REVOKING:
        return True
    if act["action"] != "platform_api_key_updated":
        return False
    try:
        updates = json.loads(act["details"] or "{}").get("updates") or []
    except (ValueError, AttributeError):
        return False
    return any(isinstance(u, dict) and u.get("type") == "status" and u.get("current_value") in _ENDED for u in updates)


def revocation(key: Key, facts: Facts) -> Row | None:
    """Return the first act in the provider's own log that ended the key, or None."""
    acts = facts.acts_on(key.key_id)
    return next((a for a in acts if mine(key, a, "target_key_id") and a["outcome"] != "failure" and ends_key(a)), None)


def by_act(key: Key, facts: Facts, began: Began) -> list[Link]:
    """The key acted, or was changed, from an address of the intruder in AWS or by an actor stated as the intruder."""
    acts = [
        a
        for a in facts.acts_on(key.key_id)
        if a["root"] and a["outcome"] != "failure" and mine(key, a, "actor_key_id", "target_key_id")
    ]
    links = []
    for name, where in (
        ("tainted_address", "from {}, an address of the intruder in AWS"),
        ("tainted_actor", "by {}, stated to be the intruder"),
    ):
        rows = [a for a in acts if a[name] and (name == "tainted_address" or not a["tainted_address"])]
        if not rows:
            continue
        first = rows[0]
        began(first["event_time"], first["event_time"])
        used = sum(1 for a in rows if a["actor_key_id"] == key.key_id)
        changed = ", ".join(sorted({a["action"] for a in rows}))
        what = f"the key was used {times(used)}" if used else f"the key was changed ({changed})"
        text = f"{what} at the provider {where.format(first[name])}, first {iso(first['event_time'])}"
        root = f"{first['root']}; {'address' if name == 'tainted_address' else 'actor'} {first[name]}"
        links.append(Link(Reason("abuse", text, root, "exposure.provider_acts", tuple(a["event_key"] for a in rows))))
    return links


def aliases(key: Key, facts: Facts) -> set[str]:
    """Return the names a key is stated to have in gateways and in the product."""
    stated = (s for s in facts.settings.statements if s.key_id == key.key_id and s.provider == key.provider)
    return {s.key_alias for s in stated if s.key_alias}


def by_request(key: Key, facts: Facts, began: Began) -> list[Link]:
    """Requests with the key came from the intruder: by address, or by session through a gateway or the product itself."""
    known = aliases(key, facts)
    rows = [
        r
        for r in facts.tainted_requests
        if _may_speak(key, r, facts)
        and (r["key_id"] == key.key_id or (r["key_name"] in known and r["upstream_provider"] in (None, key.provider)))
    ]
    links = []
    for marked_by in ("address", "session"):
        for path in ("direct", "own_proxy"):
            found = [r for r in rows if r["marked_by"] == marked_by and _path(key, r) == path]
            if found:
                links.append(_requests(found, path))
                began(found[0]["event_time"], found[0]["event_time"])
    return links


def _may_speak(key: Key, row: Row, facts: Facts) -> bool:
    """The key's customer, nobody in particular, or the organisation whose product holds the key."""
    return owned(key, row["owner"] or "") or row["owner"] == facts.settings.organisation


def _path(key: Key, row: Row) -> str:
    return "direct" if row["provider"] == key.provider and not row["upstream_provider"] else "own_proxy"


def _requests(rows: list[Row], path: str) -> Link:
    first = rows[0]
    who = (
        f"came from {first['tainted_address']}, an address of the intruder in AWS"
        if first["marked_by"] == "address"
        else f"were made by {first['tainted_address']}, held to be the intruder"
    )
    through = f" through {first['provider']}" if path == "own_proxy" else ""
    text = f"{len(rows)} requests with this key {who}{through}, first {iso(first['event_time'])}"
    kind = "address" if first["marked_by"] == "address" else "session"
    root = f"{first['root']}; {kind} {first['tainted_address']}"
    keys = tuple(r["event_key"] for r in rows)
    return Link(Reason("abuse", text, root, "exposure.requests_from_tainted", keys), path)


def after_revocation(series: Series | None, revoked: Row | None, began: Began) -> list[Link]:
    """Successful use in buckets wholly after a revocation that the provider's own log proves."""
    if revoked is None or series is None:
        return []
    at = revoked["event_time"]
    late = series.buckets.used_since(at)
    if not late:
        return []
    began(late[0].start, late[0].end)
    text = (
        f"the provider's own log proves that the key was revoked at {iso(at)}, yet {len(late)} buckets wholly after it show"
        f" successful use, from {iso(late[0].start)} to {iso(late[-1].end)}"
    )
    keys = (revoked["event_key"], *(k for b in late for k in b.event_keys))
    return [Link(Reason("abuse", text, f"event {revoked['event_key']}", "exposure.usage_buckets", keys))]
