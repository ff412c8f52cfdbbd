"""The audit log of OpenAI: who acted, from where, on which key."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.sources.building import claimants, read_json, read_values, rows

SESSION = {
    "type": "session",
    "session": {
        "user": {"id": "user-77", "email": "dev@example.com"},
        "ip_address": "203.0.113.54",
        "user_agent": "python-requests/2.32.3",
        "ja3": "0a1b",
        "ip_address_details": {"country": "NL", "asn": "64496"},
    },
}
KEY = {
    "type": "api_key",
    "api_key": {"id": "key_Adm1", "type": "service_account", "service_account": {"id": "svc-3"}},
}


def event(kind: str = "api_key.created", spelt: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "object": "organization.audit_log",
        "id": "audit_log-Lf1",
        "type": kind,
        "effective_at": 1794617011,
        "project": {"id": "proj_Lant", "name": "prod-chat"},
        "actor": SESSION,
        (spelt or kind): {"id": "key_Lant1", "data": {"scopes": ["api.model.request"]}},
        **changes,
    }


def page(*events: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(events), "first_id": None, "last_id": None, "has_more": more}


def test_an_event_becomes_a_row_with_exact_values() -> None:
    source, reading = read_json(page(event()))
    assert source == "openai_audit"
    assert rows(reading) == [
        {
            "provider": "openai",
            "event_time": datetime.fromisoformat("2026-11-14T00:43:31"),
            "event_id": "audit_log-Lf1",
            "action": "api_key.created",
            "outcome": "success",
            "actor_type": "session",
            "actor_id": "user-77",
            "actor_email": "dev@example.com",
            "actor_key_id": None,
            "source_ip": "203.0.113.54",
            "source_ip_key": "00000000000000000000ffffcb007136",
            "user_agent": "python-requests/2.32.3",
            "target_id": "key_Lant1",
            "target_key_id": "key_Lant1",
            "project_id": "proj_Lant",
            "details": '{"data":{"scopes":["api.model.request"]},"id":"key_Lant1"}',
            "raw": '{"actor":{"session":{"ip_address_details":{"asn":"64496","country":"NL"},"ja3":"0a1b"}},'
            '"project":{"name":"prod-chat"}}',
        }
    ]
    assert reading.answers[0].native_id == "audit_log-Lf1"


@pytest.mark.parametrize("spelt", ["api_key.created", "api_key_created"])
@pytest.mark.parametrize("changes", [{}, {"object": None}])
def test_details_are_found_in_both_spellings(spelt: str, changes: dict[str, Any]) -> None:
    one = {name: value for name, value in event(spelt=spelt, **changes).items() if value is not None}
    source, reading = read_json(one, {**one, "id": "audit_log-Lf2"})
    assert source == "openai_audit"
    assert [row["target_key_id"] for row in rows(reading)] == ["key_Lant1", "key_Lant1"]


def test_a_key_that_acts_has_an_id_and_no_address() -> None:
    (row,) = rows(read_json(page(event(actor=KEY)))[1])
    assert (row["actor_type"], row["actor_key_id"], row["actor_id"]) == ("api_key", "key_Adm1", "svc-3")
    assert (row["source_ip"], row["source_ip_key"]) == (None, None)


@pytest.mark.parametrize(
    ("kind", "target_key"),
    [
        ("tenant.admin_api_key.created", "key_Lant1"),
        ("api_key.deleted", "key_Lant1"),
        ("rate_limit.updated", None),
        ("user.added", None),
    ],
)
def test_only_acts_on_keys_have_a_target_key(kind: str, target_key: str | None) -> None:
    (row,) = rows(read_json(page(event(kind)))[1])
    assert (row["target_id"], row["target_key_id"]) == ("key_Lant1", target_key)


def test_a_failed_login_is_a_failure() -> None:
    reading = read_json(page(event("login.failed"), event("login.succeeded")))[1]
    assert [row["outcome"] for row in rows(reading)] == ["failure", "success"]


def test_coverage_reaches_from_the_first_to_the_last_event_and_no_further() -> None:
    late = event(effective_at=1794620000, id="audit_log-Lf9")
    reading = read_json(page(late, event(), more=True))[1]
    (row,) = reading.coverage
    assert row["covered_from"] == datetime.fromisoformat("2026-11-14T00:43:31")
    assert row["covered_until"] == datetime.fromisoformat("2026-11-14T01:33:20.000001")
    assert (row["endpoint"], row["granularity_s"], row["truncated"]) == ("audit", None, True)


def test_an_address_that_cannot_be_read_stays_in_raw() -> None:
    actor = {"type": "session", "session": {"ip_address": "203.0.113.***"}}
    (row,) = rows(read_json(page(event(actor=actor)))[1])
    assert row["source_ip"] is None
    assert "203.0.113.***" in row["raw"]


def test_a_key_in_the_details_is_masked() -> None:
    secret = "sk-proj-" + "Ab3dEf9hIj" * 6
    (row,) = rows(read_json(page(event(**{"api_key.created": {"id": "key_1", "value": secret}})))[1])
    assert secret not in row["details"]
    assert "sk-proj-...hIj" not in row["details"]  # exactly four characters stay
    assert f"sk-proj-...{secret[-4:]}" in row["details"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"effective_at": "soon"}, "no readable effective_at"), ({"type": None}, "no type of the event")],
)
def test_events_without_time_or_type_are_defects(changes: dict[str, Any], reason: str) -> None:
    reading = read_values("openai_audit", [event(**changes), event()])
    assert [answer.defect for answer in reading.answers] == [reason, ""]


def test_other_lists_are_left_alone() -> None:
    assert claimants(json.dumps(page())) == []
    assert claimants(json.dumps(page({"id": "user-1", "type": "user", "created_at": 1794617011}))) == []
