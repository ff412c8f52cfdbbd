"""Infer whose a file is where nobody said: by a folder named for a customer, or by the keys that an export names.

An inferred owner is marked as such in the receipt and never goes over a stated one. Customers are those of the key
inventories: of the case, and of the files of the same run, whatever their order.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from forensics.ingest.discover import Found
from forensics.ingest.reading import Received, read_file
from forensics.store.eventstore import Group

_LARGEST = 4 * 1024**2
_KEY_COLUMNS = ("provider_key_id", "key_id")
#: Tables whose rows name the key they are about.
_NAMING = ("ai_usage", "ai_cost", "ai_request")
_SHORTEST_NAME, _SHORTEST_KEY = 3, 8


class Owners:
    """Customers that are known, by the letters and digits of their names and by their keys' ids."""

    def __init__(self, connection: Any, files: Sequence[Found]) -> None:
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._keys: defaultdict[str, set[str]] = defaultdict(set)
        rows = connection.execute("SELECT DISTINCT customer, key_id FROM ai_key WHERE customer IS NOT NULL").fetchall()
        for customer, key in rows:
            self._add(customer, key or "")
        for found in files:
            for customer, key in _inventory(found):
                self._add(customer, key)

    def _add(self, customer: str, key: str) -> None:
        name = _letters(customer)
        if len(name) >= _SHORTEST_NAME:
            self._names[name].add(customer)
        if len(key) >= _SHORTEST_KEY:
            self._keys[key].add(customer)

    def by_folder(self, name: str) -> str:
        """Return the one customer that folders of a path are named for, or ""."""
        folders = name.split("/")[:-1]
        return _one(customer for part in folders for customer in self._names.get(_letters(part), ()))

    def by_keys(self, received: Received) -> str:
        """Return the customer that all keys named in an export belong to, or "": also when one key is not listed."""
        data = received.content.data
        if not any(key.encode() in data for key in self._keys):
            return ""
        group = Group()
        read_file(received, group)
        named = {
            row["key_id"] for table in _NAMING for row in group.rows.get(table, ()) if row.get("key_id") is not None
        }
        if not named or not named <= self._keys.keys():
            return ""
        return _one(customer for key in named for customer in self._keys[key])


def _letters(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _one(customers: Iterable[str]) -> str:
    found = set(customers)
    return found.pop() if len(found) == 1 else ""


def _inventory(found: Found) -> list[tuple[str, str]]:
    """Return (customer, key id) of each row when the file is a small plain CSV with the columns of a key inventory."""
    if found.problem:
        return []
    try:
        with found.path.open("rb") as stream:
            head = stream.readline(4096).decode("utf-8-sig", "replace").lower()
            if "customer" not in head or "provider" not in head or found.path.stat().st_size > _LARGEST:
                return []
            text = head + stream.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return []
    out = []
    try:
        for row in csv.DictReader(io.StringIO(text.replace("\x00", ""))):
            fields = {(k or "").strip().strip('"').replace(" ", "_"): v for k, v in row.items() if isinstance(v, str)}
            if not {"customer", "provider"} <= fields.keys():
                return []
            key = next((fields[n].strip() for n in _KEY_COLUMNS if fields.get(n, "").strip()), "")
            if fields["customer"].strip():
                out.append((fields["customer"].strip(), key))
    except csv.Error:
        return []
    return out
