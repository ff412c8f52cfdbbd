"""The invocation log of Bedrock: principals and tokens, never what was asked or answered."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_text, read_values, rows
from tests.stores import new_store

PROMPT = "an invented question that nobody may store"


def call(**changes: Any) -> dict[str, Any]:
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-11-14T02:11:09Z",
        "accountId": "111122223333",
        "identity": {"arn": "arn:aws:iam::111122223333:user/BedrockAPIKey-x7q2"},
        "region": "us-east-1",
        "requestId": "3b1f0000-0000-4000-8000-000000000001",
        "operation": "Converse",
        "modelId": "us.anthropic.claude-opus-4-5-20251101-v1:0",
        "inferenceRegion": "us-west-2",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": PROMPT}]}]},
            "inputTokenCount": 18211,
            "cacheReadInputTokenCount": 40,
            "cacheWriteInputTokenCount": 2,
        },
        "output": {
            "outputBodyJson": [{"delta": PROMPT}],
            "outputTokenCount": 4096,
            "outputBodyS3Path": "s3://b/k",
        },
        **changes,
    }


def test_a_call_becomes_a_row_with_exact_values() -> None:
    source, reading = read_json(call())
    assert source == "bedrock_invocation"
    assert rows(reading) == [
        {
            "provider": "aws_bedrock",
            "event_time": datetime.fromisoformat("2026-11-14T02:11:09"),
            "end_time": None,
            "request_id": "3b1f0000-0000-4000-8000-000000000001",
            "operation": "Converse",
            "model": "us.anthropic.claude-opus-4-5-20251101-v1:0",
            "upstream_provider": None,
            "key_id": None,
            "key_name": None,
            "key_hash": None,
            "principal": "arn:aws:iam::111122223333:user/BedrockAPIKey-x7q2",
            "user_id": None,
            "account_id": "111122223333",
            "region": "us-east-1",
            "source_ip": None,
            "source_ip_key": None,
            "user_agent": None,
            "status": "ok",
            "error_code": None,
            "input_tokens_total": 18253,
            "cache_read_tokens": 40,
            "cache_write_tokens": 2,
            "output_tokens": 4096,
            "cost": None,
            "currency": None,
            "raw": '{"inferenceRegion":"us-west-2",'
            '"input":{"inputContentType":"application/json","inputTokenCount":18211},'
            '"output":{"outputBodyS3Path":"s3://b/k"},"schemaVersion":"1.0"}',
        }
    ]
    assert reading.answers[0].native_id == "3b1f0000-0000-4000-8000-000000000001"
    assert reading.notes == []


@pytest.mark.parametrize(
    "values",
    [[call(), call()], [[call(), call()]], [{"Records": [call(), call()]}], [{"events": [call(), call()]}]],
)
def test_lines_lists_and_objects_are_read_without_bodies(values: list[Any]) -> None:
    source, reading = read_json(*values)
    assert (source, len(rows(reading))) == ("bedrock_invocation", 2)
    assert PROMPT not in repr([answer.row for answer in reading.answers])


def test_bodies_of_any_name_and_type_are_left_out() -> None:
    one = call(input={"inputBodyText": PROMPT, "inputBodyJson": PROMPT}, output={"outputVideoBody": PROMPT})
    assert PROMPT not in repr(rows(read_json(one)[1]))


def test_an_error_is_an_error() -> None:
    (row,) = rows(read_json(call(errorCode="ValidationException"))[1])
    assert (row["status"], row["error_code"]) == ("error", "ValidationException")


def test_cached_tokens_of_other_models_are_counted_with_a_remark() -> None:
    reading = read_json(call(modelId="amazon.nova-pro-v1:0"))[1]
    assert rows(reading)[0]["input_tokens_total"] == 18253
    assert "Anthropic models only" in reading.notes[0]


def test_a_count_that_is_no_number_stays_in_raw() -> None:
    reading = read_json(call(input={"inputTokenCount": "lots"}))[1]
    assert rows(reading)[0]["input_tokens_total"] is None
    assert '"inputTokenCount":"lots"' in rows(reading)[0]["raw"]
    assert reading.notes == ["inputTokenCount is not a whole number"]


def test_records_without_time_or_of_another_schema_are_defects() -> None:
    values = [call(timestamp=None), call(schemaType="Other"), 7, call()]
    reading = read_values("bedrock_invocation", values)
    assert [bool(answer.defect) for answer in reading.answers] == [True, True, True, False]


def test_coverage_spans_the_calls() -> None:
    (row,) = read_json(call(), call(timestamp="2026-11-14T05:00:00Z"))[1].coverage
    assert (row["endpoint"], row["granularity_s"], row["covered_from"].hour) == ("requests", None, 2)
    assert row["covered_until"] == datetime.fromisoformat("2026-11-14T05:00:00.000001")


def as_csv(*values: dict[str, Any], header: str = "@timestamp,@message") -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header.split(","))
    writer.writerows([["2026-11-14 02:11:10.123", json.dumps(value)] for value in values])
    return out.getvalue()


def as_events(*values: dict[str, Any], name: str = "events") -> str:
    events = [{"timestamp": 1794622270123, "message": json.dumps(v), "eventId": "3"} for v in values]
    return json.dumps({name: events, "logGroup": "bedrock", "messageType": "DATA_MESSAGE"})


@pytest.mark.parametrize(
    "text", [as_csv(call(), call()), as_events(call(), call()), as_events(call(), call(), name="logEvents")]
)
def test_ways_through_cloudwatch_logs_give_the_same_rows_without_bodies(text: str) -> None:
    source, reading = read_text(text)
    assert source == "bedrock_invocation"
    direct = rows(read_json(call(), call())[1])
    assert rows(reading) == direct
    assert PROMPT not in repr(direct)


def test_a_call_that_came_every_way_is_one_request_and_joins_its_cloudtrail_event() -> None:
    connection = new_store()
    trail = {
        "eventVersion": "1.11",
        "eventID": "e0000000-0000-4000-8000-000000000001",
        "requestID": call()["requestId"],
        "eventTime": "2026-11-14T02:11:09Z",
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "Converse",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.77",
        "userAgent": "x",
        "userIdentity": {"type": "IAMUser", "arn": call()["identity"]["arn"], "accountId": "111122223333"},
    }
    for text in (json.dumps(call()), as_csv(call()), as_events(call()), json.dumps({"Records": [trail]})):
        read_bytes(connection, "x", text.encode(), owner="acme")
    found = connection.execute(
        "SELECT r.output_tokens, e.source_ip FROM ai_request AS r JOIN aws_event AS e ON e.request_id = r.request_id"
    ).fetchall()
    assert found == [(4096, "203.0.113.77")]
    held = connection.execute("SELECT raw FROM ai_request").fetchall()
    assert len(held) == 1
    assert '"outputBodyS3Path":"s3://b/k"' in held[0][0]  # where a large body lies is a lead; the body is not kept


def test_a_subscription_that_begins_with_a_control_message_is_read() -> None:
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "message": "CWL CONTROL MESSAGE: health"}]}
    reading, account = read_bytes(
        new_store(), "x", (json.dumps(control) + as_events(call(), name="logEvents")).encode()
    )
    assert (reading.source_id, account["accepted"], account["out_of_scope"]) == ("bedrock_invocation", 1, 1)


def test_messages_that_are_no_log_are_defects() -> None:
    text = as_csv(call()) + "2026-11-14 02:11:10.123,plain words\r\n"
    assert [a.defect for a in read_text(text)[1].answers] == ["", "@message is not JSON"]
    assert claimants(as_csv({"some": "message"})) == []
