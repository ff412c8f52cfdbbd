"""Rotation and revocation: done, late, before containment, and whether the old key was still used."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from forensics.analysis.buckets import Buckets
from forensics.analysis.horizon import Horizon
from forensics.analysis.inventory.aliases import Listed
from forensics.analysis.inventory.rotation import Access, Subject, access_of, check
from forensics.analysis.keys import Key
from forensics.analysis.policy import DEFAULT
from forensics.analysis.usage import Series
from forensics.model.case import read_settings
from tests.analysis.verdict_facts import bucket, usage_rows

HORIZON = Horizon("usage", "Orchard", "openai", datetime(2026, 5, 8), None)

SETTINGS = read_settings(
    b'[case]\nid = "X"\n[times]\nt0 = 2026-05-05T02:00:00Z\ndetected = 2026-05-05T08:00:00Z\ncontained = 2026-05-05T10:00:00Z\n'
)
READ = datetime(2026, 5, 5, 2, 26)
CONTAINED = Access(datetime(2026, 5, 5, 10), "containment as stated")
KEY = Key(
    "openai", "key_A", "Acorn", "inventory", location_kind="secret", location_region="us-east-1", location="prod/a"
)


def at(hour, minute=0, day=5):
    return datetime(2026, 5, day, hour, minute)


def write(when, change="new_value", action="PutSecretValue"):
    return {"event_time": when, "change": change, "action": action, "event_key": f"w{when:%d%H%M}"}


def series(*used):
    made = usage_rows({**bucket(u, 5, tokens=1000), "event_key": f"u{u:%d%H}"} for u in used)
    return Series(
        3600,
        Buckets(row for rows in made.values() for row in rows),
        [(datetime(2026, 5, 1), datetime(2026, 5, 8))],
        HORIZON,
    )


def subject(**changes):
    base = Subject(
        KEY,
        "read",
        "none_seen",
        READ,
        READ,
        [],
        [],
        None,
        None,
        series(),
        {"store": at(0, day=8), "audit": at(0, day=8)},
    )
    return replace(base, **changes)


def judged(settings=SETTINGS, access=CONTAINED, **changes):
    return check(subject(**changes), access, settings, DEFAULT)


REVOKED = {"event_time": at(12, 20), "event_key": "r1"}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "not_done"),
        ({"exposure": "none_seen"}, "not_needed"),
        ({"exposure": "not_evaluable"}, "not_evaluable"),
        ({"exposure": "none_seen", "abuse": "established"}, "not_done"),
        ({"writes": [write(at(11))]}, "unproven"),
        ({"writes": [write(at(11), "maybe_new_value")]}, "unproven"),
        ({"writes": [write(at(5))]}, "not_effective"),
        ({"writes": [write(at(5)), write(at(11))]}, "unproven"),
        ({"writes": [write(at(11))], "series": series(at(12))}, "not_effective"),
        ({"writes": [write(at(11, 30))], "series": series(at(11))}, "unproven"),
        ({"writes": [write(at(1))]}, "not_done"),
        ({"revoked": REVOKED}, "effective"),
        ({"revoked": REVOKED, "series": series(at(12))}, "effective"),
        ({"revoked": REVOKED, "series": series(at(13))}, "not_effective"),
        ({"revoked": REVOKED, "writes": [write(at(5))]}, "not_effective"),
        ({"revoked": REVOKED, "writes": [write(at(11))]}, "effective"),
        ({"key": replace(KEY, revoked_at=at(12))}, "unproven"),
        ({"key": replace(KEY, revoked_at=at(12)), "series": series(at(13))}, "not_effective"),
        ({"key": replace(KEY, rotated_at=at(11))}, "unproven"),
        ({"key": replace(KEY, rotated_at=at(1))}, "not_done"),
        ({"key": replace(KEY, created_at=at(11)), "writes": [write(at(11))]}, "not_evaluable"),
        ({"writes": [write(at(11))], "taken": [write(at(12))]}, "not_effective"),
        ({"writes": [write(at(11))], "taken": [write(at(3))]}, "unproven"),
        ({"writes": [write(at(11))], "exposed_to": at(11, 30)}, "not_effective"),
    ],
)
def test_state(changes, state):
    found = judged(**changes)
    assert found.state == state
    assert found.why


def test_a_rotation_before_containment_says_that_the_new_value_is_exposed_too():
    found = judged(writes=[write(at(5))])
    assert "before the intruder lost access at 2026-05-05T10:00:00Z" in found.why[0] and "exposed too" in found.why[0]


def test_latency_is_told_from_exposure_detection_and_containment():
    found = judged(writes=[write(at(11, 5))], revoked=REVOKED)
    assert found.latency == {
        "exposed_to_rotated": 8 * 3600 + 39 * 60, "exposed_to_revoked": 9 * 3600 + 54 * 60,
        "detected_to_rotated": 3 * 3600 + 5 * 60, "detected_to_revoked": 4 * 3600 + 20 * 60,
        "contained_to_rotated": 3900, "contained_to_revoked": 8400,
    }  # fmt: skip
    assert judged().latency["exposed_to_rotated"] is None
    assert found.event_keys == ["r1", "w051105"]


def test_use_after_is_of_buckets_wholly_after():
    found = judged(writes=[write(at(11, 5))], series=series(at(11), at(12), at(20)))
    assert found.used_after_rotation == {
        "from": at(12), "to": at(21), "buckets": 2, "requests": 10, "tokens": 2000, "event_keys": ["u0512", "u0520"],
    }  # fmt: skip


def test_the_use_of_a_successor_is_no_use_of_the_old_key():
    new = replace(KEY, created_at=at(11))
    found = judged(key=new, writes=[write(at(11))], series=series(at(12)))
    assert found.used_after_rotation is None and "its predecessor" not in " ".join(judged(writes=[write(at(11))]).why)
    assert "predecessor" in found.why[0]


@pytest.mark.parametrize(
    ("provider", "status", "state"),
    [("anthropic", "archived", "effective"), ("anthropic", "active", "not_done"), ("openai", "inactive", "not_done")],
)
def test_the_providers_list_proves_an_end_except_where_its_status_is_of_another_thing(provider, status, state):
    listed = Listed(provider, "Acorn", "key_A", "", "", "", "", status, None, None, None, at(9, day=8), "l1")
    found = judged(listed=listed)
    assert found.state == state
    assert (found.revoked_basis == "provider list") is (state == "effective")


def test_what_was_not_sent_is_said():
    why = judged(horizons={"store": None, "audit": None}).why[0]
    assert "the log of its place was not sent" in why and "neither a log nor a list of the provider was sent" in why
    assert "no usage that names it was sent" in judged(writes=[write(at(11))], series=None).why[-1]


def act(hour, outcome="success"):
    return {"event_time": at(hour), "outcome": outcome}


def test_access_ends_with_the_stated_containment_or_the_last_act_after_it():
    bare = read_settings(b'[case]\nid = "X"\n')
    assert access_of(SETTINGS, [act(3)]).until == at(10)
    later = access_of(SETTINGS, [act(3), act(11)])
    assert later.until == at(11) and "after the containment stated" in later.basis
    assert access_of(SETTINGS, [act(3), act(11, "denied")]).until == at(10)
    assert access_of(bare, [act(3)]).until == at(3)
    assert access_of(bare, []).until is None
