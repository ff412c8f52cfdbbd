"""Providers' and gateways' own lists of keys: rows of `provider_key`, as of the time of their receipt."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from forensics.ingest.discover import discover
from forensics.ingest.receipts import ReceiptFacts, ReceiptTable
from forensics.ingest.run import Ingest, IngestOptions
from forensics.ingest.scratch import read_bytes
from forensics.model.provider_key import UNDATED, WHOLE_KEY, digest_of, hint_of, limits_of
from forensics.store.case_folder import init_case
from tests.sources.building import claimants, read_json, read_text, read_values, rows
from tests.stores import new_store

WHOLE = "sk-proj-" + "Zq9" * 16
SHA = sha256(WHOLE.encode()).hexdigest()
MAY, JUNE = datetime.fromisoformat("2026-05-01T10:00:00"), datetime.fromisoformat("2026-06-01T10:00:00")
CREATED, USED = 1794614400, 1794617011  # 2026-11-14 00:00:00 and 00:43:31 UTC


def project_key(**changes: Any) -> dict[str, Any]:
    return {
        "object": "organization.project.api_key",
        "id": "key_9QxT",
        "name": "prod-chat",
        "redacted_value": "sk-proj-ab...Q9zT",
        "created_at": CREATED,
        "last_used_at": USED,
        "expires_at": None,
        "owner_project_access": "active",
        "owner": {
            "type": "user",
            "user": {"id": "user-77", "email": "dev@example.com", "name": "Dev", "role": "member", "created_at": 1},
        },
        **changes,
    }


def admin_key(**changes: Any) -> dict[str, Any]:
    return {
        "object": "organization.admin_api_key",
        "id": "key_Adm1",
        "name": "billing",
        "redacted_value": "sk-admin...xyz1",
        "created_at": CREATED,
        "expires_at": USED,
        "last_used_at": None,
        "owner": {"type": "user", "object": "organization.user", "id": "user-1", "name": "Root", "role": "owner"},
        **changes,
    }


def anthropic_key(**changes: Any) -> dict[str, Any]:
    return {
        "type": "api_key",
        "id": "apikey_01Qz",
        "name": "backend",
        "status": "active",
        "created_at": "2026-11-14T01:52:07Z",
        "expires_at": None,
        "partial_key_hint": "sk-ant-api03-R2D...igAA",
        "created_by": {"id": "user_01Y", "type": "user"},
        "scope": {"type": "workspace", "workspace_id": "wrkspc_01Ab"},
        "principal": {"type": "service_account_actor", "service_account_id": "svac_01C"},
        **changes,
    }


def old_anthropic_key(**changes: Any) -> dict[str, Any]:
    value = {**anthropic_key(), "workspace_id": "wrkspc_01Ab", **changes}
    return {name: member for name, member in value.items() if name not in ("scope", "principal")}


def openrouter_key(**changes: Any) -> dict[str, Any]:
    return {
        "hash": "AB" * 32,
        "label": "sk-or-v1-0e6...1c96",
        "name": "agents",
        "disabled": False,
        "limit": 25,
        "limit_remaining": 3.5,
        "limit_reset": "monthly",
        "usage": 21.5,
        "created_at": "2026-05-01T12:00:00.123456+00:00",
        "updated_at": None,
        "last_used_at": "2026-05-02T00:00:00Z",
        "creator_user_id": "user_2dH",
        "workspace_id": "ws-1",
        **changes,
    }


def litellm_key(**changes: Any) -> dict[str, Any]:
    return {
        "token": "cd" * 32,
        "key_name": "sk-...abcd",
        "key_alias": "team-chat",
        "spend": 12.25,
        "expires": "2026-12-01 00:00:00",
        "models": ["gpt-5", "claude-opus-4-5"],
        "user_id": "u-1",
        "team_id": "t-1",
        "max_budget": 100.0,
        "budget_duration": "30d",
        "tpm_limit": None,
        "blocked": None,
        "metadata": {"logging": [{"callback_vars": {"some_api_key": "not-to-be-kept"}}], "purpose": "chat"},
        "created_at": "2026-05-01T00:00:00",
        "created_by": "admin-1",
        "last_active": "2026-05-03T04:05:06",
        **changes,
    }


def listed(*keys: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(keys), "first_id": "a", "last_id": "b", "has_more": False}


def told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and name != "raw"}


def test_a_key_of_a_project_and_seconds_not_milliseconds() -> None:
    source, reading = read_json(listed(project_key()), received_at=MAY)
    assert source == "openai_keys"
    (row,) = rows(reading)
    assert told(row) == {
        "provider": "openai",
        "key_id": "key_9QxT",
        "key_name": "prod-chat",
        "hint": "sk-proj-ab...Q9zT",
        "kind": "project",
        "status": "active",
        "principal_id": "user-77",
        "principal_email": "dev@example.com",
        "created_at": datetime.fromisoformat("2026-11-14T00:00:00"),
        "last_used_at": datetime.fromisoformat("2026-11-14T00:43:31"),
    }
    assert reading.notes == ["keys of a project: the list does not name the project"]


def test_admin_keys_and_keys_of_service_accounts() -> None:
    service = project_key(owner={"type": "service_account", "service_account": {"id": "svc-1", "name": "ci"}})
    admin, account = rows(read_json(listed(admin_key(), service))[1])
    assert (admin["kind"], admin["principal_id"], admin["status"]) == ("admin", "user-1", None)
    assert (admin["expires_at"], admin["last_used_at"]) == (datetime.fromisoformat("2026-11-14T00:43:31"), None)
    assert (account["kind"], account["principal_id"], account["principal_email"]) == ("service_account", "svc-1", None)


@pytest.mark.parametrize(
    ("key", "kind", "workspace", "principal"),
    [
        (anthropic_key(), "workspace", "wrkspc_01Ab", "svac_01C"),
        (
            anthropic_key(scope={"type": "organization"}, principal={"type": "user_actor", "user_id": "user_01Z"}),
            "organization",
            None,
            "user_01Z",
        ),
        (anthropic_key(principal=None, created_by=None), "workspace", "wrkspc_01Ab", None),
        (old_anthropic_key(), "workspace", "wrkspc_01Ab", None),
        (old_anthropic_key(workspace_id=None), "workspace", None, None),
    ],
)
def test_both_forms_of_anthropics_list(
    key: dict[str, Any], kind: str, workspace: str | None, principal: str | None
) -> None:
    source, reading = read_json({"data": [key], "has_more": False, "first_id": "a", "last_id": "a"})
    (row,) = rows(reading)
    assert source == "anthropic_keys"
    assert (row["kind"], row["workspace_id"], row["principal_id"]) == (kind, workspace, principal)
    assert (row["key_id"], row["hint"], row["status"]) == ("apikey_01Qz", "sk-ant-api03-R2D...igAA", "active")
    assert row["created_at"] == datetime.fromisoformat("2026-11-14T01:52:07")
    assert row["created_by"] == (key["created_by"] or {}).get("id")
    assert row["last_used_at"] is None


@pytest.mark.parametrize("value", [{"data": [openrouter_key()]}, {"data": openrouter_key()}, openrouter_key()])
def test_a_key_of_openrouter_is_named_by_its_hash(value: Any) -> None:
    source, reading = read_json(value)
    (row,) = rows(reading)
    assert source == "openrouter_keys"
    assert told(row) == {
        "provider": "openrouter",
        "key_name": "agents",
        "hint": "sk-or-v1-0e6...1c96",
        "key_sha256": "ab" * 32,
        "kind": "gateway",
        "status": "active",
        "workspace_id": "ws-1",
        "created_by": "user_2dH",
        "created_at": datetime.fromisoformat("2026-05-01T12:00:00.123456"),
        "last_used_at": datetime.fromisoformat("2026-05-02T00:00:00"),
        "limits": "limit=25; limit_remaining=3.5; limit_reset=monthly",
    }
    assert json.loads(row["raw"]) == {"usage": "21.5"}


def as_csv(value: dict[str, Any]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(name.upper() for name in value)
    cells = {**value, "models": '{gpt-5,"claude-opus-4-5"}', "metadata": json.dumps(value["metadata"]), "blocked": "t"}
    writer.writerow("" if cell is None else cell for cell in cells.values())
    return "\ufeff" + stream.getvalue()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (json.dumps([litellm_key()]), None),
        (json.dumps({"keys": [litellm_key(blocked=False)], "total_count": 1}), "active"),
        (as_csv(litellm_key()), "blocked"),
    ],
)
def test_virtual_keys_of_litellm_in_every_form(text: str, status: str | None) -> None:
    source, reading = read_text(text)
    (row,) = rows(reading)
    assert source == "litellm_keys"
    assert "not-to-be-kept" not in repr(row)
    assert "purpose" in row["raw"]
    row["limits"] = row["limits"].replace("max_budget=100.0", "max_budget=100")
    assert told(row) == {
        "provider": "litellm",
        "key_name": "team-chat",
        "hint": "sk-...abcd",
        "key_sha256": "cd" * 32,
        "kind": "virtual",
        **({"status": status} if status else {}),
        "project_id": "t-1",
        "principal_id": "u-1",
        "created_by": "admin-1",
        "created_at": datetime.fromisoformat("2026-05-01T00:00:00"),
        "expires_at": datetime.fromisoformat("2026-12-01T00:00:00"),
        "last_used_at": datetime.fromisoformat("2026-05-03T04:05:06"),
        "limits": "budget_duration=30d; max_budget=100; models=claude-opus-4-5,gpt-5",
    }


@pytest.mark.parametrize(
    "value",
    [
        listed(project_key(redacted_value=WHOLE)),
        listed(admin_key(value=WHOLE)),
        {"data": [anthropic_key(partial_key_hint=WHOLE, name=WHOLE)]},
        {"data": [openrouter_key(key=WHOLE, hash=None)]},
        {"data": [openrouter_key(label=WHOLE, hash="no hash")]},
        [litellm_key(token=WHOLE)],
        [litellm_key(key_name=WHOLE, token="")],
    ],
)
def test_a_whole_key_is_kept_as_hint_and_hash_alone(value: Any) -> None:
    _, reading = read_json(value)
    (row,) = rows(reading)
    assert WHOLE not in repr(row) + reading.answers[0].native_id
    assert row["key_sha256"] == SHA
    assert WHOLE_KEY in reading.notes
    connection = new_store()
    read_bytes(connection, "keys.json", json.dumps(value).encode(), received_at=MAY)
    (kept,) = connection.execute("SELECT * FROM provider_key").fetchall()
    assert WHOLE not in repr(kept)
    assert SHA in kept


def test_a_secret_of_no_known_form_is_never_shown() -> None:
    (row,) = rows(read_values("litellm_keys", [litellm_key(token="an-own-form-of-secret-7788", key_name=None)]))
    assert row["hint"] == "...7788"
    assert "own-form" not in repr(row)


def test_two_lists_of_different_times_are_two_rows_and_neither_is_lost() -> None:
    connection, page = new_store(), json.dumps(listed(project_key())).encode()
    accounts = [
        read_bytes(connection, name, data, "Alder", "", received)[1]
        for name, data, received in (("b", page, JUNE), ("a", page, MAY), ("copy of a", page + b"\n", MAY))
    ]
    assert [(a["accepted"], a["duplicate"]) for a in accounts] == [(1, 0), (1, 0), (0, 1)]
    found = connection.execute("SELECT received_at, key_id FROM provider_key ORDER BY received_at").fetchall()
    assert found == [(MAY, "key_9QxT"), (JUNE, "key_9QxT")]


def test_a_change_between_two_lists_shows_in_both() -> None:
    connection = new_store()
    read_bytes(connection, "a", json.dumps(listed(project_key())).encode(), received_at=MAY)
    later = listed(project_key(last_used_at=USED + 60, owner_project_access="inactive"))
    read_bytes(connection, "b", json.dumps(later).encode(), received_at=JUNE)
    found = connection.execute("SELECT status, last_used_at FROM provider_key ORDER BY received_at").fetchall()
    assert [status for status, _ in found] == ["active", "inactive"]
    assert found[1][1] - found[0][1] == timedelta(seconds=60)


class Receipts(ReceiptTable):
    """States one time of receipt for every file, or none."""

    def __init__(self, received: datetime | None) -> None:
        super().__init__()
        self.received = received

    def find(self, name: str) -> ReceiptFacts | None:
        return ReceiptFacts(owner="Alder", basis="stated", received_at=self.received)


def test_the_moment_of_reading_is_no_part_of_what_a_key_is(tmp_path: Path) -> None:
    keys = []
    for n, received in enumerate((None, None, JUNE)):
        inbox = tmp_path / f"in{n}"
        inbox.mkdir()
        (inbox / "keys.json").write_text(json.dumps(listed(project_key())), encoding="utf-8")
        moment = datetime.fromisoformat(f"2026-07-0{n + 1}T00:00:00+00:00")
        folder = init_case(tmp_path / f"case{n}", lambda moment=moment: moment)
        with folder.writer("ingest") as connection:
            run = Ingest(folder, connection, IngestOptions())
            result = run.run(discover([inbox]), Receipts(received), lambda *_: None)
            keys += connection.execute("SELECT event_key FROM provider_key").fetchall()
        assert result.tables["provider_key"] == 1
        assert any(UNDATED in note for note in result.notes) == (received is None)
    assert keys[0] == keys[1] != keys[2]


def test_what_is_no_key_is_named_and_a_cut_list_is_told() -> None:
    page = {**listed(project_key(), {"object": "organization.user"}, {**project_key(), "id": None}), "has_more": True}
    _, reading = read_json(page)
    assert reading.answers[1].out_of_scope == "organization.user: registered, fills no table"
    assert reading.answers[2].defect == "no id of the key"
    assert any(note.startswith("truncated") for note in reading.notes)
    more = read_json({"data": [anthropic_key(), {"type": "user"}], "has_more": True})[1]
    assert more.answers[1].out_of_scope == "user: registered, fills no table"
    assert any(note.startswith("truncated") for note in more.notes)
    assert (
        read_values("openrouter_keys", [1, openrouter_key(hash="x")]).answers[1].defect == "hash is not 64 hex digits"
    )
    assert read_values("litellm_keys", [litellm_key(token=None)]).answers[0].defect == "no token"


@pytest.mark.parametrize(
    "value",
    [
        {"data": [{"hash": "ab" * 32, "label": "x", "name": "n", "disabled": False}]},
        [{"token": "cd" * 32, "spend": 1}],
        {"data": [{"type": "api_key", "id": "a"}]},
    ],
)
def test_what_only_resembles_keys_is_not_claimed(value: Any) -> None:
    assert claimants(json.dumps(value)) == []


def test_hints_hashes_and_limits() -> None:
    assert hint_of("sk-proj-****************Q9zT") == ("sk-proj-****************Q9zT", None)
    assert hint_of(WHOLE)[1] == SHA
    assert hint_of(None) == (None, None)
    assert digest_of("AB" * 32) == "ab" * 32
    assert digest_of("ab" * 31) is None
    assert limits_of([("b", True), ("a", None), ("c", [])]) == "b=true"
    assert limits_of([]) is None
