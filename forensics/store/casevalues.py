"""The relations of a case that queries join instead of taking lists."""

from __future__ import annotations

import duckdb

from forensics.model.address import network_bounds
from forensics.model.case import Settings
from forensics.store.eventstore import EventStore


def load(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Fill case_value and case_network from the settings, in place of what was there."""
    fill(EventStore(connection), settings)


def fill(store: EventStore, settings: Settings) -> None:
    """Do what `load` does by a writer that there is."""
    values = [{"kind": "own_account", "value": a} for a in settings.own_accounts]
    values += [{"kind": f"known_{k.kind}", "value": k.value} for k in settings.known]
    values += [
        {"kind": "wrapping_key", "value": value}
        for value in sorted(
            {w.key.rpartition("/")[2].rpartition(":")[2] for w in settings.wrappings if w.key.startswith("kms:")}
        )
    ]
    store.replace("case_value", sorted(values, key=lambda v: (v["kind"], v["value"])))
    networks = [
        dict(zip(("kind", "low", "high"), ("own_egress", *network_bounds(n)), strict=True)) for n in settings.own_egress
    ]
    store.replace("case_network", networks)
