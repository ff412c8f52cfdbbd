"""Whose a file probably is where nobody said: by the keys an export names, or by a folder named for a customer.

It is said, with the reason, and nothing rests on it: an export that nobody was named for speaks for a key only where
the key's owner sent nothing, whatever is inferred here. Customers are those of the key inventories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_SHORTEST_NAME, _SHORTEST_KEY = 3, 8
_NAMED = """
SELECT DISTINCT r.receipt_id, u.provider, u.key_id FROM (
  SELECT event_key, owner, provider, key_id FROM ai_usage
  UNION ALL SELECT event_key, owner, provider, key_id FROM ai_cost
  UNION ALL SELECT event_key, owner, provider, key_id FROM ai_request) AS u
JOIN occurrence AS o ON o.event_key = u.event_key
JOIN receipt AS r ON r.receipt_id = o.receipt_id
WHERE coalesce(r.owner, '') = '' AND coalesce(u.owner, '') = '' AND coalesce(u.key_id, '') <> ''
ORDER BY r.receipt_id, u.provider, u.key_id
"""
_LISTED = "SELECT DISTINCT provider, key_id, customer FROM ai_key WHERE coalesce(customer, '') <> '' ORDER BY ALL"
_UNASSIGNED = """
SELECT receipt_id, path FROM receipt LEFT JOIN evidence_file USING (file_sha256)
WHERE coalesce(owner, '') = '' AND state IN ('read', 'registered') AND coalesce(source_id, '') <> 'key_inventory'
ORDER BY receipt_id
"""


@dataclass(frozen=True, slots=True)
class InferredOwner:
    """What the evidence says of an unassigned file's owner.

    `owner` is empty when several customers come into question; `candidates` then names them, in alphabetical order.
    """

    owner: str
    why: str
    candidates: tuple[str, ...]


def inferred_owners(connection: duckdb.DuckDBPyConnection) -> dict[int, InferredOwner]:
    """Return by receipt id what can be said of the owner of files that nobody was named for.

    By keys: every key that the export names is in an inventory, and all are of one customer. By folder: one customer's
    name is the name of a folder above the file, letters and digits compared. Where both speak they must agree.
    """
    run = connection.execute
    listed: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    names: defaultdict[str, set[str]] = defaultdict(set)
    for provider, key, customer in run(_LISTED).fetchall():
        name = _letters(customer)
        if len(name) >= _SHORTEST_NAME:
            names[name].add(customer)
        if key and len(key) >= _SHORTEST_KEY:
            listed[provider, key].add(customer)
    if not names:
        return {}
    keys: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for receipt, provider, key in run(_NAMED).fetchall():
        keys[receipt].append((provider, key))
    out = {}
    for receipt, path in run(_UNASSIGNED).fetchall():
        folders = {c for part in path.split("/")[:-1] for c in names.get(_letters(part), ())}
        answer = _judged(keys.get(receipt, []), listed, folders)
        if answer:
            out[receipt] = answer
    return out


def _judged(
    named: list[tuple[str, str]], listed: dict[tuple[str, str], set[str]], folders: set[str]
) -> InferredOwner | None:
    known = [key for key in named if key in listed]
    by_keys = {customer for key in known for customer in listed[key]}
    both = by_keys | folders
    if not both:
        return None
    how = [f"{_count(len(known))} it names" if by_keys else "", "the folder's name" if folders else ""]
    why = " and ".join(filter(None, how))
    if len(both) > 1:
        return InferredOwner("", why, tuple(sorted(both)))
    if by_keys and len(known) < len(named):
        other = len(named) - len(known)
        return InferredOwner("", f"{why}; {other} more {'is' if other == 1 else 'are'} in no inventory", _one(both))
    return InferredOwner(min(both), why, _one(both))


def _one(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _count(number: int) -> str:
    return "the key" if number == 1 else f"the {number} keys"


def _letters(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
