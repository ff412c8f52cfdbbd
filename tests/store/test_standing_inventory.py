"""The view of the inventory that stands says what the register says, whatever was received in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from random import Random

import pytest

from forensics.analysis.inventory.register import read_register
from forensics.ingest.scratch import new_store, read_bytes

HEAD = "customer,provider,provider_key_id,key_name,hint,key_sha256,location,created_at,rotated_at,as_of\n"
DAY = datetime(2026, 5, 1)


def inventory(random: Random) -> str:
    """An inventory of a few keys, by id with or without other names, or by one or two of those alone; some with times."""
    rows = []
    for _ in range(random.randint(3, 6)):
        by = random.choice(["id", "id and more", "id and more", "name", "hint", "hash", "hint and name", "place"])
        key, more = random.choice("abc"), by == "id and more"
        name = f"n-{random.choice([key, key, 'a'])}" if more or "name" in by else ""
        hint = (
            f"{random.choice(['sk-', 'sk-proj-', ''])}...{key * random.choice([4, 5, 3])}"
            if more or "hint" in by
            else ""
        )
        rows.append(
            ",".join([
                random.choice(["Elder", "Orchard"]), random.choice(["openai", "openai", "anthropic"]),
                f"key_{key}" if by.startswith("id") else "", name, hint,
                sha256(key.encode()).hexdigest() if more or by == "hash" else "", f"secret:us-east-1:prod/{random.choice('xyz')}",
                random.choice(["", "", "2026-01-01", "2026-02-01"]), random.choice(["", "", "", "2026-04-01"]),
                random.choice(["", f"2026-05-0{random.randint(1, 5)}T00:00:00Z"]),
            ])
        )  # fmt: skip
    return HEAD + "\n".join(rows) + "\n"


def listing(random: Random) -> list[tuple[str, ...]]:
    """Keys as a provider's list has them."""
    return [
        (
            f"l{n}", random.choice(["openai", "anthropic"]), random.choice(["Elder", "Orchard", "Vendor"]), f"key_{key}",
            random.choice(["", f"n-{key}"]), random.choice(["", f"sk-...{key * 4}"]), random.choice(["", sha256(key.encode()).hexdigest()]),
        )
        for n, key in enumerate("abcd")
    ]  # fmt: skip


@pytest.fixture(scope="module")
def connection():
    made = new_store()
    yield made
    made.close()


def filled(connection, seed):
    for table in ("ai_key", "occurrence", "receipt", "evidence_file", "provider_key"):
        connection.execute(f"TRUNCATE {table}")
    random = Random(seed)
    files = [inventory(random) for _ in range(5)]
    for number, text in enumerate([*files, files[0]]):  # one comes a second time, and counts as it did
        received = DAY + timedelta(days=random.randint(0, 9)) if random.random() < 0.8 else None
        read_bytes(connection, f"{number}.csv", text.encode(), random.choice(["", "Vendor"]), "", received)
    connection.executemany(
        "INSERT INTO provider_key (event_key, provider, owner, key_id, key_name, hint, key_sha256)"
        " VALUES (?, ?, ?, ?, nullif(?, ''), nullif(?, ''), nullif(?, ''))",
        listing(random) if seed % 2 else listing(random)[:1],
    )
    return read_register(connection)


@pytest.mark.parametrize("seed", range(16))
def test_view_and_register_agree(connection, seed):
    register = filled(connection, seed)
    by_register = {(s.identity, s.customer, s.place) for s in register.standing}
    held = dict(connection.execute("SELECT event_key, coalesce(key_id, '') FROM ai_key_standing").fetchall())
    mine = [s for s in register.statements if s.event_key in held]
    assert (
        held and {(s.identity, s.customer, s.place) for s in mine if s.key_id in ("", held[s.event_key])} >= by_register
    )
    assert {(s.identity, s.customer, s.place) for s in mine} == by_register
    assert len(by_register) < len({(s.identity, s.customer, s.place) for s in register.statements})


def test_these_inventories_hold_rows_that_every_alias_decides_or_leaves_open(connection):
    ways, unsure = set(), 0
    for seed in range(16):
        register = filled(connection, seed)
        ways |= {s.resolved_by for s in register.statements if s.resolved_by}
        unsure += sum(bool(s.candidates) for s in register.statements)
    assert ways == {"sha256", "hint", "name", "hint and name", "place"} and unsure


KNOWN = "Elder,openai,key_a,n-a,sk-...aaaa,{digest},secret:us-east-1:prod/x,2026-01-01,,2026-05-01T00:00:00Z\n"
DIGEST = sha256(b"a").hexdigest()
LATER = "2026-05-02T00:00:00Z"


@pytest.mark.parametrize(
    ("row", "joins"),
    [
        (f"Elder,openai,,,,{DIGEST},secret:us-east-1:prod/moved,,,{LATER}", True),
        (f"Elder,openai,,,...aaaa,,secret:us-east-1:prod/moved,,,{LATER}", True),
        (f"Elder,openai,,n-a,,,secret:us-east-1:prod/moved,,,{LATER}", True),
        (f"Elder,openai,,,,,arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/x-AbCdEf,,,{LATER}", True),
        (f"Elder,openai,,,,,secret:us-east-1:prod/x,2026-01-01,2026-04-30,{LATER}", True),
        (f"Elder,openai,,,,,secret:us-east-1:prod/x,2026-04-30,,{LATER}", False),
        (f"Orchard,openai,,n-a,,,secret:us-east-1:prod/moved,,,{LATER}", False),
        (f"Elder,anthropic,,,,{DIGEST},secret:us-east-1:prod/moved,,,{LATER}", False),
        (f"Elder,openai,,n-b,,,secret:us-east-1:prod/x,,,{LATER}", False),
    ],
)  # fmt: skip
def test_a_row_that_another_name_decides_takes_the_place_of_the_row_with_the_id(connection, row, joins):
    for table in ("ai_key", "occurrence", "receipt", "evidence_file", "provider_key"):
        connection.execute(f"TRUNCATE {table}")
    read_bytes(connection, "1.csv", (HEAD + KNOWN.format(digest=DIGEST)).encode(), "", "", DAY)
    read_bytes(connection, "2.csv", f"{HEAD}{row}\n".encode(), "", "", DAY + timedelta(days=2))
    stands = connection.execute(
        "SELECT key_id, strftime(as_of, '%m-%d') FROM ai_key_standing ORDER BY key_id NULLS LAST"
    ).fetchall()
    assert stands == ([("key_a", "05-02")] if joins else [("key_a", "05-01"), (None, "05-02")])
    assert len(read_register(connection).standing) == len(stands)
