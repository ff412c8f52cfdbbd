"""Vault's audit log: two records, one access; HMACs are never secrets."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_values, rows
from tests.stores import new_store

HMAC = "hmac-sha256:" + "ab" * 32
TOKEN = "hmac-sha256:" + "cd" * 32
SECRET = "an-invented-value-that-must-not-be-kept-7f3"


def record(kind: str = "request", **changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "time": "2026-11-14T02:10:00.123456789Z",
        "type": kind,
        "auth": {
            "client_token": TOKEN,
            "accessor": HMAC,
            "display_name": "approle-billing",
            "policies": ["default", "billing"],
            "entity_id": "e-1",
            "token_type": "service",
        },
        "request": {
            "id": "6f2d0000-0000-4000-8000-000000000001",
            "operation": "read",
            "mount_type": "kv",
            "client_token": TOKEN,
            "namespace": {"id": "root"},
            "path": "secret/data/customers/acme/openai",
            "remote_address": "198.51.100.7",
            "remote_port": 51234,
        },
    }
    if kind == "response":
        value["response"] = {"mount_type": "kv", "data": {"data": {"password": HMAC}, "metadata": {"version": 3}}}
    return {**value, **changes}


def test_records_become_rows_with_exact_values() -> None:
    source, reading = read_json(record(), record("response"))
    assert source == "vault_audit"
    first, second = rows(reading)
    assert first == {
        "provider": "vault",
        "event_time": datetime.fromisoformat("2026-11-14T02:10:00.123456"),
        "kind": "request",
        "request_id": "6f2d0000-0000-4000-8000-000000000001",
        "operation": "read",
        "path": "secret/data/customers/acme/openai",
        "mount_type": "kv",
        "mount_point": None,
        "namespace": "root",
        "principal": "approle-billing",
        "entity_id": "e-1",
        "token_hmac": TOKEN,
        "accessor_hmac": HMAC,
        "token_type": "service",
        "policies": "billing,default",
        "source_ip": "198.51.100.7",
        "source_ip_key": "00000000000000000000ffffc6336407",
        "user_agent": None,
        "error": None,
        "request_data": None,
        "response_data": None,
        "raw": '{"request":{"remote_port":51234}}',
    }
    # Equal secrets give equal HMACs on one device: the whole HMAC stays, also under a name like `password`.
    assert json.loads(second["response_data"]) == {"data": {"password": HMAC}, "metadata": {"version": 3}}
    assert [answer.native_id[-9:] for answer in reading.answers] == ["1:request", ":response"]
    assert reading.notes == []


def test_values_and_tokens_in_clear_are_never_kept() -> None:
    plain = record(
        "response",
        auth={"client_token": SECRET, "accessor": SECRET, "display_name": "root"},
        response={"data": {"data": {"key": SECRET}}, "auth": {"client_token": SECRET}, "wrap_info": {"token": SECRET}},
    )
    plain["request"] = {**plain["request"], "client_token": SECRET, "data": {"value": SECRET, "list": [SECRET, 3]}}
    reading = read_json(plain)[1]
    assert SECRET not in repr(rows(reading))
    assert rows(reading)[0]["token_hmac"] == "...-7f3"
    assert reading.notes == ["values that are no HMAC (a device that logs in clear) are masked"]


def test_a_login_names_who_logged_in_and_headers_give_the_agent() -> None:
    login = record("response", auth={}, response={"auth": {"display_name": "oidc-nora"}})
    login["request"] = {**login["request"], "headers": {"User-Agent": ["vault/1.20"]}}
    (row,) = rows(read_json(login)[1])
    assert (row["principal"], row["user_agent"]) == ("oidc-nora", "vault/1.20")


def test_broken_records_are_defects() -> None:
    values = [7, {"type": "other"}, record(time="yesterday"), record()]
    assert [a.defect for a in read_values("vault_audit", values).answers] == [
        "the record is not an object",
        "type is neither request nor response",
        "no readable time",
        "",
    ]


@pytest.mark.parametrize("value", [{"type": "request", "id": "x"}, {"request": {"id": "a", "path": "b"}, "time": "t"}])
def test_other_records_are_not_claimed(value: dict[str, Any]) -> None:
    assert "vault_audit" not in claimants(json.dumps(value))


def lines(*values: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(value) for value in values).encode()


def test_one_access_a_request_whatever_the_number_of_records_and_devices() -> None:
    connection = new_store()
    other = {"id": "6f2d0000-0000-4000-8000-000000000002"}
    lost = record(request={**record()["request"], **other}, time="2026-11-14T03:00:00Z")
    refused = record("response", error="permission denied", time="2026-11-14T04:00:00Z")
    refused["request"] = {**refused["request"], "id": "6f2d0000-0000-4000-8000-000000000003"}
    answered = record("response", time="2026-11-14T02:10:01Z")
    second_device = json.loads(json.dumps([record(), answered]).replace("ab" * 32, "ef" * 32))
    for name, data in {
        "a": lines(record(), answered, lost, refused),
        "b": lines(*second_device),
        "c": lines(record(), answered),
    }.items():
        reading, account = read_bytes(connection, name, data, owner="acme")
        assert reading.source_id == "vault_audit"
        assert account["seen"] == account["accepted"] + account["duplicate"]
    read_bytes(connection, "d", lines(record()), owner="other")
    found = connection.execute(
        """SELECT owner, right(request_id, 1), records, outcome, is_attempt, event_time
           FROM vault_access ORDER BY owner, request_id"""
    ).fetchall()
    start = datetime.fromisoformat("2026-11-14T02:10:00.123456")
    assert found == [
        ("acme", "1", 4, "success", False, start),
        ("acme", "2", 1, None, True, datetime.fromisoformat("2026-11-14T03:00:00")),
        ("acme", "3", 1, "failure", True, datetime.fromisoformat("2026-11-14T04:00:00")),
        ("other", "1", 1, None, True, start),
    ]
    assert connection.execute("SELECT count(*) FROM vault_event").fetchall() == [(7,)]
    activity = connection.execute(
        "SELECT actor, action, resource, source_ip, outcome FROM activity WHERE owner = 'acme' ORDER BY event_time LIMIT 1"
    ).fetchall()
    path = "secret/data/customers/acme/openai"
    assert activity == [("approle-billing", "vault:read", path, "198.51.100.7", "success")]
