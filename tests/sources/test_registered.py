"""What is registered without being read: each is named by one format, and every record is answered."""

from __future__ import annotations

import json

import pytest

from forensics.sources.catalogue import catalogue
from tests.sources.building import claimants, read_text

DIGEST_KEY = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/05/05/x.json.gz"
SIGNED = {"signature": "1b3b" * 128, "signature-algorithm": "SHA256withRSA"}
DIGEST = {
    "awsAccountId": "111122223333",
    "digestStartTime": "2026-05-05T00:00:00Z",
    "digestEndTime": "2026-05-05T01:00:00Z",
    "digestS3Bucket": "bucket",
    "digestS3Object": DIGEST_KEY,
}
LOG_FILE = {"s3Bucket": "bucket", "s3Object": "k", "hashValue": "00", "hashAlgorithm": "SHA-256"}
PUBLIC_KEY = {"Value": "MIIB", "Fingerprint": "00", "ValidityStartTime": 1, "ValidityEndTime": 2}
INSIGHT = {
    "eventVersion": "1.07",
    "eventType": "AwsCloudTrailInsight",
    "eventCategory": "Insight",
    "eventID": "1",
}
AGGREGATED = {
    "eventVersion": "1.0",
    "accountId": "111122223333",
    "eventId": "1",
    "eventCategory": "Aggregated",
    "eventType": "AwsAggregatedEvent",
    "awsRegion": "us-east-1",
    "eventSource": "s3.amazonaws.com",
    "timeWindow": {"windowStart": "2026-05-05T02:00:00Z", "windowEnd": "2026-05-05T02:05:00Z", "windowSize": "PT5M"},
    "summary": {"primaryDimension": {"dimension": "eventName", "statistics": [{"name": "GetObject", "value": 5}]}},
}
LAKE_SIGNATURE = {
    "version": "1.0",
    "region": "us-east-1",
    "files": [{"fileHashValue": "00", "fileName": "result_1.csv.gz"}],
    "hashAlgorithm": "SHA-256",
    "signatureAlgorithm": "SHA256withRSA",
    "queryCompleteTime": "2026-05-05T03:00:00Z",
    "hashSignature": "00",
    "publicKeyFingerprint": "00",
}
SERIES = {"group": ["k"], "groupLabels": ["prod"], "dataPoints": [{"timestamp": "2026-11-14", "values": [1.5]}]}


def lines(*values: object) -> str:
    return "\n".join(json.dumps(value) for value in values)


@pytest.mark.parametrize(
    ("source", "text", "records"),
    [
        ("cloudtrail_digest", lines({**DIGEST, "logFiles": [LOG_FILE]}), 1),
        ("cloudtrail_digest", lines({**DIGEST, "logFiles": []}, {**DIGEST, "logFiles": [LOG_FILE]}), 2),
        ("cloudtrail_public_keys", lines({"PublicKeyList": [PUBLIC_KEY]}), 1),
        ("cloudtrail_public_keys", lines({"publicKeyList": []}), 1),
        ("cloudtrail_public_keys", lines([PUBLIC_KEY]), 1),
        ("digest_metadata", lines({DIGEST_KEY: SIGNED, DIGEST_KEY + "2": SIGNED}), 1),
        ("digest_metadata", lines({DIGEST_KEY: {"signature": "damaged"}}), 1),
        (
            "digest_metadata",
            lines({"bucket": "b", "key": DIGEST_KEY, **SIGNED}, {"bucket": "b", "key": "k", **SIGNED}),
            2,
        ),
        ("digest_metadata", lines({"ETag": "e", "ContentLength": 5, "Metadata": SIGNED}), 1),
        ("cloudtrail_insight", lines({"Records": [INSIGHT]}), 1),
        ("cloudtrail_lake_signature", lines(LAKE_SIGNATURE), 1),
        ("cloudtrail_insight", lines({"Records": [INSIGHT, INSIGHT]}, {"Records": [INSIGHT]}), 3),
        ("cloudtrail_insight", lines(INSIGHT, INSIGHT), 2),
        ("receipt_table", "path,owner,received_at\ncustomers/a,A,2026-05-06\nb.json,B,2026-05-06\n", 2),
    ],
)
def test_each_is_named_and_every_record_answered(source: str, text: str, records: int) -> None:
    found, reading = read_text(text)
    assert found == source
    assert catalogue()[source].table == ""
    assert [answer.out_of_scope for answer in reading.answers] == ["registered, not yet checked"] * records
    assert reading.coverage == []


@pytest.mark.parametrize(
    ("text", "records"),
    [
        (lines({"Records": [AGGREGATED, AGGREGATED]}), 2),
        (lines({"Events": [AGGREGATED]}), 1),
        (lines([AGGREGATED, AGGREGATED]), 2),
        (lines(AGGREGATED), 1),
    ],
)
def test_aggregated_counts_are_registered_in_any_list_and_counted(text: str, records: int) -> None:
    found, reading = read_text(text)
    assert found == "cloudtrail_insight"
    counts = "aggregated CloudTrail record: counts, not events"
    assert [answer.out_of_scope for answer in reading.answers] == [counts] * records


def of_openai(name: str, **more: object) -> str:
    element = {"object": name, "id": "x_1", "name": "n", "created_at": 1794614400, **more}
    return lines({"object": "list", "data": [element, element], "first_id": "x_1", "has_more": False})


def of_anthropic(kind: str, prefix: str, **more: object) -> str:
    return lines({"data": [{"type": kind, "id": f"{prefix}_01Ab", "name": "n", **more}], "has_more": False})


@pytest.mark.parametrize(
    ("source", "text", "reasons"),
    [
        (
            "xai_usage",
            lines({"timeSeries": [SERIES, SERIES], "limitReached": True}),
            ["xAI usage, of which the request alone says what it counts (a column map can)"] * 2,
        ),
        ("openai_inventory", of_openai("organization.user", role="owner"), ["users of an organisation"] * 2),
        ("openai_inventory", of_openai("organization.project"), ["projects of an organisation"] * 2),
        (
            "openai_inventory",
            of_openai("organization.project.service_account"),
            ["service accounts of a project"] * 2,
        ),
        ("openai_inventory", of_openai("project.rate_limit", model="gpt-5"), ["rate limits of a project"] * 2),
        (
            "anthropic_inventory",
            of_anthropic("workspace", "wrkspc", created_at="2026-05-01T00:00:00Z", archived_at=None),
            ["workspaces of an organisation"],
        ),
        (
            "anthropic_inventory",
            of_anthropic("user", "user", email="dev@example.com", role="developer"),
            ["users of an organisation"],
        ),
        ("anthropic_inventory", of_anthropic("service_account", "svac"), ["service accounts of an organisation"]),
    ],
)
def test_lists_beside_keys_are_told_by_their_name(source: str, text: str, reasons: list[str]) -> None:
    found, reading = read_text(text)
    assert found == source
    assert catalogue()[source].table == ""
    assert [answer.out_of_scope for answer in reading.answers] == [f"{r}: registered, fills no table" for r in reasons]


@pytest.mark.parametrize(
    ("first", "key"),
    [
        (
            {"object": "organization.user", "id": "user-1"},
            {"object": "organization.project.api_key", "id": "key_1", "redacted_value": "sk-...x"},
        ),
        (
            {"type": "user", "id": "user_01", "email": "dev@example.com", "role": "admin"},
            {"type": "api_key", "id": "apikey_01", "partial_key_hint": "sk-ant-...x"},
        ),
    ],
)
def test_a_key_in_such_a_list_is_not_lost_in_silence(first: object, key: object) -> None:
    _, reading = read_text(lines(first, key))
    assert "a key among other things" in reading.answers[1].defect


@pytest.mark.parametrize(
    "text",
    [
        lines({"name": {"signature": "x"}}),
        lines({"key": "k", "signature": "x"}),
        lines({"Metadata": {"signature": "x"}}),
        lines({"logFiles": []}),
        lines({"data": [{"type": "api_key"}]}),
        lines({"data": [{"type": "user", "id": "7", "email": "a@example.com", "role": "x"}]}),
        "path,size\na,3\n",
        "",
        "[]",
        "{}",
        "3",
        "plain words\n",
    ],
)
def test_what_only_resembles_them_stays_unknown(text: str) -> None:
    assert claimants(text) == []
