"""A page of a longer answer says so, whatever its format: in the remarks of the file and in what it proves."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from forensics.ingest.reading import FileReading, Received, read_file
from forensics.ingest.unpack import unpack
from forensics.sources.protocol import Provenance
from forensics.store.eventstore import Group
from tests.building import event

MORE = "truncated: the last page says that more follows"
CALL = {
    "id": "r1",
    "created_at": "2026-11-14T02:00:00Z",
    "provider": "openai",
    "model": "m",
    "tokens_in": 1,
    "tokens_out": 1,
}
SPAN = {
    "id": "o1",
    "traceId": "t",
    "type": "GENERATION",
    "startTime": "2026-11-14T02:00:00Z",
    "usageDetails": {"input": 1},
}
ACT = {
    "timestamp": "2026-11-14T02:00:00Z",
    "method": "GET",
    "uri": "/v1/keys",
    "user_type": "api_key",
    "client_ip": "203.0.113.54",
}
ENTRY = {
    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access",
    "timestamp": "2026-11-14T02:00:00Z",
    "insertId": "i",
    "protoPayload": {
        "serviceName": "aiplatform.googleapis.com",
        "methodName": "google.cloud.aiplatform.v1.PredictionService.GenerateContent",
    },
}
METRIC = {
    "name": {"value": "ProcessedPromptTokens"},
    "id": "/subscriptions/s/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/a/providers/Microsoft.Insights/metrics/x",
    "timeseries": [{"metadatavalues": [], "data": [{"timeStamp": "2026-11-14T02:00:00Z", "total": 10}]}],
}
INVOCATION = {"schemaType": "ModelInvocationLog", "timestamp": "2026-11-14T02:00:00Z", "requestId": "q", "modelId": "m"}
LOGGED = {"timestamp": 1794614400000, "message": json.dumps(INVOCATION)}
LOOKED_UP = {"EventId": "e", "CloudTrailEvent": json.dumps(event(1))}
#: Format, page, what of it says that more follows, and the same of a last page.
PAGES = [
    ("cloudflare_gateway", {"result": [CALL]}, *({"result_info": {"page": 1, "per_page": 1, "total_count": n}} for n in (2, 1))),
    ("langfuse", {"data": [SPAN]}, *({"meta": {"page": 1, "limit": 1, "totalPages": n}} for n in (3, 1))),
    ("portkey_audit", {"records": [ACT]}, {"total": 40}, {"total": 1}),
    ("vertex_audit", {"entries": [ENTRY]}, {"nextPageToken": "t"}, {"nextPageToken": ""}),
    ("azure_metrics", {"value": [METRIC], "interval": "PT1M"}, {"nextLink": "https://n.example"}, {"nextLink": None}),
    ("bedrock_invocation", {"events": [LOGGED]}, {"nextToken": "t"}, {}),
    ("aws_cloudtrail", {"Events": [LOOKED_UP]}, {"NextToken": "t"}, {"NextToken": None}),
]  # fmt: skip


def read(value: Any) -> tuple[FileReading, Group]:
    data, group = json.dumps(value).encode(), Group()
    return read_file(Received(sha256(data).hexdigest(), unpack(data), 1, Provenance()), group), group


@pytest.mark.parametrize(("source", "page", "more", "done"), PAGES, ids=[p[0] for p in PAGES])
def test_a_page_that_more_follows_says_so(source: str, page: Any, more: Any, done: Any) -> None:
    for told, said in ((more, [MORE]), (done, [])):
        reading, group = read(page | told)
        assert (reading.source_id, reading.seen, reading.offered) == (source, 1, 1)
        assert [note for note in reading.notes if "truncated" in note] == said
        assert {row["truncated"] for row in group.other.get("ai_coverage", [])} <= {bool(said)}


def test_a_cursor_leaves_open_whether_more_follows() -> None:
    span = {"id": "e1", "_xact_id": "1", "created": "2026-11-14T02:00:00Z", "span_id": "s", "root_span_id": "s"}
    span |= {"span_attributes": {"type": "llm"}, "metrics": {"prompt_tokens": 1}}
    for cursor, said in (("abc", 1), (None, 0)):
        reading, _ = read({"events": [span], "cursor": cursor})
        assert reading.offered == 1
        assert sum("cursor" in note for note in reading.notes) == said


def test_a_note_of_the_format_itself_is_not_repeated() -> None:
    key = {"object": "organization.project.api_key", "id": "key_1", "name": "prod", "redacted_value": "sk-...ab"}
    reading, _ = read({"object": "list", "data": [key], "has_more": True})
    assert [note for note in reading.notes if note.startswith("truncated")] == [
        "truncated: the last page says that more follows, so a key that is not listed may exist"
    ]


def test_lists_of_interfaces_are_found_by_their_everyday_names() -> None:
    for name in ("entries", "value"):
        assert read({name: [ENTRY]})[0].source_id == "vertex_audit"


@pytest.mark.parametrize(
    "page",
    [
        {"object": "page", "data": [], "has_more": False, "next_page": None},
        {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False},
        {"data": [], "has_more": False, "next_page": None},
    ],
)
def test_an_empty_page_is_told_from_an_unknown_format(page: dict[str, Any]) -> None:
    content = unpack(json.dumps(page).encode())
    reading = read_file(Received(content.sha256, content, 1, Provenance()), Group())
    assert (reading.state, reading.seen) == ("skipped", 0)
    assert reading.reason.startswith("no records: the list data is empty, so nothing tells what was asked for")
