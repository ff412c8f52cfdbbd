"""CloudTrail in OCSF, as JSON and as Parquet: the columns of the record it was made of."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.ingest import parquet_rows
from forensics.ingest.run import IngestOptions, ingest
from forensics.ingest.scratch import read_bytes
from forensics.ingest.unpack import Content, Limits, unpack
from forensics.store.duckdb_engine import rows_of
from tests.building import new_case
from tests.paths import shared_data
from tests.sources.building import claimants
from tests.sources.test_cloudtrail_forms import EVENT, PLAIN, TEXT, first_row
from tests.stores import new_store

COLUMNS = (
    "event_id, event_time, event_source, event_name, event_type, region, account_id, actor_account_id, identity_type,"
    " actor, actor_arn, principal_id, user_name, credential_id, session_name, issuer_arn, session_created, mfa, source_ip,"
    " user_agent, request_id, request_user_name, outcome, request_parameters, response_elements"
)
UNMAPPED = {
    "recipientAccountId": "111122223333",
    "readOnly": "true",
    "managementEvent": "true",
    "eventCategory": "Management",
    "userIdentity.sessionContext.sessionIssuer.userName": "ops",
    "somethingNew": "1",
}
OCSF: dict[str, Any] = {
    "class_uid": 6003,
    "category_uid": 6,
    "activity_id": 2,
    "time": 1772360430000,
    "time_dt": "2026-03-01T11:20:30.000+01:00",
    "metadata": {
        "product": {"name": "CloudTrail", "vendor_name": "AWS", "version": "1.08", "feature": {"name": "Management"}},
        "uid": EVENT["eventID"],
        "event_code": "AwsApiCall",
        "version": "1.1.0",
        "profiles": ["cloud", "datetime"],
    },
    "api": {
        "operation": "GetSecretValue",
        "service": {"name": "secretsmanager.amazonaws.com"},
        "request": {"uid": EVENT["requestID"], "data": '{"secretId":"prod/model-key"}'},
        "response": {"data": None, "error": None, "message": None},
    },
    "cloud": {"provider": "AWS", "region": "eu-central-1"},
    "src_endpoint": {"ip": "203.0.113.7", "domain": None},
    "http_request": {"user_agent": EVENT["userAgent"]},
    "actor": {
        "user": {
            "type": "AssumedRole",
            "uid": EVENT["userIdentity"]["arn"],
            "uid_alt": EVENT["userIdentity"]["principalId"],
            "account": {"uid": "111122223333"},
            "credential_uid": "ASIAEXAMPLEEXAMPLE00",
        },
        "session": {
            "issuer": "arn:aws:iam::111122223333:role/ops",
            "created_time": 1772359200000,
            "is_mfa": True,
        },
    },
    "status": "Success",
    "unmapped": UNMAPPED,
    "enrichments": [{"name": "geo"}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The event with another value at a dotted path."""
    made = json.loads(json.dumps(OCSF))
    place, *_ = [made]
    *steps, last = path.split(".")
    for step in steps:
        place = place.setdefault(step, {})
    place[last] = value
    return made


def parquet(rows: list[dict[str, Any]], schema: pa.Schema | None = None, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, **options)
    return sink.getvalue()


def typed(*rows: dict[str, Any]) -> bytes:
    """Rows as Security Lake types them: milliseconds as integers, times as timestamps, the rest as a map."""
    table = pa.Table.from_pylist([{n: v for n, v in row.items() if n not in ("time_dt", "unmapped")} for row in rows])
    maps = pa.array([list(row["unmapped"].items()) for row in rows], pa.map_(pa.string(), pa.string()))
    times = pa.array([datetime(2026, 3, 1, 10, 20, 30, tzinfo=UTC)] * len(rows), pa.timestamp("ns", "UTC"))
    sink = io.BytesIO()
    pq.write_table(table.append_column("unmapped", maps).append_column("time_dt", times), sink, compression="zstd")
    return sink.getvalue()


FORMS = {
    "object": json.dumps(OCSF).encode(),
    "lines": (json.dumps(OCSF) + "\n" + json.dumps(changed("metadata.uid", "2")) + "\n").encode(),
    "array": json.dumps([OCSF], indent=2).encode(),
    "parquet": typed(OCSF),
    "plain parquet": parquet([OCSF]),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_each_form_has_the_columns_of_the_record(form: str) -> None:
    plain, store = new_store(), new_store()
    read_bytes(plain, "plain", PLAIN.encode())
    reading, account = read_bytes(store, "x", FORMS[form])
    assert (reading.source_id, account["defect"], account["out_of_scope"]) == ("aws_cloudtrail_ocsf", 0, 0)
    assert first_row(store) == {**first_row(plain), "fidelity": "mapped"}
    assert json.loads(first_row(store, "unmapped")["unmapped"]) == ["enrichments", "unmapped.somethingNew"]
    both = "session_created, issuer_name, read_only, management_event, event_category, request_id, identity_type"
    assert first_row(store, both) == first_row(plain, both)


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("first", [True, False])
def test_the_record_itself_counts_in_its_place(form: str, first: bool) -> None:
    store = new_store()
    for data in (PLAIN.encode(), FORMS[form])[:: 1 if first else -1]:
        read_bytes(store, "x", data)
    found = store.execute("SELECT fidelity FROM aws_event WHERE event_id = ?", [EVENT["eventID"]]).fetchall()
    assert found == [("full",)]
    assert store.execute("SELECT count(*) FROM aws_event_twin WHERE same_as IS NOT NULL").fetchall() == [(1,)]
    assert store.execute("SELECT count(*) FROM aws_event WHERE id_conflict").fetchall() == [(0,)]


def test_parquet_and_lines_of_one_event_are_one_row() -> None:
    store = new_store()
    read_bytes(store, "a", FORMS["plain parquet"])
    _, account = read_bytes(store, "b", FORMS["object"])
    assert store.execute("SELECT count(*) FROM aws_event").fetchall() == [(1,)]
    assert account["duplicate"] == 1


@pytest.mark.parametrize(
    ("path", "value", "column", "expected"),
    [
        ("src_endpoint", {"domain": "athena.amazonaws.com"}, "source_class", "aws_service"),
        ("src_endpoint", {"ip": "10.0.0.1", "uid": "vpce-1"}, "vpc_endpoint_id", "vpce-1"),
        ("api.response.error", "AccessDenied", "outcome", "denied"),
        ("status", "Failure", "outcome", "failure"),
        ("actor.user.uid", "AIDAEXAMPLE", "actor_arn", None),
        ("actor.user.name", "ada", "user_name", "ada"),
        ("actor.invoked_by", "athena.amazonaws.com", "invoked_by", "athena.amazonaws.com"),
        ("actor.session.created_time", 0, "session_created", None),
        ("time", 1772360430123, "event_time", datetime(2026, 3, 1, 10, 20, 30, 123000)),
        ("time", None, "event_time", datetime(2026, 3, 1, 10, 20, 30)),
        ("time", 10**30, "event_time", datetime(2026, 3, 1, 10, 20, 30)),
        ("api.request.data", {"secretId": "other"}, "request_secret_id", "other"),
        ("api.request.data", "no object", "request_secret_id", None),
        ("api.request.uid", "''", "request_id", None),
        ("metadata.product.feature.name", "Data", "event_category", "Data"),
        ("cloud.account", {"uid": "444455556666"}, "account_id", "111122223333"),
        ("resources", [{"uid": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}], "resource", "prod/model-key"),
        ("unmapped", '{"recipientAccountId":"444455556666"}', "account_id", "444455556666"),
        ("unmapped", {"additionalEventData": '{"MFAUsed":"Yes"}'}, "additional_event_data", '{"MFAUsed":"Yes"}'),
        ("unmapped", {"requestParameters": {"name": "n"}}, "request_name", "n"),
        ("unmapped", None, "account_id", "111122223333"),
        ("unmapped", [1], "account_id", "111122223333"),
    ],
)
def test_single_fields(path: str, value: Any, column: str, expected: Any) -> None:
    store = new_store()
    _, account = read_bytes(store, "x", json.dumps(changed(path, value)).encode())
    assert account["accepted"] == 1
    assert first_row(store, column)[column] == expected


def test_insights_and_other_products_stay_apart() -> None:
    values = [
        OCSF,
        changed("metadata.event_code", "AwsCloudTrailInsight"),
        changed("metadata.product.name", "GuardDuty"),
    ]
    _, account = read_bytes(new_store(), "x", "\n".join(map(json.dumps, values)).encode())
    assert (account["accepted"], account["out_of_scope"], account["defect"]) == (1, 2, 0)
    assert claimants(json.dumps(values[2])) == []


SAME = [
    ("markdown/AWS/v1.1.0/CloudTrail/API_Activity/samples", "generic_api_activity"),
    ("markdown/AWS/v1.1.0/CloudTrail/Account_Change/samples", "account_change"),
    ("markdown/AWS/v1.1.0/CloudTrail/Authentication/samples", "authentication"),
]
#: Samples whose record and mapping were made unrecognisable apart from each other: ids and times differ.
MASKED = [
    ("bloblang/AWS/CloudTrail/v1.0.0/Api_Activity/samples", "generic_api_activity", "OCSF_api_activity.json"),
    ("bloblang/AWS/CloudTrail/v1.1.0/Api_Activity/samples", "generic_api_activity", "OCSF_api_activity.json"),
    ("bloblang/AWS/CloudTrail/v1.0.0/Account_Chanage/samples", "account_change", "OCSF_account_change.json"),
    ("bloblang/AWS/CloudTrail/v1.1.0/Account_Chnage/samples", "account_change", "OCSF_account_change.json"),
    ("bloblang/AWS/CloudTrail/v1.1.0/Authentication", "authentication", "OCSF_authentication.json"),
]


def rows_of_sample(path: Path, columns: str) -> dict[str, Any]:
    """The one row of a published sample."""
    store = new_store()
    _, account = read_bytes(store, path.name, path.read_bytes())
    assert (account["seen"], account["accepted"]) == (1, 1)
    [row] = rows_of(store, f"SELECT {columns} FROM aws_event", {})
    texts = ("request_parameters", "response_elements")
    return {n: json.loads(v) if v and n in texts else v for n, v in row.items()}


@pytest.mark.parametrize(("folder", "name"), SAME)
def test_published_samples_agree_with_their_records(folder: str, name: str) -> None:
    place = shared_data("ocsf") / folder
    record, mapped = (rows_of_sample(place / f"{name}.{end}", COLUMNS) for end in ("raw", "ocsf"))
    assert {**mapped, "request_id": record["request_id"]} == record
    assert mapped["request_id"] in (record["request_id"], None)


@pytest.mark.parametrize(("folder", "raw", "mapped"), MASKED)
def test_masked_samples_agree_where_they_can(folder: str, raw: str, mapped: str) -> None:
    place = shared_data("ocsf") / folder
    columns = (
        "event_source, event_name, event_type, region, identity_type, source_ip, user_agent, outcome, mfa, issuer_arn"
    )
    assert rows_of_sample(place / mapped, columns) == rows_of_sample(place / f"{raw}.raw", columns)


def test_rows_are_what_json_can_hold() -> None:
    schema = pa.schema(
        [
            ("i", pa.int64()),
            ("f", pa.float64()),
            ("money", pa.decimal128(20, 6)),
            ("bytes", pa.binary()),
            ("day", pa.date32()),
            ("utc", pa.timestamp("ns", "Europe/Berlin")),
            ("naive", pa.timestamp("ms")),
            ("deep", pa.struct([("list", pa.list_(pa.struct([("at", pa.timestamp("ns"))])))])),
            ("map", pa.map_(pa.string(), pa.int32())),
            ("times", pa.map_(pa.string(), pa.timestamp("ns"))),
            ("none", pa.null()),
        ]
    )
    moment = datetime(2026, 3, 1, 10, 20, 30)
    row = {
        "i": 2**62, "f": 0.1, "money": Decimal("1.500000"), "bytes": b"\xff\x00", "day": date(2026, 3, 1),
        "utc": datetime(2026, 3, 1, 10, 20, 30, tzinfo=UTC), "naive": moment, "deep": {"list": [{"at": moment}]},
        "map": [("a", 1)], "times": [("b", moment)], "none": None,
    }  # fmt: skip
    [found] = parquet_rows.parquet_rows(parquet([row], schema))
    assert found == {
        "i": 2**62, "f": "0.1", "money": "1.500000", "bytes": "base64:/wA=", "day": "2026-03-01",
        "utc": "2026-03-01T10:20:30Z", "naive": "2026-03-01T10:20:30", "deep": {"list": [{"at": "2026-03-01T10:20:30"}]},
        "map": {"a": 1}, "times": {"b": "2026-03-01T10:20:30"}, "none": None,
    }  # fmt: skip


def test_rows_keep_their_numbers_over_batches_and_lead_back() -> None:
    rows = [changed("metadata.uid", f"id-{n}") for n in range(600)]
    data, store = typed(*rows), new_store()
    read_bytes(store, "x", data)
    text = parquet_rows.text_of(unpack(data)).encode()
    found = store.execute(
        "SELECT o.record_no, o.byte_offset, o.byte_length, e.event_id FROM occurrence AS o JOIN aws_event AS e"
        " USING (event_key) ORDER BY record_no"
    ).fetchall()
    assert [(n, event) for n, _, _, event in found] == [(n, f"id-{n}") for n in range(600)]
    for number, offset, length, _ in found[::97]:
        assert json.loads(text[offset : offset + length])["metadata"]["uid"] == f"id-{number}"


def test_damaged_and_unknown_parquet_is_said() -> None:
    data = typed(OCSF)
    for broken in (data[:-9], data[:100], b"PAR1", b"PAR1" + b"\x00" * 50 + b"PAR1"):
        reading, account = read_bytes(new_store(), "x", broken)
        assert (reading.state, account["accepted"]) == ("defective", 0)
        assert "cut off, damaged or encrypted" in reading.reason
    reading, _ = read_bytes(new_store(), "x", parquet([{"b": 1, "a": 2}]))
    assert reading.reason == "unknown format: Parquet with columns a, b"
    reading, _ = read_bytes(new_store(), "x", parquet([], pa.schema([("a", pa.int32())])))
    assert reading.reason == "no records: a Parquet file without rows"


def test_changed_bytes_end_in_rows_or_in_a_reason() -> None:
    data, chance = typed(*[changed("metadata.uid", f"id-{n}") for n in range(40)]), Random(7)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(chance.choice((1, 1, 4, 30))):
            broken[chance.randrange(4, len(broken))] = chance.randrange(256)
        content = Content(bytes(broken), "")
        text = parquet_rows.text_of(content)
        assert content.problem or text
        assert all(isinstance(json.loads(line), dict) for line in text.splitlines())


def test_a_small_file_cannot_become_a_large_text() -> None:
    content = unpack(parquet([{"a": "x" * 100_000}] * 3_000))
    assert len(content.data) < 200_000
    text = parquet_rows.text_of(content, Limits(ratio_from=1_000_000))
    assert (content.problem, content.complete) == ("uncompressed size is over the limit", False)
    assert len(text) < 45_000_000
    stated = unpack(parquet([{"a": str(n) * 50} for n in range(9_000)]))
    assert parquet_rows.text_of(stated, Limits(ratio=0, ratio_from=100_000)) == ""
    assert stated.problem == "uncompressed size is over the limit"


def test_key_material_in_parquet_is_found_and_masked() -> None:
    secret = "sk-ant-api03-" + "aB3dE6gH9" * 11
    reading, _ = read_bytes(new_store(), "x", typed(changed("api.request.data", json.dumps({"secretId": secret}))))
    store = new_store()
    read_bytes(store, "x", typed(changed("api.request.data", json.dumps({"secretId": secret}))))
    assert [m["kind"] for m in reading.material]
    assert secret not in repr(store.execute("SELECT * FROM aws_event").fetchall())


def test_show_finds_the_row_in_the_exhibit(tmp_path: Path) -> None:
    from forensics.analysis.original import places_of, read_original
    from forensics.cli.commands.show import _content
    from forensics.ingest.enclosed import text_at

    case = new_case(tmp_path)
    (tmp_path / "lake.gz.parquet").write_bytes(FORMS["parquet"])
    ingest(case, [tmp_path / "lake.gz.parquet"], IngestOptions())
    connection = case.reader()
    try:
        [place] = places_of(connection, EVENT["eventID"])
    finally:
        connection.close()
    shown = json.loads(read_original(case, place, _content, text_at).text)
    assert shown["api"]["operation"] == json.loads(TEXT)["eventName"]
