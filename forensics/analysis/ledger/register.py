"""All acts on places where keys are stored, found by place."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forensics.analysis.ledger.named import Named, keys_of, tells
from forensics.analysis.ledger.places import Place, normal, read_place

if TYPE_CHECKING:
    from forensics.analysis.inventory.aliases import Aliases

Row = dict[str, Any]

#: A batch call and the single reads it made stand within this time of each other.
BATCH_SPAN = timedelta(seconds=2)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Return rows by time and key, each event once a place."""
    return sorted(rows, key=lambda r: (r["event_time"], r["event_key"], r["access"], str(r["location"])))


class Register:
    """Acts by the place they touch. Rows are those of the queries, with `query_id` and a `location` that is normalised."""

    def __init__(self) -> None:
        self._named: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        self._whole: defaultdict[str, list[Row]] = defaultdict(list)
        self._paths: list[Row] = []
        self._telling: list[Row] = []
        self._of_key: defaultdict[Named, list[Row]] = defaultdict(list)
        self._held: Register | None = None
        self.unlisted_batches: list[Row] = []

    def add(self, rows: Iterable[Row], query_id: str) -> None:
        """Add the rows of a query; an act that names several things is added under each."""
        for row in rows:
            entry = {**row, "query_id": query_id}
            if tells(entry):
                self._telling.append(entry)
            else:
                self._place(entry)

    def _place(self, entry: Row) -> None:
        kind, location = entry["location_kind"], entry["location"]
        stated = read_place(location) if kind == "application" and location else None
        if stated is not None:
            # An application may say from which store it read.
            kind, location = stated.kind, stated.name
            entry = {**entry, "location_kind": kind, "region": entry["region"] or stated.region}
        if kind == "ssm_path":
            self._paths.append(entry)
        elif not location:
            self._whole[kind].append(entry)
        for name in _names(kind, location) if kind != "ssm_path" else ():
            self._named[kind, name].append({**entry, "location": name})

    def hold(self, copies: Iterable[Row], known: Iterable[Named], aliases: Aliases | None) -> None:
        """Take what depends on which keys are judged: copies of their stores, and acts that name them.

        An act that names a key which is judged is of that key alone; any other is one on its place. What was held before
        is forgotten.
        """
        held, keys = Register(), list(known)
        held.add(copies, "exposure.store_copies")
        for row in self._telling:
            fits = keys_of(row, keys, aliases)
            for key, entry in fits:
                held._of_key[key].append(entry)
            if not fits:
                held._place(row)
        self._held = held

    def add_batches(self, rows: Iterable[Row]) -> None:
        """Add batch reads that no single read beside them tells of: each secret that was handed out has its own record."""
        singles: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
        for reads in self._named.values():
            for read in reads:
                if read["action"] == "GetSecretValue":
                    singles[read["credential_id"] or "", ""].append(read["event_time"])
                    singles[read["credential_id"] or "", read["location"]].append(read["event_time"])
        for times in singles.values():
            times.sort()
        for row in rows:
            who = row["credential_id"] or ""
            if _near(singles.get((who, row["location"] or ""), []), row["event_time"]):
                continue
            if row["location"]:
                why = "asked for in a batch; the single record of it is not in the evidence"
                self.add([{**row, "why": why}], "exposure.batch_reads")
            else:
                self.unlisted_batches.append({**row, "query_id": "exposure.batch_reads"})

    def touching(self, place: Place) -> list[Row]:
        """Return the acts on a place, in order of time: by name, by a path above it, or on all of its kind there."""
        found = [*self._named.get((place.kind, place.name), ()), *self._whole.get(place.kind, ())]
        found += self._held.touching(place) if self._held is not None else ()
        if place.kind == "ssm":
            found += [r for r in self._paths if below(place.name, r)]
        if place.kind == "s3":
            bucket = place.name.partition("/")[0]
            found += self._named.get(("s3", bucket), ()) if bucket != place.name else ()
        if place.kind == "rds" or place.kind == "dynamodb":
            # A row or column of a store: acts on the store itself count.
            store = place.name.partition("/")[0]
            found += self._named.get((place.kind, store), ()) if store != place.name else ()
        return ordered(r for r in found if not (place.region and r["region"] and r["region"] != place.region))

    def naming(self, provider: str, key_id: str) -> list[Row]:
        """Return the acts that name a provider key itself."""
        return ordered(self._held._of_key.get((provider, key_id), ()) if self._held is not None else ())


def _names(kind: str, location: str | None) -> set[str]:
    """Return every name an act goes by: one, or those of a list; a Vault path also as its versioned mount writes it."""
    if not location:
        return set()
    if location.startswith("["):
        try:
            listed = json.loads(location)
        except ValueError:
            listed = [location]
        return {normal(kind, str(name)) for name in listed} if isinstance(listed, list) else set()
    return {normal(kind, location)}


def below(name: str, row: Row) -> bool:
    """Whether a read by path handed out a parameter: all below it when it was recursive, else only the next level."""
    path = str(row["location"]).rstrip("/") + "/"
    return name.startswith(path) and (row.get("recursive") != "false" or "/" not in name[len(path) :])


def _near(times: list[datetime], moment: datetime) -> bool:
    at = bisect_left(times, moment - BATCH_SPAN)
    return at < len(times) and times[at] <= moment + BATCH_SPAN
