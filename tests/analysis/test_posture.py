"""Each question of posture: yes, no, not seen and not evaluable, with the rows behind it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.posture.judge import QUERIES, QUESTIONS, posture_of
from forensics.cli.main import run
from forensics.queries.binding import bind
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.eventstore import EventStore
from tests.stores import new_store

AT = datetime(2026, 5, 5, 3)
WINDOW = {"since": datetime(2026, 5, 1), "until": datetime(2026, 6, 1)}
BASELINE = datetime(2026, 5, 4)


def aws(n, source, name, **changes):
    return {
        "event_key": f"{n:032d}", "event_time": AT + timedelta(minutes=n), "event_source": f"{source}.amazonaws.com", "event_name_base": name,
        "outcome": "success", "identity_type": "AssumedRole", "actor": "role/app", "account_id": "111122223333", "region": "us-east-1",
    } | changes  # fmt: skip


def audit(n, action, **changes):
    return {
        "event_key": f"{n:032d}", "event_time": AT + timedelta(minutes=n), "provider": "openai", "owner": "Brindlewick", "action": action,
        "outcome": "success", "actor_email": "ada@brindlewick.example", "actor_id": "user-1",
    } | changes  # fmt: skip


def user(n, name, **changes):
    return {
        "event_key": f"{n:032d}",
        "account_id": "111122223333",
        "user_name": name,
        "password_enabled": True,
        "mfa_active": True,
    } | changes


def key(**changes):
    return {
        "customer": "Brindlewick", "provider": "openai", "key_id": "key_A", "exposure": "read", "abuse": "none_seen", "rotated_at": None,
        "revoked_at": None, "last_use": None, "last_bucket_from": None, "location": "secret:us-east-1:prod/a", "reasons": [{"event_keys": ["r1"]}],
    } | changes  # fmt: skip


def answers(keys=(), baseline=BASELINE, **tables):
    connection = new_store()
    store = EventStore(connection)
    for table, rows in tables.items():
        store.insert(table, rows)
    engine = DuckDBEngine(connection)

    def rows(query_id):
        query = catalogue().by_id(query_id)
        return engine.run(query.sql, bind(query, **WINDOW, baseline_until=baseline)).dicts()

    found = posture_of(rows, list(keys), baseline)
    connection.close()
    return {a["question"]: a for a in found}


LOGIN = {"identity_type": "IAMUser", "actor": "user/ada"}
NO_FACTOR, FACTOR = ({"additional_event_data": f'{{"MFAUsed":"{v}"}}'} for v in ("No", "Yes"))
OPEN = json.dumps({"policyDocument": '{"Statement":[{"Effect":"Allow","Action":["*"],"Resource":"*"}]}'})
SHUT = json.dumps({"policyDocument": '{"Statement":[{"Effect":"Deny","Action":["*"],"Resource":"*"}]}'})
READ = {"actor": "role/app"}


def secret(n, name="GetSecretValue", value="prod/a", **changes):
    event = aws(n, "secretsmanager", name, **changes)
    return event, {"event_key": event["event_key"], "kind": "secret", "n": 0, "value": value}


def secrets(*pairs):
    return {"aws_event": [event for event, _ in pairs], "aws_event_item": [item for _, item in pairs]}


EARLY = {"event_time": datetime(2026, 5, 2)}


@pytest.mark.parametrize(
    ("question", "answer", "behind", "tables"),
    [
        ("second_factor", "not evaluable", [], {}),
        ("second_factor", "not seen in the evidence", [], {"aws_event": [aws(1, "s3", "GetObject")]}),
        ("second_factor", "no", [2], {"aws_event": [aws(1, "signin", "ConsoleLogin", **LOGIN, **FACTOR), aws(2, "signin", "ConsoleLogin", **LOGIN, **NO_FACTOR)]}),
        ("second_factor", "not seen in the evidence", [1], {"aws_event": [aws(1, "signin", "ConsoleLogin", **LOGIN, **FACTOR)]}),
        ("second_factor", "not seen in the evidence", [], {"aws_event": [aws(1, "signin", "ConsoleLogin", **NO_FACTOR)]}),
        ("second_factor", "yes", [1], {"iam_credential_report": [user(1, "ada")]}),
        ("second_factor", "no", [2], {"iam_credential_report": [user(1, "ada"), user(2, "bo", mfa_active=False)]}),
        ("second_factor", "yes", [2], {"iam_credential_report": [user(2, "ada"), user(3, "robot", password_enabled=False, mfa_active=False)]}),
        ("no_long_lived_keys", "not evaluable", [], {}),
        ("no_long_lived_keys", "no", [1], {"aws_event": [aws(1, "s3", "GetObject", credential_class="AKIA", credential_id="AKIAEXAMPLE1")]}),
        ("no_long_lived_keys", "not seen in the evidence", [], {"aws_event": [aws(1, "s3", "GetObject", credential_class="ASIA", credential_id="ASIAEXAMPLE1")]}),
        ("no_long_lived_keys", "yes", [9], {"aws_event": [aws(1, "s3", "GetObject")], "iam_credential_report": [user(9, "ada")]}),
        ("no_long_lived_keys", "no", [9], {"aws_event": [aws(1, "s3", "GetObject")], "iam_credential_report": [user(9, "ada", key2_active=True)]}),
        ("least_privilege", "not evaluable", [], {}),
        ("least_privilege", "not seen in the evidence", [], {"aws_event": [aws(1, "iam", "PutRolePolicy", request_parameters=SHUT)]}),
        ("least_privilege", "no", [1], {"aws_event": [aws(1, "iam", "PutRolePolicy", request_parameters=OPEN)]}),
        ("least_privilege", "no", [1], {"aws_event": [aws(1, "iam", "AttachUserPolicy", request_policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")]}),
        ("least_privilege", "no", [1], secrets(secret(1))),
        ("least_privilege", "not seen in the evidence", [], secrets(secret(1), secret(2, **EARLY))),
        ("alerts_on_spikes", "not evaluable", [], {}),
        ("alerts_on_spikes", "not seen in the evidence", [], {"ai_audit_event": [audit(1, "login.succeeded")]}),
        ("alerts_on_spikes", "yes", [1], {"aws_event": [aws(1, "budgets", "CreateBudget")]}),
        ("alerts_on_spikes", "no", [2], {"ai_audit_event": [audit(1, "platform_spend_limit_updated"), audit(2, "platform_spend_limit_deleted")]}),
        ("alerts_on_spikes", "yes", [2], {"ai_audit_event": [audit(1, "platform_spend_limit_deleted"), audit(2, "platform_spend_limit_created")]}),
        ("unusual_logins_detected", "not evaluable", [], {"ai_audit_event": [audit(1, "login.succeeded")]}),
        ("unusual_logins_detected", "no", [1], {"aws_event": [aws(1, "guardduty", "DeleteDetector")]}),
        ("unusual_logins_detected", "yes", [1], {"aws_event": [aws(1, "guardduty", "GetFindings")]}),
        ("addresses_allow_listed", "not evaluable", [], {"aws_event": [aws(1, "s3", "GetObject")]}),
        ("addresses_allow_listed", "no", [1], {"ai_audit_event": [audit(1, "ip_allowlist.config.deactivated"), audit(2, "ip_allowlist.config.activated", owner="Other")]}),
        ("addresses_allow_listed", "yes", [1], {"ai_audit_event": [audit(1, "ip_allowlist.config.activated"), audit(2, "ip_allowlist.deleted", outcome="failure")]}),
        ("secret_reads_logged", "not evaluable", [], {}),
        ("secret_reads_logged", "yes", [1], secrets(secret(1))),
        ("secret_reads_logged", "not seen in the evidence", [], secrets(secret(1, outcome="denied"))),
        ("rotated_by_schedule", "not evaluable", [], {}),
        ("rotated_by_schedule", "yes", [1], secrets(secret(1, "RotateSecret", identity_type="AWSService"))),
        ("rotated_by_schedule", "not seen in the evidence", [1], secrets(secret(1, "PutSecretValue"))),
        ("rotated_by_schedule", "not seen in the evidence", [1], secrets(secret(1, "RotateSecret", invoked_by="secretsmanager.amazonaws.com"), secret(2, value="prod/b"))),
        ("key_changes_attributed", "not evaluable", [], {}),
        ("key_changes_attributed", "yes", [1], {"ai_audit_event": [audit(1, "api_key.created")]}),
        ("key_changes_attributed", "no", [2], {"ai_audit_event": [audit(1, "api_key.deleted"), audit(2, "platform_api_key_created", actor_email=None, actor_id=None, actor_key_id="key_Z")]}),
        ("key_changes_attributed", "not seen in the evidence", [], {"ai_audit_event": [audit(1, "api_key.created", outcome="failure")]}),
    ],
)  # fmt: skip
def test_answers_from_logs(question, answer, behind, tables):
    found = answers(**tables)[question]
    assert (found["answer"], found["event_keys"]) == (answer, [f"{n:032d}" for n in behind]), found["why"]
    assert found["why"] and found["rows"] == len(behind)


LATE = {"rotated_at": AT, "last_use": AT + timedelta(hours=2), "last_bucket_from": AT + timedelta(hours=1)}
STRADDLES = LATE | {"last_bucket_from": AT - timedelta(minutes=30), "last_use": AT + timedelta(minutes=30)}


@pytest.mark.parametrize(
    ("question", "answer", "keys"),
    [
        ("every_key_rotated", "not evaluable", []),
        ("every_key_rotated", "not evaluable", [key(exposure="none_seen")]),
        ("every_key_rotated", "no", [key(rotated_at=AT), key(key_id="key_B")]),
        (
            "every_key_rotated",
            "yes",
            [key(rotated_at=AT), key(key_id="key_B", revoked_at=AT), key(exposure="none_seen")],
        ),
        ("every_key_rotated", "no", [key(exposure="none_seen", abuse="established")]),
        ("old_keys_stopped", "not evaluable", [key()]),
        ("old_keys_stopped", "no", [key(**LATE)]),
        ("old_keys_stopped", "not seen in the evidence", [key(**STRADDLES)]),
        ("old_keys_stopped", "not evaluable", [key(rotated_at=AT)]),
        ("kept_in_a_manager", "yes", [key(), key(location="ssm:us-east-1:/a")]),
        ("kept_in_a_manager", "no", [key(), key(location="lambda:us-east-1:f")]),
        ("kept_in_a_manager", "not evaluable", [key(), key(location="")]),
        ("kept_in_a_manager", "not evaluable", []),
    ],
)
def test_answers_from_keys(question, answer, keys):
    found = answers(keys)[question]
    assert found["answer"] == answer, found["why"]
    if answer in {"yes", "no"}:
        assert found["event_keys"] == ["r1"]


def test_every_query_of_the_folder_is_asked_and_every_answer_names_its_queries():
    listed = {q.id for q in catalogue() if q.id.startswith("posture.")}
    assert listed == {f"posture.{name}" for name in QUERIES}
    known = {q.id for q in catalogue()}
    found = answers()
    assert len(found) == len(QUESTIONS) == 12
    assert all(a["query_ids"] and set(a["query_ids"]) <= known for a in found.values())


def test_command_prints_what_the_case_stores_and_json_is_documented(made_sample_case, capsys):
    root = str(made_sample_case.root)
    assert run(["posture", root, "--json"]) == 10
    told = json.loads(capsys.readouterr().out)["answers"]
    by_name = {a["question"]: a["answer"] for a in told}
    assert by_name["every_key_rotated"] == by_name["old_keys_stopped"] == by_name["no_long_lived_keys"] == "no"
    assert by_name["secret_reads_logged"] == "yes" and by_name["unusual_logins_detected"] == "not seen in the evidence"
    connection = made_sample_case.reader()
    rows = connection.execute("SELECT question, answer FROM posture ORDER BY place").fetchall()
    events = {
        row[0]
        for row in connection.execute("SELECT event_key FROM activity UNION SELECT event_key FROM ai_usage").fetchall()
    }
    connection.close()
    assert dict(rows) == by_name
    assert {e for a in told for e in a["event_keys"]} <= events
    assert run(["posture", root]) == 10 and "Was every exposed" in capsys.readouterr().out


def test_posture_stands_in_the_report_and_moves_no_verdict(made_sample_case):
    from forensics.report.render import render_report
    from tests.building import clock

    html = render_report(made_sample_case, clock).html.decode()
    assert "Were the advised mitigations in place" in html and "posture.long_lived_keys" in html
    assert "Models called with these credentials" in html and "estimated, not billed" in html
