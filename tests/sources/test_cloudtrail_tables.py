"""CloudTrail out of the console's download, query results of Lake and Athena, and messages of SNS and SQS."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest

from forensics.ingest.enclosed import text_at
from forensics.ingest.scratch import read_bytes
from forensics.store.eventstore import EventStore
from tests.building import delivery, event
from tests.sources.building import claimants
from tests.stores import new_store


def as_csv(*rows: dict[str, Any]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def stored(*files: bytes, columns: str = "*") -> list[Any]:
    connection = new_store()
    for number, data in enumerate(files):
        account = read_bytes(connection, str(number), data)[1]
        assert account["defect"] == 0, account
    EventStore(connection).settle()
    return connection.execute(f"SELECT {columns} FROM aws_event ORDER BY event_time, event_key").fetchall()


CONSOLE = {
    "Event ID": event(7)["eventID"], "Event name": "GetSecretValue", "Event time": "2026-05-01T00:00:07Z",
    "User name": "ada", "AWS access key": "AKIAADA2222222222222", "Event source": "secretsmanager.amazonaws.com",
    "AWS region": "us-east-1", "Source IP address": "192.0.2.7", "Error code": "-", "Read-only": "true",
    "Request ID": "r-7", "Resource type": "Secret", "Resource name": '=cmd|"x"',
}  # fmt: skip
SHOWN = (
    "event_id, event_time, event_name, user_name, credential_id, source_ip, error_code, read_only, fidelity, unmapped"
)


@pytest.mark.parametrize("change", [str, str.upper, lambda name: name.replace(" ", "").replace("-", "")])
def test_the_consoles_download_is_a_summary(change: Any) -> None:
    data = as_csv({change(name): value for name, value in CONSOLE.items()})
    assert claimants(data.decode()) == ["aws_cloudtrail_console"]
    (row,) = stored(data, columns=SHOWN)
    assert row[:-1] == (
        event(7)["eventID"], datetime(2026, 5, 1, 0, 0, 7), "GetSecretValue", "ada", "AKIAADA2222222222222",
        "192.0.2.7", None, True, "summary",
    )  # fmt: skip
    assert json.loads(row[-1]) == sorted(change(name) for name in ("Resource name", "Resource type"))


IDENTITY = (
    "{type=AssumedRole, principalid=AROA2:ada, arn=arn:aws:sts::111122223333:assumed-role/app/ada, accountid=111122223333,"
    " invokedby=null, accesskeyid=ASIAADA2222222222222, username=null, sessioncontext={attributes={creationdate=2026-05-01"
    " 00:00:00.000, mfaauthenticated=true}, sessionissuer={type=Role, principalid=AROA2,"
    " arn=arn:aws:iam::111122223333:role/app, accountid=111122223333, username=app}, sourceidentity=null}}"
)
LAKE = {
    "eventid": event(7)["eventID"], "eventversion": "1.10", "eventtime": "2026-05-01 00:00:07.000",
    "eventsource": "secretsmanager.amazonaws.com", "eventname": "GetSecretValue", "awsregion": "us-east-1",
    "sourceipaddress": "192.0.2.7", "useragent": "aws-cli/2", "useridentity": IDENTITY,
    "requestparameters": "{secretId=prod/openai, versionStage=AWSCURRENT}", "responseelements": "null", "errorcode": "",
    "resources": "[{accountid=111122223333, type=AWS::SecretsManager::Secret, arn=arn:aws:x}]", "year": "2026",
}  # fmt: skip
FULLER = "event_time, actor, credential_id, issuer_arn, mfa, session_created, request_secret_id, fidelity, unmapped"


def test_cells_as_java_prints_them_are_lossy() -> None:
    data = as_csv(LAKE)
    assert claimants(data.decode()) == ["aws_cloudtrail_lake"]
    assert stored(data, columns=FULLER) == [
        (
            datetime(2026, 5, 1, 0, 0, 7), "arn:aws:iam::111122223333:role/app", "ASIAADA2222222222222",
            "arn:aws:iam::111122223333:role/app", True, datetime(2026, 5, 1), "prod/openai", "lossy", '["year"]',
        )
    ]  # fmt: skip


def test_cells_of_json_are_mapped() -> None:
    identity = json.dumps(event(7)["userIdentity"])
    row = {**LAKE, "useridentity": identity, "requestparameters": '{"secretId":"prod/openai"}', "resources": ""}
    assert claimants(as_csv(row).decode()) == ["aws_cloudtrail_lake"]
    found = stored(as_csv(row), columns="actor, request_secret_id, fidelity, event_time")
    assert found == [("arn:aws:iam::111122223333:user/ada", "prod/openai", "mapped", datetime(2026, 5, 1, 0, 0, 7))]


@pytest.mark.parametrize("cell", ["{secretId=a, b}, c=d", "{secretId", "{a={b=c}", "[1, 2", "{=}", "{" * 3000])
def test_a_cell_that_cannot_be_read_in_one_way_is_never_lost(cell: str) -> None:
    (row,) = stored(as_csv({**LAKE, "requestparameters": cell}), columns="request_parameters, fidelity")
    assert row[1] == "lossy"
    assert row[0] is not None


@pytest.mark.parametrize("order", [1, -1])
def test_an_event_in_three_fidelities_counts_once_and_the_fullest_stands(order: int) -> None:
    full = delivery([event(7, eventName="GetSecretValue", eventSource="secretsmanager.amazonaws.com")])
    files = [full, as_csv(LAKE), as_csv(CONSOLE)][::order]
    assert stored(*files, columns="fidelity, source_id") == [("full", "aws_cloudtrail")]


def envelope() -> dict[str, Any]:
    return {
        "version": "0",
        "id": "1",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3",
        "detail": event(7),
    }


NOTICE = {
    "Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": {"key": "a.json.gz"}}}]
}


@pytest.mark.parametrize(
    "message",
    [
        {"Type": "Notification", "MessageId": "1", "Message": json.dumps(envelope())},
        {"Messages": [{"MessageId": "1", "Body": json.dumps(envelope())}]},
        {
            "Messages": [
                {"MessageId": "1", "Body": json.dumps({"Type": "Notification", "Message": json.dumps(envelope())})}
            ]
        },
        [{"messageId": "1", "body": json.dumps(event(7))}],
    ],
)
def test_an_event_in_a_message(message: Any) -> None:
    assert claimants(json.dumps(message)) == ["aws_cloudtrail_queue"]
    data = json.dumps(message).encode()
    assert stored(data, columns="event_id, actor, fidelity") == [
        (event(7)["eventID"], "arn:aws:iam::111122223333:user/ada", "full")
    ]
    assert len(stored(data, delivery([event(7)]))) == 1


def test_notices_of_deliveries_are_named_and_no_events() -> None:
    connection = new_store()
    bodies = [
        json.dumps(NOTICE),
        json.dumps(envelope()),
        json.dumps({"x": 1}),
    ]
    data = json.dumps({"Messages": [{"MessageId": str(n), "Body": body} for n, body in enumerate(bodies)]}).encode()
    reading, account = read_bytes(connection, "x", data)
    assert (account["accepted"], account["out_of_scope"], account["defect"]) == (1, 2, 0)
    assert any("notification" in note for note in reading.notes)


def in_sns(text: str) -> dict[str, Any]:
    return {"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": text}}


@pytest.mark.parametrize(
    ("message", "pointers"),
    [
        (
            {"Messages": [{"Body": json.dumps({"Records": [event(1), event(2)]})}]},
            ["/Body/Records/0", "/Body/Records/1"],
        ),
        (
            [{"body": json.dumps([event(1), {**envelope(), "detail": event(2)}])}, {"body": json.dumps(event(3))}],
            ["/body/0", "/body/1", ""],
        ),
        (
            {"Records": [in_sns(json.dumps([event(1)])), in_sns(json.dumps({"Records": [event(2), event(3)]}))]},
            ["/Sns/Message/0", "/Sns/Message/Records/0", "/Sns/Message/Records/1"],
        ),
        (
            {"Type": "Notification", "Message": json.dumps({"Message": json.dumps({"Records": [event(1)]}, indent=1)})},
            ["/Message/Message/Records/0"],
        ),
    ],
)
def test_each_of_several_events_in_a_message_has_its_place(message: Any, pointers: list[str]) -> None:
    text = json.dumps(message)
    assert claimants(text) == ["aws_cloudtrail_queue"]
    connection = new_store()
    _reading, account = read_bytes(connection, "x", text.encode())
    assert (account["seen"], account["accepted"], account["defect"]) == (len(pointers), len(pointers), 0)
    places = "SELECT json_pointer, byte_offset, byte_length, record_sha256 FROM occurrence ORDER BY record_no"
    found = connection.execute(places).fetchall()
    assert [row[0] for row in found] == pointers
    for pointer, offset, length, digest in found:
        outer = text[offset : offset + length]
        assert sha256((text_at(outer, pointer) if pointer else outer).encode()).hexdigest() == digest
    ids = connection.execute("SELECT event_id FROM aws_event ORDER BY event_id").fetchall()
    assert [i for (i,) in ids] == [event(n)["eventID"] for n in range(1, len(pointers) + 1)]


def test_what_is_no_event_beside_others_in_a_message_is_told_one_by_one() -> None:
    insight = {"eventType": "AwsCloudTrailInsight", "eventCategory": "Insight", "eventID": "i"}
    inner = (
        json.dumps([event(1), None, 7, {"a": 1}, insight, event(2)])[:-1] + ', {"deep": ' + "[" * 99 + "]" * 99 + "}]"
    )
    reading, account = read_bytes(new_store(), "x", json.dumps([{"body": inner}]).encode())
    assert {n: account[n] for n in ("seen", "accepted", "defect", "out_of_scope")} == {
        "seen": 7, "accepted": 2, "defect": 4, "out_of_scope": 1,
    }  # fmt: skip
    assert sorted(d["reason"] for d in reading.defects)[0] == "nested deeper than 64 levels"


@pytest.mark.parametrize(
    "body", ['{"Records": [{"eventSource": "a", "eventName": "b", "x": NaN}]}', '{"Records": [NaN]}']
)
def test_broken_records_in_a_message_are_defects(body: str) -> None:
    data = json.dumps([{"body": json.dumps(event(1))}, {"body": body}]).encode()
    account = read_bytes(new_store(), "x", data)[1]
    assert account["seen"] == account["accepted"] + account["defect"] + account["out_of_scope"] == 2
    assert account["accepted"] == 1


def answered(*ids: str, **more: Any) -> bytes:
    """An answer of get-query-results: each row a list of objects with one member."""
    rows = [
        [
            {"eventID": each}, {"eventName": "GetSecretValue"}, {"eventSource": "secretsmanager.amazonaws.com"},
            {"eventTime": "2026-05-05 02:26:12.000"}, {"awsRegion": "eu-west-1"}, {"requestParameters": "{secretId=prod/a}"},
            {"userIdentity": "{type=IAMUser, arn=arn:aws:iam::111122223333:user/x, accountId=111122223333}"},
        ]
        for each in ids
    ]  # fmt: skip
    return json.dumps({"QueryStatus": "FINISHED", "QueryResultRows": rows, **more}).encode()


def test_an_answer_of_lake_is_read_row_by_row() -> None:
    found = stored(answered("id-1", "id-2"), columns="event_id, event_time, actor, request_secret_id, region, fidelity")
    moment, actor = datetime(2026, 5, 5, 2, 26, 12), "arn:aws:iam::111122223333:user/x"
    assert found == [(n, moment, actor, "prod/a", "eu-west-1", "lossy") for n in ("id-1", "id-2")]


def test_pages_of_lake_say_that_more_follows_and_broken_rows_are_defects() -> None:
    reading, _ = read_bytes(new_store(), "x", answered("id-1", NextToken="t"))
    assert "truncated: the last page says that more follows" in reading.notes
    value = json.loads(answered("id-1"))
    value["QueryResultRows"] += [[], [7], [{"eventName": "x"}], "text", {"eventname": "A", "eventsource": "b"}]
    reading, account = read_bytes(new_store(), "x", json.dumps(value).encode())
    assert (account["seen"], account["accepted"], account["defect"]) == (6, 2, 4)


def test_a_large_answer_of_lake_is_recognised_too() -> None:
    data = answered(*(f"id-{n}" for n in range(15_000)))
    assert len(data) > 4_000_000
    reading, account = read_bytes(new_store(), "x", data)
    assert (reading.source_id, account["accepted"]) == ("aws_cloudtrail_lake", 15_000)


def test_other_lists_of_lists_are_not_claimed() -> None:
    assert claimants(json.dumps({"QueryResultRows": [[{"a": 1}]]})) == []
    assert claimants(json.dumps({"QueryResultRows": []})) == []
