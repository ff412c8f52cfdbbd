"""Acts on copies of a store, led back to the store they were made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from forensics.analysis.ledger.places import normal

Row = dict[str, Any]
_HOPS = 5


def _origins(made: Iterable[Row]) -> dict[tuple[str, str], str]:
    return {
        (row["location_kind"], normal(row["location_kind"], row["snapshot"])): normal(
            row["location_kind"], row["made_of"]
        )
        for row in made
        if row["snapshot"] and row["made_of"]
    }


def _automatic(name: str, stores: frozenset[str]) -> str:
    """Return the database that an automatic snapshot `rds:NAME-2026-05-05-03-10` is of, "" when it is none."""
    return next((s for s in sorted(stores, key=len, reverse=True) if name.startswith(f"{s}-2")), "")


def resolved(rows: Iterable[Row], made: Iterable[Row], stores: frozenset[tuple[str, str]]) -> list[Row]:
    """Return copies with the store they were made of as location; `stores` are the (kind, name) that the inventory names.

    One whose store is not in the evidence loses its location: it may be of any store of its kind there, and is only
    possibly that of a key.
    """
    origins = _origins(made)
    out = []
    for row in rows:
        kind = row["location_kind"]
        if kind == "backup":
            out += [_unknown(row, each) for each in ("dynamodb", "ebs", "rds")]
            continue
        name = normal(kind, row["location"] or "")
        led = False
        for _ in range(_HOPS):
            if (kind, name) in stores or (kind, name) not in origins:
                break
            name, led = origins[kind, name], True
        if kind == "rds" and (kind, name) not in stores:
            name = _automatic(name, frozenset(s for k, s in stores if k == kind)) or name
        if not name or (not led and (kind, name) not in stores and _is_copy(row, name)):
            out.append(_unknown(row, kind))
            continue
        out.append({**row, "location": name, "thing": row["location"]})
    return out


def _is_copy(row: Row, name: str) -> bool:
    """Whether an act names a snapshot, which alone does not tell the store."""
    named = f"{row['action']} {row['location'] or ''}".lower()
    return name.startswith("snap-") if row["location_kind"] == "ebs" else "snapshot" in named


def _unknown(row: Row, kind: str) -> Row:
    why = f"{row['action']} of {row['location'] or 'an unnamed copy'}: of which store is not in the evidence"
    return {**row, "location_kind": kind, "location": None, "thing": row["location"], "access": "possibly", "why": why}
