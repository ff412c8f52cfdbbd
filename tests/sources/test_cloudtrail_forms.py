"""CloudTrail in every shape: one event comes out of each with the same columns, through the real reader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forensics.ingest.enclosed import text_at
from forensics.ingest.scratch import read_bytes
from forensics.store.duckdb_engine import rows_of
from tests.sources.building import claimants
from tests.stores import new_store

EVENT: dict[str, Any] = {
    "eventVersion": "1.08",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEEXAMPLE:ada",
        "arn": "arn:aws:sts::111122223333:assumed-role/ops/ada",
        "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLEEXAMPLE00",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ops", "userName": "ops"},
            "attributes": {"creationDate": "2026-03-01T10:00:00Z", "mfaAuthenticated": "true"},
        },
    },
    "eventTime": "2026-03-01T10:20:30Z",
    "eventSource": "secretsmanager.amazonaws.com",
    "eventName": "GetSecretValue",
    "awsRegion": "eu-central-1",
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "example-client/1.0 ünï",
    "requestParameters": {"secretId": "prod/model-key"},
    "responseElements": None,
    "requestID": "11111111-2222-3333-4444-555555555555",
    "eventID": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "readOnly": True,
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": "111122223333",
    "eventCategory": "Management",
}
TEXT = json.dumps(EVENT, ensure_ascii=False)
OTHER = {**EVENT, "eventID": "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee", "eventName": "ListSecrets"}
PLAIN = json.dumps({"Records": [EVENT]}, ensure_ascii=False)


def data_message(*events: Any, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    logged = [{"id": str(n), "timestamp": 1, "message": json.dumps(e)} for n, e in enumerate(events)]
    return {"messageType": kind, "owner": "111122223333", "logGroup": "g", "logStream": "s", "logEvents": logged}


def envelope(event: Any) -> dict[str, Any]:
    kind = "AWS API Call via CloudTrail"
    return {"version": "0", "id": "1", "detail-type": kind, "source": "aws.x", "resources": [], "detail": event}


OTHER_BUS_EVENT = {
    "version": "0",
    "id": "2",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "111122223333",
    "time": "2026-03-01T10:20:30Z",
    "region": "eu-central-1",
    "resources": [],
}
CONTROL = {
    "messageType": "CONTROL_MESSAGE",
    "logEvents": [{"id": "", "message": "CWL CONTROL MESSAGE: Checking health"}],
}
INSIGHT = {"eventVersion": "1.09", "eventType": "AwsCloudTrailInsight", "eventCategory": "Insight", "eventID": "1"}
AGGREGATED = {"eventVersion": "1.0", "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent", "eventId": "1"}
DIGEST = {"digestStartTime": "2026-03-01T09:00:00Z", "digestS3Object": "k", "logFiles": []}
RECORDS = json.dumps({"Records": [EVENT]})
FULL = {
    "insight first": ("aws_cloudtrail", json.dumps({"Records": [INSIGHT, AGGREGATED, EVENT]})),
    "files of insights first": ("aws_cloudtrail", json.dumps({"Records": [INSIGHT, INSIGHT]}) + "\n" + RECORDS),
    "line of an insight first": ("aws_cloudtrail", json.dumps(INSIGHT) + "\n" + TEXT),
    "list with an insight first": ("aws_cloudtrail", json.dumps([INSIGHT, EVENT])),
    "digest first": ("aws_cloudtrail", json.dumps(DIGEST) + "\n" + json.dumps({"Records": []}) + RECORDS),
    "list of files, digest first": ("aws_cloudtrail", json.dumps([DIGEST, {"Records": [EVENT]}])),
    "api dump": ("aws_cloudtrail_cloudwatch", json.dumps({"events": [{"timestamp": 1, "message": TEXT}]})),
    "subscription": ("aws_cloudtrail_cloudwatch", json.dumps(data_message(EVENT))),
    "concatenated": ("aws_cloudtrail_cloudwatch", json.dumps(data_message(EVENT)) + json.dumps(data_message(OTHER))),
    "control first": ("aws_cloudtrail_cloudwatch", json.dumps(CONTROL) + json.dumps(data_message(EVENT))),
    "query results": (
        "aws_cloudtrail_cloudwatch",
        json.dumps({"results": [[{"field": "@timestamp", "value": "2026"}, {"field": "@message", "value": TEXT}]]}),
    ),
    "export lines": (
        "aws_cloudtrail_cloudwatch",
        f"2026-03-01T10:21:00.000Z {TEXT}\r\n2026-03-01T10:22:00.000Z {json.dumps(OTHER)}\n",
    ),
    "eventbridge": ("aws_cloudtrail_eventbridge", json.dumps(envelope(EVENT)) + json.dumps(envelope(OTHER))),
    "eventbridge, another event first": (
        "aws_cloudtrail_eventbridge",
        json.dumps({**OTHER_BUS_EVENT, "detail": {"state": "running"}}) + "\n" + json.dumps(envelope(EVENT)),
    ),
    "texts": ("aws_cloudtrail_lookup", json.dumps([TEXT, json.dumps(OTHER)])),
    "tabs": ("aws_cloudtrail", TEXT + "\t" + json.dumps(OTHER) + "\n"),
    "lookup": (
        "aws_cloudtrail",
        json.dumps({"Events": [{"EventId": "1", "ReadOnly": "true", "CloudTrailEvent": TEXT}]}),
    ),
}
COLUMNS = (
    "event_id, event_time, event_source, event_name, region, account_id, actor, credential_id, session_name, mfa,"
    " source_ip, user_agent, request_secret_id, outcome, fidelity"
)


def first_row(connection: Any, columns: str = COLUMNS) -> dict[str, Any]:
    return rows_of(connection, f"SELECT {columns} FROM aws_event WHERE event_id = '{EVENT['eventID']}'", {})[0]


@pytest.mark.parametrize("form", sorted(FULL))
def test_each_form_gives_the_event_as_s3_delivers_it(form: str) -> None:
    source, text = FULL[form]
    plain, store = new_store(), new_store()
    read_bytes(plain, "plain.json", PLAIN.encode())
    reading, account = read_bytes(store, "x", text.encode())
    assert (reading.source_id, account["defect"]) == (source, 0)
    assert account["seen"] == account["accepted"] + account["out_of_scope"]
    assert first_row(store) == first_row(plain)


@pytest.mark.parametrize("form", sorted(FULL))
def test_the_form_and_the_plain_delivery_of_one_event_count_once(form: str) -> None:
    store = new_store()
    read_bytes(store, "plain.json", PLAIN.encode())
    read_bytes(store, "x", FULL[form][1].encode())
    assert store.execute("SELECT count(*) FROM aws_event WHERE event_name = 'GetSecretValue'").fetchall() == [(1,)]
    assert store.execute("SELECT count(*) FROM aws_event WHERE id_conflict").fetchall() == [(0,)]


@pytest.mark.parametrize("form", sorted(FULL))
def test_the_place_of_a_record_leads_back_to_its_text(form: str) -> None:
    store, data = new_store(), FULL[form][1].encode()
    read_bytes(store, "x", data)
    for offset, length, pointer in store.execute(
        "SELECT byte_offset, byte_length, json_pointer FROM occurrence"
    ).fetchall():
        outer = data[offset : offset + length].decode()
        text = text_at(outer, pointer) if pointer else outer
        assert "eventSource" in text
        json.loads(text)


def test_control_messages_are_out_of_scope_and_said() -> None:
    reading, account = read_bytes(new_store(), "x", FULL["control first"][1].encode())
    assert (account["out_of_scope"], account["accepted"]) == (1, 1)
    assert any("control messages" in note for note in reading.notes)


def test_messages_of_other_logs_are_not_claimed() -> None:
    dump = json.dumps({"events": [{"timestamp": 1, "message": json.dumps({"modelId": "m", "requestId": "r"})}]})
    reading, _ = read_bytes(new_store(), "x", dump.encode())
    assert not (reading.source_id or "").startswith("aws_cloudtrail")
    bridge = json.dumps({"detail-type": "GuardDuty Finding", "detail": {"severity": 5}})
    reading, _ = read_bytes(new_store(), "x", bridge.encode())
    assert reading.source_id is None


def test_a_line_of_an_export_that_is_no_json_is_one_defect() -> None:
    text = FULL["export lines"][1] + "2026-03-01T10:23:00.000Z {broken\n"
    _, account = read_bytes(new_store(), "x", text.encode())
    assert (account["seen"], account["accepted"], account["defect"]) == (3, 2, 1)


@pytest.mark.parametrize("event", [{"eventCategory": "Insight"}, {"eventType": "AwsAggregatedEvent"}])
def test_insights_and_aggregates_stay_apart(event: dict[str, str]) -> None:
    _, account = read_bytes(new_store(), "x", json.dumps(data_message(EVENT, {**EVENT, **event})).encode())
    assert (account["accepted"], account["out_of_scope"]) == (1, 1)


@pytest.mark.parametrize(("time", "message"), [("timestamp", "message"), ("@timestamp", "@Message")])
def test_downloads_of_cloudwatch_as_tables_give_the_event_as_s3_delivers_it(time: str, message: str) -> None:
    cells = [text.replace('"', '""') for text in (TEXT, "Permission Check Successful")]
    table = f"{time},{message}\r\n" + "".join(f'2026-03-01 10:21:00.000,"{cell}"\r\n' for cell in cells)
    plain, store = new_store(), new_store()
    read_bytes(plain, "plain.json", PLAIN.encode())
    reading, account = read_bytes(store, "x", table.encode())
    assert (reading.source_id, account["accepted"], account["defect"]) == ("aws_cloudtrail_cloudwatch", 1, 1)
    assert first_row(store) == first_row(plain)
    assert [defect["reason"] for defect in reading.defects] == ["the message is not JSON"]
    assert read_bytes(plain, "x", table.encode())[1]["duplicate"] == 1


def test_a_notification_of_s3_says_that_the_file_is_the_evidence() -> None:
    note = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": {}}}
    reading, account = read_bytes(new_store(), "x", json.dumps({"Records": [note, note]}).encode())
    assert (reading.source_id, account["out_of_scope"]) == ("aws_cloudtrail_queue", 2)
    assert reading.notes == ["a notification that a file was delivered: the file is the evidence"]


def test_events_behind_a_large_insight_are_found() -> None:
    large = {**INSIGHT, "insightDetails": "x" * 4_000_000}
    assert claimants(json.dumps({"Records": [large, EVENT]})) == ["aws_cloudtrail"]
    assert claimants(json.dumps({"Records": [large, INSIGHT]})) == ["cloudtrail_insight"]


@pytest.mark.parametrize("form", ["digest first", "list of files, digest first"])
def test_a_digest_among_events_is_out_of_scope_and_said(form: str) -> None:
    reading, account = read_bytes(new_store(), "x", FULL[form][1].encode())
    assert (account["accepted"], account["out_of_scope"]) == (1, 1)
    assert "a digest among events: it can be checked only as a file of its own" in reading.notes


@pytest.mark.parametrize("form", sorted(FULL))
def test_the_order_of_files_moves_nothing(form: str) -> None:
    files = [PLAIN.encode(), FULL[form][1].encode()]
    dumps = []
    for order in (files, files[::-1]):
        store = new_store()
        for data in order:
            read_bytes(store, "x", data)
        columns = f"event_key, source_id, {COLUMNS}, evidence, id_conflict"
        dumps.append(rows_of(store, f"SELECT {columns} FROM aws_event ORDER BY event_key", {}))
    assert dumps[0] == dumps[1]
