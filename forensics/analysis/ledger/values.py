"""Which value of a place a read handed out: the key's own, one before it, or one after it.

A read counts as another value only where a statement of the inventory and a change in the logs agree; else it counts as
the key's own, because an exposure must not vanish by a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from forensics.analysis.keys import Key
from forensics.analysis.ledger.places import Place, place_of

Row = dict[str, Any]

#: A stated time and the logged change it speaks of lie within this of each other.
SLACK = timedelta(hours=1)
_KINDS = {"secret": "secret", "parameter": "ssm"}
#: Hands out every value a parameter ever had.
_ALL_VALUES = frozenset({"GetParameterHistory"})


class Changes:
    """New values written to places, by the logs."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_place: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            self._by_place[_KINDS.get(row["item_kind"], ""), row["location"] or ""].append(row)

    def at(self, place: Place) -> list[Row]:
        """Return the changes of a place, in order of time."""
        rows = self._by_place.get((place.kind, place.name), [])
        return [r for r in rows if not place.region or not r["region"] or r["region"] == place.region]


class Holdings:
    """Which keys lie at which place: what a shared secret, a wrapping key or a successor is counted by."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.places = {id(key): place_of(key) for key in keys}
        self.keys = list(keys)
        #: Customers and key ids in lower case, as a context may name them.
        self.names = frozenset(n.lower() for k in self.keys for n in (k.customer, k.key_id) if n)
        self._at: defaultdict[tuple[str, str], list[Key]] = defaultdict(list)
        for key in self.keys:
            place = self.places[id(key)]
            if place is not None:
                self._at[place.kind, place.name].append(key)

    def at(self, place: Place) -> list[Key]:
        """Return the keys stored at a place."""
        held = self._at.get((place.kind, place.name), [])
        return [k for k in held if not place.region or not k.location_region or k.location_region == place.region]

    def stores(self) -> frozenset[tuple[str, str]]:
        """Return (kind, name) of all places, and of the stores that rows and columns of them lie in."""
        return frozenset({(kind, part) for kind, name in self._at for part in (name, name.partition("/")[0])})


def left_at(key: Key, place: Place, changes: Sequence[Row], holdings: Holdings) -> datetime | None:
    """Return when the key left its place: a logged change that a stated rotation or a successor agrees with, else None."""
    stated = key.rotated_at
    if stated is None:
        later = [
            k.created_at
            for k in holdings.at(place)
            if k.provider == key.provider and k.customer == key.customer and k.key_id != key.key_id
            and k.created_at is not None and key.created_at is not None and k.created_at > key.created_at
        ]  # fmt: skip
        stated = min(later, default=None)
    if stated is None:
        return None
    return next((c["event_time"] for c in changes if c["event_time"] >= stated - SLACK), None)


def value_of(read: Row, key: Key, changes: Sequence[Row], left: datetime | None) -> str:
    """Return `this`, `earlier` or `later`: which value of its place a read handed out, as seen from the key.

    A read, or a decryption, that names a version which a logged change wrote had the value of that change, whenever it
    came; the id of a version is the token of the request that wrote it
    (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html). A version that no logged
    change wrote is not taken for a later one.
    """
    at: datetime = read["event_time"]
    written = _written(read, changes)
    if written is not None:
        at = written
    elif read.get("version_stage") == "AWSPREVIOUS":
        before = [c["event_time"] for c in changes if c["event_time"] < at]
        at = before[-1] - timedelta(microseconds=1) if before else at
    everything = read["action"] in _ALL_VALUES
    created = key.created_at
    # The change that wrote the version read does not replace it.
    replaced = [c["event_time"] for c in changes if written is None or c["event_time"] > written]
    if created is not None and at < created and any(c >= max(at, created - SLACK) for c in replaced):
        return "earlier"
    if left is None or everything:
        return "this"
    if written is not None:
        return "later" if written >= left else "this"
    # A read within the second of the change may have had either value: it stays with the key.
    return "later" if at >= left + timedelta(seconds=1) and not _names_unlogged(read, changes) else "this"


def _written(read: Row, changes: Sequence[Row]) -> datetime | None:
    """Return when the version that a read names was written, by the log; None when it names none or no change wrote it."""
    version = read.get("version_id")
    return next((c["event_time"] for c in changes if version and c.get("version_id") == version), None)


def _names_unlogged(read: Row, changes: Sequence[Row]) -> bool:
    """Whether a read names a version older than the log: asked for by id, or decrypted where every change tells its id."""
    if not read.get("version_id"):
        return False
    return read["action"] != "Decrypt" or all(c.get("version_id") for c in changes)
