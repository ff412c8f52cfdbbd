"""The activity feed of Anthropic: who acted, from where, on which key."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.sources.building import claimants, read_json, read_values, rows

USER = {
    "type": "user_actor",
    "email_address": "dev@example.com",
    "user_id": "user_01Lant",
    "ip_address": "2001:DB8::0045",
    "user_agent": "Mozilla/5.0",
}


def activity(kind: str = "platform_api_key_created", **changes: Any) -> dict[str, Any]:
    return {
        "id": "activity_01Lant",
        "created_at": "2026-11-14T01:52:07.25Z",
        "organization_id": "org_01Lant",
        "organization_uuid": None,
        "type": kind,
        "actor": USER,
        "api_key_id": "apikey_01Lant",
        **changes,
    }


def page(*items: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"data": list(items), "has_more": more, "first_id": "a", "last_id": "b"}


def test_an_activity_becomes_a_row_with_exact_values() -> None:
    source, reading = read_json(page(activity()))
    assert source == "anthropic_activity"
    assert rows(reading) == [
        {
            "provider": "anthropic",
            "event_time": datetime.fromisoformat("2026-11-14T01:52:07.250000"),
            "event_id": "activity_01Lant",
            "action": "platform_api_key_created",
            "outcome": "success",
            "actor_type": "user_actor",
            "actor_id": "user_01Lant",
            "actor_email": "dev@example.com",
            "actor_key_id": None,
            "source_ip": "2001:db8::45",
            "source_ip_key": "20010db8000000000000000000000045",
            "user_agent": "Mozilla/5.0",
            "target_id": "apikey_01Lant",
            "target_key_id": "apikey_01Lant",
            "project_id": None,
            "details": '{"api_key_id":"apikey_01Lant"}',
            "raw": '{"organization_id":"org_01Lant"}',
        }
    ]
    assert reading.answers[0].native_id == "activity_01Lant"


@pytest.mark.parametrize(
    "values", [[page(activity(), activity())], [activity(), activity()], [[activity(), activity()]]]
)
def test_pages_lines_and_lists_are_read(values: list[Any]) -> None:
    source, reading = read_json(*values)
    assert (source, len(rows(reading))) == ("anthropic_activity", 2)


def test_a_key_that_acts_is_not_the_key_acted_on() -> None:
    actor = {"type": "api_actor", "api_key_id": "apikey_01Actor", "ip_address": "198.51.100.77"}
    (row,) = rows(read_json(page(activity("compliance_api_accessed", actor=actor, api_key_id=None)))[1])
    assert (row["actor_key_id"], row["target_key_id"], row["source_ip"]) == (
        "apikey_01Actor",
        None,
        "198.51.100.77",
    )


def test_admin_keys_are_keys_too() -> None:
    actor = {"type": "admin_api_key_actor", "admin_api_key_id": "adminkey_01"}
    one = activity("admin_api_key_deleted", actor=actor, api_key_id=None, admin_api_key_id="adminkey_02")
    (row,) = rows(read_json(page(one))[1])
    assert (row["actor_key_id"], row["target_key_id"]) == ("adminkey_01", "adminkey_02")


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("sso_login_failed", "failure"), ("sso_login_succeeded", "success"), ("mobile_login_attempted", None)],
)
def test_the_type_tells_the_outcome(kind: str, outcome: str | None) -> None:
    (row,) = rows(read_json(page(activity(kind)))[1])
    assert row["outcome"] == outcome
    assert row["target_key_id"] is None


def test_an_unauthenticated_actor_keeps_its_address_of_mail() -> None:
    actor = {"type": "unauthenticated_user_actor", "unauthenticated_email_address": "who@example.com"}
    (row,) = rows(read_json(page(activity("magic_link_login_failed", actor=actor)))[1])
    assert (row["actor_email"], row["actor_id"]) == ("who@example.com", None)


def test_a_cut_feed_is_marked() -> None:
    (row,) = read_json(page(activity(), more=True))[1].coverage
    assert (row["truncated"], row["endpoint"]) == (True, "audit")


def test_activities_without_time_are_defects() -> None:
    reading = read_values("anthropic_activity", [activity(created_at="yesterday"), activity(type=None), activity()])
    assert [a.defect for a in reading.answers] == ["no readable created_at", "no type of the activity", ""]


def test_a_list_of_keys_is_no_feed() -> None:
    key = {
        "type": "api_key",
        "id": "apikey_01",
        "created_at": "2026-11-14T00:00:00Z",
        "partial_key_hint": "sk-ant-...A",
    }
    assert claimants(json.dumps(page(key))) == ["anthropic_keys"]
