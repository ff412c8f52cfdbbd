"""CloudTrail through log platforms: whole where the platform kept the record, put together again where it did not."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from forensics.sources.aws_cloudtrail_alerts import literal
from forensics.sources.trail_mapping import java_map, nested
from forensics.store.duckdb_engine import rows_of
from tests.paths import shared_data
from tests.sources.building import claimants
from tests.sources.test_cloudtrail_forms import EVENT, OTHER, PLAIN, TEXT, first_row
from tests.stores import new_store

DENIED = {
    **OTHER,
    "eventID": "c",
    "errorCode": "AccessDenied",
    "errorMessage": "not authorized",
    "requestParameters": None,
}


def table(*rows: dict[str, Any]) -> str:
    """A CSV file of rows with the names of the first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def flattened(event: dict[str, Any], before: str = "") -> dict[str, str]:
    """An event as fields of Splunk: dotted names, everything text."""
    fields: dict[str, str] = {}
    for name, value in event.items():
        if isinstance(value, dict):
            fields |= flattened(value, f"{before}{name}.")
        else:
            fields[before + name] = "null" if value is None else str(value).lower() if value is True else str(value)
    return fields


SPLUNK = {"_time": "2026-03-01T10:20:30.000+00:00", "host": "h", "sourcetype": "aws:cloudtrail", "index": "main"}


def splunk(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"preview": False, "result": {**SPLUNK, "_raw": json.dumps(event, ensure_ascii=False), **more}}


def beat(event: dict[str, Any], original: bool = False, flat: bool = True) -> dict[str, Any]:
    """A document as Filebeat and the agent make it of an event with a session."""
    identity = event["userIdentity"]
    session = identity["sessionContext"]
    request, text = event["requestParameters"], "{secretId=prod/model-key, tags=[{key=a, value=b, c}], versionId=null}"
    trail: dict[str, Any] = {
        "event_version": event["eventVersion"],
        "event_type": event["eventType"],
        "event_category": event["eventCategory"],
        "request_id": event["requestID"],
        "recipient_account_id": event["recipientAccountId"],
        "read_only": event["readOnly"],
        "management_event": event["managementEvent"],
        "error_code": event.get("errorCode"),
        "user_identity": {
            "type": identity["type"],
            "arn": identity["arn"],
            "access_key_id": identity["accessKeyId"],
            "session_context": {
                "mfa_authenticated": session["attributes"]["mfaAuthenticated"],
                "creation_date": "2026-03-01T10:00:00.000Z",
                "session_issuer": {"type": "Role", "arn": session["sessionIssuer"]["arn"]},
            },
        },
        "resources": {"arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:x", "account_id": "111122223333"},
        "request_parameters": text,
        **({"flattened": {"request_parameters": request}} if flat and request else {}),
    }
    return {
        "@timestamp": "2026-03-01T10:20:30.000Z",
        "aws": {"cloudtrail": trail},
        "cloud": {"account": {"id": identity["accountId"]}, "region": event["awsRegion"]},
        "event": {
            "action": event["eventName"],
            "provider": event["eventSource"],
            "id": event["eventID"],
            "outcome": "success",
            **({"original": json.dumps(event, ensure_ascii=False)} if original else {}),
        },
        "source": {"address": event["sourceIPAddress"], "ip": event["sourceIPAddress"]},
        "user": {"id": identity["principalId"], "name": "ops"},
        "user_agent": {"name": "x", "original": event["userAgent"]},
        "labels": {"team": "blue"},
    }


def hit(document: dict[str, Any]) -> dict[str, Any]:
    return {"_index": "logs-aws.cloudtrail-default", "_id": "1", "_score": 1.0, "_source": document}


def dotted(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, member in value.items():
        made |= dotted(member, f"{before}{name}.") if isinstance(member, dict) else {before + name: member}
    return made


def logstash(event: dict[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in event.items() if name != "eventTime"}
    return {"@timestamp": "2026-03-01T10:20:30.000Z", "@version": "1", **flat}


def search(*documents: dict[str, Any]) -> str:
    return json.dumps({"took": 1, "hits": {"total": {"value": 2}, "hits": [hit(d) for d in documents]}})


def lines(*values: Any) -> str:
    return "\n".join(json.dumps(value, ensure_ascii=False) for value in values) + "\n"


RESULT = splunk(EVENT)["result"]
FULL = {
    "splunk lines": ("aws_cloudtrail_splunk", lines(splunk(EVENT), splunk(OTHER))),
    "splunk one line": ("aws_cloudtrail_splunk", lines(splunk(EVENT))),
    "splunk array": ("aws_cloudtrail_splunk", json.dumps([splunk(EVENT), splunk(OTHER)])),
    "splunk results": ("aws_cloudtrail_splunk", json.dumps({"preview": False, "results": [RESULT]})),
    "splunk csv": ("aws_cloudtrail_splunk", table(RESULT, splunk(OTHER)["result"])),
    "splunk csv of one column": ("aws_cloudtrail_splunk", table({"_raw": TEXT}, {"_raw": json.dumps(OTHER)})),
    "splunk csv with CRLF and mark": ("aws_cloudtrail_splunk", "\ufeff" + table(RESULT).replace("\n", "\r\n")),
    "elastic search": ("aws_cloudtrail_elastic", search(beat(EVENT, original=True), beat(OTHER, original=True))),
    "elastic hits": ("aws_cloudtrail_elastic", lines(hit(beat(EVENT, True)), hit(beat(OTHER, True)))),
    "elastic documents": ("aws_cloudtrail_elastic", lines(beat(EVENT, True), beat(OTHER, True))),
    "elastic dotted": ("aws_cloudtrail_elastic", json.dumps([dotted(beat(EVENT, True))])),
    "elastic original only": ("aws_cloudtrail_elastic", lines(hit({"event": {"original": TEXT}}))),
}
FIELDS = {name: [value] for name, value in dotted(beat(EVENT)).items()}
MAPPED = {
    "splunk fields": ("aws_cloudtrail_splunk", lines({"preview": False, "result": {**SPLUNK, **flattened(EVENT)}})),
    "splunk fields csv": ("aws_cloudtrail_splunk", table({**SPLUNK, **flattened(EVENT)})),
    "splunk fields without time": (
        "aws_cloudtrail_splunk",
        table({**SPLUNK, **{n: v for n, v in flattened(EVENT).items() if n != "eventTime"}}),
    ),
    "elastic search": ("aws_cloudtrail_elastic", search(beat(EVENT), beat(OTHER))),
    "elastic documents": ("aws_cloudtrail_elastic", lines(beat(EVENT), beat(OTHER))),
    "elastic fields": ("aws_cloudtrail_elastic", lines({"_index": "i", "fields": FIELDS})),
    "elastic csv": (
        "aws_cloudtrail_elastic",
        table({n: "" if v is None else str(v) for n, v in dotted(beat(EVENT)).items()}),
    ),
    "logstash": ("aws_cloudtrail_logstash", lines(logstash(EVENT), logstash(OTHER))),
    "logstash in elastic": ("aws_cloudtrail_elastic", search(logstash(EVENT))),
}


def read(text: str) -> tuple[Any, Any, Any]:
    store = new_store()
    reading, account = read_bytes(store, "x", text.encode())
    assert account["seen"] == account["accepted"] + account["defect"] + account["out_of_scope"] + account["duplicate"]
    return store, reading, account


def plain() -> dict[str, Any]:
    store = new_store()
    read_bytes(store, "plain.json", PLAIN.encode())
    return first_row(store)


@pytest.mark.parametrize("form", sorted(FULL))
def test_a_kept_record_is_the_event_as_s3_delivers_it(form: str) -> None:
    source, text = FULL[form]
    assert claimants(text) == [source]
    store, reading, account = read(text)
    assert (reading.source_id, account["defect"], account["out_of_scope"]) == (source, 0, 0)
    assert first_row(store) == plain()


@pytest.mark.parametrize("form", sorted(MAPPED))
def test_a_record_put_together_again_has_the_same_columns(form: str) -> None:
    source, text = MAPPED[form]
    assert claimants(text) == [source]
    store, reading, account = read(text)
    assert (reading.source_id, account["defect"], account["out_of_scope"]) == (source, 0, 0)
    assert first_row(store) == {**plain(), "fidelity": "mapped"}


@pytest.mark.parametrize("form", sorted(FULL))
@pytest.mark.parametrize("first", [True, False])
def test_a_kept_record_and_its_delivery_are_one_row(form: str, first: bool) -> None:
    store = new_store()
    for data in (PLAIN.encode(), FULL[form][1].encode())[:: 1 if first else -1]:
        read_bytes(store, "x", data)
    found = rows_of(store, "SELECT id_conflict FROM aws_event WHERE event_name = 'GetSecretValue'", {})
    assert found == [{"id_conflict": False}]
    assert store.execute("SELECT count(*) FROM aws_event_twin").fetchall() == [(0,)]


@pytest.mark.parametrize("form", sorted(MAPPED))
@pytest.mark.parametrize("first", [True, False])
def test_an_event_in_two_fidelities_counts_once(form: str, first: bool) -> None:
    store = new_store()
    for data in (PLAIN.encode(), MAPPED[form][1].encode())[:: 1 if first else -1]:
        read_bytes(store, "x", data)
    count = "SELECT count(*), min(fidelity) FROM aws_event WHERE event_name = 'GetSecretValue'"
    assert store.execute(count).fetchall() == [(1, "full")]
    assert store.execute("SELECT count(*) FROM aws_event_twin WHERE same_as IS NOT NULL").fetchall() == [(1,)]
    assert store.execute("SELECT count(*) FROM aws_event WHERE id_conflict").fetchall() == [(0,)]
    items = """SELECT i.kind, i.value FROM aws_event_item AS i JOIN aws_event AS e USING (event_key)
               WHERE e.event_name = 'GetSecretValue' AND i.kind = 'secret'"""
    assert store.execute(items).fetchall() == [("secret", "prod/model-key")]
    loose = "SELECT count(*) FROM aws_event_item ANTI JOIN aws_event USING (event_key)"
    assert store.execute(loose).fetchall() == [(0,)]


def test_two_platforms_of_one_event_count_once_whatever_the_order() -> None:
    dumps = []
    files = [MAPPED[form][1].encode() for form in ("splunk fields", "elastic documents", "logstash")]
    for order in (files, files[::-1], [files[1], files[2], files[0]]):
        store = new_store()
        for data in order:
            read_bytes(store, "x", data)
        dumps.append(rows_of(store, "SELECT event_key, source_id, id_conflict FROM aws_event ORDER BY event_key", {}))
        assert store.execute("SELECT count(*) FROM aws_event WHERE event_name = 'GetSecretValue'").fetchall() == [(1,)]
    assert dumps[0] == dumps[1] == dumps[2]


def test_names_without_a_place_are_told() -> None:
    store, _, _ = read(lines(beat(EVENT)))
    assert json.loads(first_row(store, "unmapped")["unmapped"]) == ["labels.team"]
    fields = {**SPLUNK, **flattened(EVENT), "risk_score": "7", "date_hour": "3", "tag::x": "y"}
    store, _, _ = read(table(fields))
    assert json.loads(first_row(store, "unmapped")["unmapped"]) == ["risk_score"]


def test_a_failure_is_one_in_every_platform() -> None:
    for text in (
        lines(splunk(DENIED)),
        table({**SPLUNK, **flattened(DENIED)}),
        lines(beat(DENIED)),
        lines(logstash(DENIED)),
    ):
        store, _, _ = read(text)
        assert store.execute("SELECT outcome, error_code FROM aws_event").fetchall() == [("denied", "AccessDenied")]


def test_lists_of_splunk_are_lists_again() -> None:
    assert nested({"a.b{}.c": ["1", "2"], "a.b{}.d": ["3"], "e{}": "4", "f": 5}) == {
        "a": {"b": [{"c": "1", "d": "3"}, {"c": "2"}]},
        "e": ["4"],
        "f": 5,
    }
    fields = {**SPLUNK, **flattened(EVENT), "resources{}.ARN": "arn:aws:s3:::a\narn:aws:s3:::b"}
    store, _, _ = read(table(fields))
    found = store.execute("SELECT value FROM aws_event_item WHERE kind = 'resource_arn' ORDER BY n").fetchall()
    assert found == [("arn:aws:s3:::a",), ("arn:aws:s3:::b",)]


@pytest.mark.parametrize("name", ["a..b", ".", "{}", "{}.a", ".".join("a" * 200), "a.b"])
def test_any_name_may_be_dotted(name: str) -> None:
    assert nested({name: "1", "a": "2"})


def test_parameters_as_java_prints_them_are_read_and_called_lossy() -> None:
    store, _, _ = read(lines(beat(EVENT, flat=False)))
    row = first_row(store, "request_secret_id, fidelity, request_parameters")
    assert (row["request_secret_id"], row["fidelity"]) == ("prod/model-key", "lossy")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("{a=1, b={c=x, y, d=[1, 2]}, e=null}", {"a": "1", "b": {"c": "x, y", "d": ["1", "2"]}, "e": None}),
        ('{doc={"Statement":[{"a":1}]}, n=1}', {"doc": '{"Statement":[{"a":1}]}', "n": "1"}),
        ("{token=abc==, host=x}", {"token": "abc==", "host": "x"}),
        ("{a", None),
        ("{a=1", None),
        ("{a=1}}", None),
        ("a=1", None),
        ("{=1}", None),
        ("{a=" * 100 + "1" + "}" * 100, None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_maps_of_java(text: str, value: Any) -> None:
    assert java_map(text) == value


def test_broken_originals_fall_back_to_the_fields() -> None:
    document = beat(EVENT)
    document["event"]["original"] = TEXT[:-20]
    store, _, account = read(lines(document, beat(OTHER)))
    assert (account["accepted"], first_row(store)["fidelity"]) == (2, "mapped")


def test_what_is_no_event_stays_apart() -> None:
    digest = {"aws": {"cloudtrail": {"flattened": {"digest": {"log_files": []}}}}, "event": {"id": "d"}}
    insight = {"aws": {"cloudtrail": {"flattened": {"insight_details": {"state": "Start"}}}}}
    other = {"event": {"action": "login"}, "message": "x"}
    _, reading, account = read(lines(beat(EVENT), digest, insight, other))
    assert (account["accepted"], account["out_of_scope"], account["defect"]) == (1, 3, 0)
    assert len(reading.notes) == 3
    _, _, account = read(lines(splunk(EVENT), splunk({**OTHER, "eventCategory": "Insight"})))
    assert (account["accepted"], account["out_of_scope"]) == (1, 1)


def test_results_of_other_logs_in_a_file_are_defects_and_whole_files_are_not_claimed() -> None:
    other = {"preview": False, "result": {"_raw": "Mar 1 10:20:30 host sshd: hello", "_time": "x"}}
    _, _, account = read(lines(splunk(EVENT), other))
    assert (account["accepted"], account["defect"]) == (1, 1)
    for text in (
        lines(other),
        table(other["result"]),
        search({"message": "x"}),
        lines({"aws": {"s3": {"bucket": "b"}}}),
    ):
        assert [s for s in claimants(text) if s.startswith("aws_cloudtrail")] == []


@pytest.mark.parametrize(
    "value", [None, 7, "x", [], {}, {"event": 3}, {"aws": {"cloudtrail": None}}, {"fields": {"a": []}}]
)
def test_any_document_is_answered(value: Any) -> None:
    _, _, account = read(lines(hit(beat(EVENT)), hit(value)))
    assert account["accepted"] == 1


def test_many_lines_are_probed_by_the_first() -> None:
    text = "".join(lines(splunk({**EVENT, "eventID": f"e{n}", "userAgent": "x" * 3000})) for n in range(1_200))
    assert len(text) > 4_000_000
    assert claimants(text) == ["aws_cloudtrail_splunk"]


def test_the_bucket_trap_of_otrf_is_read_whole() -> None:
    data = (shared_data("otrf") / "AWS_S3_HoneyBucketLogs.csv").read_bytes()
    store = new_store()
    reading, account = read_bytes(store, "x.csv", data)
    assert (reading.source_id, account["accepted"], account["defect"]) == ("aws_cloudtrail_alerts", 301, 0)
    found = rows_of(
        store,
        "SELECT event_source, count(DISTINCT event_id) AS ids, count(event_time) AS timed, count(source_ip) AS addresses,"
        " count(request_bucket) AS buckets, count(*) FILTER (actor = 'ANONYMOUS_PRINCIPAL') AS anonymous, min(fidelity) AS f"
        " FROM aws_event GROUP BY ALL",
        {},
    )
    assert found == [
        {
            "event_source": "s3.amazonaws.com", "ids": 301, "timed": 301, "addresses": 301, "buckets": 301,
            "anonymous": 284, "f": "mapped",
        }
    ]  # fmt: skip
    assert "Alarm DateTime" in rows_of(store, "SELECT unmapped FROM aws_event LIMIT 1", {})[0]["unmapped"]


ALERT = {
    "Event Type": "AwsApiCall", "Event Name": "PutObject", "Event ID": "e", "Event DateTime": "2026-03-01T10:20:30Z",
    "User ID": "{'type': 'AWSAccount', 'accountId': 'A'}", "Request Parameters": "{'bucketName': 'b'}", "Source IP": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "cell", ["", "None", "[", "{'a': open('x')}", "{" * 5_000, "{'a': 1" + "0" * 5_000 + "}", "{1, 2}"]
)
def test_cells_of_python_are_never_run_and_never_stop_the_file(cell: str) -> None:
    assert literal(cell) is None or isinstance(literal(cell), dict | list)
    store, _, account = read(table({**ALERT, "Request Parameters": cell}, ALERT))
    assert (account["seen"], account["accepted"]) == (2, 1)
    assert store.execute("SELECT request_bucket, actor FROM aws_event").fetchall() == [("b", "A")]


def test_python_literals() -> None:
    assert literal("{'a': (1, 2.5), 'b': None, 'c': {'d': True}, 3: b'x'}") == {
        "a": [1, "2.5"],
        "b": None,
        "c": {"d": True},
        "3": "b'x'",
    }
    assert literal("'text'") is None
    assert literal("{'a': '" + "x" * 70_000 + "'}") is None
