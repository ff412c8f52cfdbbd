"""The invocation log of Bedrock: principals and tokens, never what was asked or answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.sources.building import read_json, read_values, rows

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
