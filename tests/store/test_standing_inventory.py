"""The view of the inventory that stands says what the register says, whatever was received in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from forensics.analysis.inventory.versions import read_versions, standing
from forensics.ingest.scratch import new_store, read_bytes

HEAD = "customer,provider,provider_key_id,key_name,hint,location,as_of\n"
DAY = datetime(2026, 5, 1)


def inventory(random: Random) -> str:
    """An inventory of a few keys, by id, by name, by hint or by place alone, with times, with some or with none."""
    rows = []
    for _ in range(random.randint(3, 6)):
        by = random.choice(["id", "id", "name", "hint", "place"])
        key = random.choice("ab")
        rows.append(
            ",".join([
                random.choice(["Elder", "Orchard"]), "openai", f"key_{key}" if by == "id" else "", f"n-{key}" if by == "name" else "",
                f"sk-...{key}{key}{key}{key}" if by == "hint" else "", f"secret:us-east-1:prod/{random.choice('xyz')}",
                random.choice(["", f"2026-05-0{random.randint(1, 5)}T00:00:00Z"]),
            ])
        )  # fmt: skip
    return HEAD + "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def connection():
    made = new_store()
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(6))
def test_view_and_register_agree(connection, seed):
    for table in ("ai_key", "occurrence", "receipt", "evidence_file"):
        connection.execute(f"TRUNCATE {table}")
    random = Random(seed)
    files = [inventory(random) for _ in range(5)]
    for number, text in enumerate([*files, files[0]]):  # one comes a second time, and counts as it did
        received = DAY + timedelta(days=random.randint(0, 9)) if random.random() < 0.8 else None
        read_bytes(connection, f"{number}.csv", text.encode(), random.choice(["", "Vendor"]), "", received)
    _, statements = read_versions(connection)
    by_register = {(s.identity, s.customer, s.place) for s in standing(statements)}
    held = {row[0] for row in connection.execute("SELECT event_key FROM ai_key_standing").fetchall()}
    assert held and {(s.identity, s.customer, s.place) for s in statements if s.event_key in held} == by_register
    assert len(by_register) < len({(s.identity, s.customer, s.place) for s in statements})
