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
        ("cloudtrail_insight", lines(INSIGHT, INSIGHT), 2),
        ("receipt_table", "path,owner,received_at\ncustomers/a,A,2026-05-06\nb.json,B,2026-05-06\n", 2),
        (
            "openai_keys",
            lines({"object": "list", "data": [{"object": "organization.project.api_key", "id": "key_1"}]}),
            1,
        ),
        (
            "openai_keys",
            lines({"object": "list", "data": [{"object": "organization.admin_api_key", "id": "k"}]}),
            1,
        ),
        (
            "anthropic_keys",
            lines({"data": [{"type": "api_key", "id": "a", "partial_key_hint": "sk-...x"}]}),
            1,
        ),
    ],
)
def test_each_is_named_and_every_record_answered(source: str, text: str, records: int) -> None:
    found, reading = read_text(text)
    assert found == source
    assert catalogue()[source].table == ""
    assert [answer.out_of_scope for answer in reading.answers] == ["registered, not yet checked"] * records
    assert reading.coverage == []


@pytest.mark.parametrize(
    "text",
    [
        lines({"name": {"signature": "x"}}),
        lines({"key": "k", "signature": "x"}),
        lines({"Metadata": {"signature": "x"}}),
        lines({"logFiles": []}),
        lines({"data": [{"type": "api_key"}]}),
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
