"""The key book over the logs: lives, rotation, what an exposed key made, and what the inventory gets wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.analysis.inventory.building import (
    T0,
    audit,
    book_of,
    covered,
    listed,
    make_case,
    secret_event,
    states,
    texts,
    usage,
)

HEADER = "customer,provider,provider_key_id,hint,kind,location,created_at,rotated_at,revoked_at,as_of"
AS_OF = "2026-05-07T09:00:00Z"
LINES = (
    f"Acorn,openai,key_A,,admin,secret:us-east-1:prod/a,2026-01-01,2026-05-05T11:05:00Z,,{AS_OF}",
    f"Birch,openai,key_B,,project,secret:us-east-1:prod/b,2026-01-01,2026-05-05T07:00:00Z,,{AS_OF}",
    f"Cedar,openai,key_C,sk-admin-...cccc,project,secret:us-east-1:prod/c,2026-05-06,,2026-05-05T06:00:00Z,{AS_OF}",
    f"Cedar,openai,key_D,,project,secret:us-east-1:prod/c,2026-04-01,,,{AS_OF}",
    f"Dorn,openai,key_D,,project,secret:us-east-1:prod/d,2026-04-01,2026-05-08,,{AS_OF}",
    f"Elm,openai,,...eeee,project,ssm:us-east-1:/prod/e,,,,{AS_OF}",
)
ROWS = {
    "ai_usage": [
        *usage("key_A", "Acorn", range(-3, 2)), *usage("key_B", "Birch", range(1, 2)), *usage("key_B", "Birch", range(20, 22)),
        *usage("key_C", "Cedar", range(8, 9)), *usage("key_Z", "Cedar", range(3, 4)),
    ],
    "ai_coverage": [covered("Acorn"), covered("Birch"), covered("Cedar")],
    "ai_audit_event": [
        audit("key_M", "Acorn", "api_key.created", datetime(2026, 5, 5, 3), actor="key_A"),
        audit("key_N", "Acorn", "api_key.created", datetime(2026, 5, 5, 4), actor="key_M"),
        audit("key_O", "Acorn", "api_key.created", datetime(2026, 5, 4), actor="key_A"),
        audit("key_P", "Acorn", "api_key.created", datetime(2026, 5, 5, 4, 30), actor="key_A", outcome="failure"),
        audit("key_N", "Acorn", "api_key.deleted", datetime(2026, 5, 5, 9)),
        audit("key_A", "Acorn", "api_key.deleted", datetime(2026, 5, 5, 11, 30)),
        audit("key_D", "Cedar", "api_key.created", datetime(2026, 5, 2)),
        audit("key_B", "Somebody else", "api_key.deleted", datetime(2026, 5, 5, 12)),
    ],
    "provider_key": [
        listed("key_E1", "Elm", hint="sk-...eeee"), listed("key_E2", "Elm", hint="sk-...eeee"),
        listed("key_A", "Acorn", kind="admin", created_at=datetime(2026, 1, 1)),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return book_of(make_case(tmp_path_factory.mktemp("book"), {"v.csv": LINES}, header=HEADER, **ROWS))


@pytest.fixture(scope="module")
def lives(book):
    return {(life.key.key_id, life.key.customer): life for life in book.lives}


def test_each_life_is_told_in_order_with_its_basis(lives):
    steps = [(e.step, e.basis) for e in lives["key_A", "Acorn"].events]
    assert steps == [
        ("made", "provider list"), ("made", "stated"), ("used", "usage"), ("read", "store log"), ("used", "usage"),
        ("rotated", "stated"), ("rotated", "store log"), ("revoked", "provider log"),
    ]  # fmt: skip
    read = lives["key_A", "Acorn"].first("read")
    assert (read.start, read.event_key != "", read.query_id) == (
        datetime(2026, 5, 5, 2, 26),
        True,
        "exposure.location_reads",
    )
    last = lives["key_A", "Acorn"].last_seen
    assert (last.start, last.end) == (T0 + timedelta(hours=1), T0 + timedelta(hours=2))


def test_horizons_say_until_when_anything_can_be_said(lives):
    ends = {h.source: h.until for h in lives["key_A", "Acorn"].horizons}
    assert ends["usage"] == datetime(2026, 5, 8) and ends["store"] is not None
    assert {h.source: h.until for h in lives["key_D", "Dorn"].horizons}["usage"] is None


def test_the_rotation_check_of_each_key(book, lives):
    assert states(book)["key_A"] == "effective"
    early = lives["key_B", "Birch"].rotation
    assert early.state == "not_effective"
    assert any("before the intruder lost access" in why for why in early.why)
    assert any("overwriting the secret did not end it" in why for why in early.why)
    assert early.revoked_at is None, "another owner's log says nothing"


def test_what_an_exposed_key_made_is_followed_to_the_end(lives):
    made = [(m["target"], m["by_key"], m["revoked_at"]) for m in lives["key_A", "Acorn"].made_with]
    assert made == [("key_M", "key_A", None), ("key_N", "key_M", datetime(2026, 5, 5, 9))]
    assert lives["key_B", "Birch"].made_with == []


def test_the_kind_decides_consequence_and_action(lives):
    body = lives["key_A", "Acorn"].as_json()
    assert (body["kind"], body["kind_basis"]) == ("admin", "stated")
    assert "every key, member and service account that it made" in body["action"] and "outlives" in body["consequence"]


def test_one_key_with_two_customers(book):
    (remark,) = [r for r in book.remarks if r.kind == "one_key_two_customers"]
    assert (remark.keys, remark.customers, remark.rows) == (("key_D",), ("Cedar", "Dorn"), ((1, 3), (1, 4)))


def test_one_secret_with_several_keys(book):
    (remark,) = [r for r in book.remarks if r.kind == "one_place_many_keys"]
    assert remark.keys == ("key_C", "key_D") and "secret:us-east-1:prod/c" in remark.text


def test_keys_in_use_that_no_inventory_names(book):
    absent = {r.keys[0] for r in book.remarks if r.kind == "not_in_inventory"}
    assert absent == {"key_Z", "key_M", "key_N", "key_O", "key_P", "key_E1", "key_E2"}


def test_a_hint_that_two_listed_keys_have(book, lives):
    (remark,) = [r for r in book.remarks if r.kind == "ambiguous"]
    assert "key_E1, key_E2" in remark.text
    assert lives["/prod/e", "Elm"].as_json()["candidates"] == ["key_E1", "key_E2"]


def test_times_that_logs_contradict(book):
    said = texts(book, "time_contradicted")
    for part in (
        "stated as rotated at 2026-05-05T07:00:00Z; the log shows no new value then, the nearest at 2026-05-05T05:00:00Z",
        "stated as made at 2026-05-06T00:00:00Z; it was used before, by 2026-05-05T11:00:00Z",
        "stated as revoked at 2026-05-05T06:00:00Z, before it was made",
        "stated as revoked at 2026-05-05T06:00:00Z; use was counted until 2026-05-05T11:00:00Z",
        "stated as rotated at 2026-05-08T00:00:00Z, after the time of the statement",
        "the provider's log shows it made at 2026-05-02T00:00:00Z",
    ):
        assert any(part in text for text in said), (part, said)
    assert not [r for r in book.remarks if r.kind == "time_contradicted" and r.keys == ("key_A",)]


def test_a_kind_that_the_form_contradicts(book):
    (remark,) = [r for r in book.remarks if r.kind == "kind_contradicted"]
    assert remark.keys == ("key_C",) and "admin (form)" in remark.text


def test_evidence_of_another_owner_names_the_key(book):
    assert texts(book, "other_owner") == [
        "evidence of Somebody else names it in audit: the inventory gives it to Birch"
    ]


MASS = tuple(
    f"Acorn,openai,key_{n},,project,secret:us-east-1:prod/{n},2026-05-05T1{n}:00:00Z,,,{AS_OF}" for n in range(3)
)


def test_rows_made_after_a_mass_rotation(tmp_path):
    read = secret_event(9, "02:30:00", "GetSecretValue", "prod/0", intruder=True)
    found = book_of(make_case(tmp_path, {"v.csv": MASS}, events=(read,), header=HEADER))
    said = texts(found, "after_mass_rotation")
    assert any(
        "version 1: 3 of 3 keys were made between 2026-05-05T10:00:00Z and 2026-05-05T12:00:00Z" in t for t in said
    )
    assert any("made at 2026-05-05T10:00:00Z, after its place was read at 2026-05-05T02:30:00Z" in t for t in said)
    assert states(found)["key_0"] == "not_evaluable"


def test_two_keys_made_after_the_incident_are_no_mass_rotation(tmp_path):
    found = book_of(
        make_case(tmp_path, {"v.csv": MASS[:2]}, events=(), header=HEADER, ai_usage=usage("key_0", "Acorn", range(2)))
    )
    assert texts(found, "after_mass_rotation") == []
