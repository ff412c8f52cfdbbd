"""One event in two fidelities is linked and counted once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from forensics.store.twins import link
from tests.sources.test_cloudtrail_forms import EVENT
from tests.stores import new_store

POOR = {**EVENT, "userAgent": None}


def store_with(order: tuple[dict[str, Any], ...]) -> Any:
    store = new_store()
    for event in order:
        read_bytes(store, "x", json.dumps({"Records": [event]}).encode())
    store.execute("UPDATE aws_event SET fidelity = 'lossy', id_conflict = FALSE WHERE user_agent IS NULL")
    store.execute("UPDATE aws_event SET id_conflict = FALSE")
    link(store)
    return store


@pytest.mark.parametrize("order", [(EVENT, POOR), (POOR, EVENT)])
def test_the_poorer_row_becomes_a_twin_without_items(order: tuple[dict[str, Any], ...]) -> None:
    store = store_with(order)
    [(key, fidelity)] = store.execute("SELECT event_key, fidelity FROM aws_event").fetchall()
    [(twin, same_as)] = store.execute("SELECT event_key, same_as FROM aws_event_twin").fetchall()
    assert (fidelity, same_as) == ("full", key)
    assert store.execute("SELECT DISTINCT event_key FROM aws_event_item").fetchall() == [(key,)]
    assert twin != key


def test_a_twin_met_again_is_a_duplicate_and_no_new_row() -> None:
    store = store_with((EVENT, POOR))
    store.execute("UPDATE aws_event_twin SET fidelity = 'lossy'")
    _, account = read_bytes(store, "y", json.dumps({"Records": [POOR]}, indent=1).encode())
    assert (account["accepted"], account["duplicate"]) == (0, 1)
    assert store.execute("SELECT count(*) FROM aws_event").fetchall() == [(1,)]
    assert store.execute("SELECT count(*) FROM aws_event_twin").fetchall() == [(1,)]


def test_a_twin_comes_back_with_its_items_when_the_better_row_is_gone() -> None:
    store = store_with((EVENT, POOR))
    for table in ("aws_event_item", "aws_event"):
        store.execute(f"DELETE FROM {table}")
    link(store)
    assert store.execute("SELECT fidelity FROM aws_event").fetchall() == [("lossy",)]
    assert store.execute("SELECT kind, value FROM aws_event_item").fetchall() == [("secret", "prod/model-key")]
    assert store.execute("SELECT count(*) FROM aws_event_twin").fetchall() == [(0,)]
