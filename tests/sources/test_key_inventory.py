"""Key inventories: places in their written forms, stated times, and cells that hold what they should not."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest

from forensics.model.key_place import read_location
from tests.sources.building import claimants, read_text, rows

HEADER = "customer,provider,provider_key_id,key_name,hint,kind,location,created_at,rotated_at,revoked_at,owner"
HEADER += ",as_of"
LINE = (
    "Brindlewick,OpenAI,key_Bw1,prod,sk-proj-...f2Kd,project,secret:us-east-1:prod/customers/brindlewick/openai,"
    "2026-01-02,2026-05-05T11:05:00Z,,Brindlewick ops,2026-05-06T10:00:00+02:00"
)


def inventory(*lines: str, header: str = HEADER, **provenance: Any) -> list[dict[str, Any]]:
    source, reading = read_text("\n".join((header, *lines)) + "\n", **provenance)
    assert source == "key_inventory"
    return rows(reading)


def test_a_line_becomes_a_row_with_exact_values() -> None:
    assert inventory(LINE) == [
        {
            "provider": "openai",
            "customer": "Brindlewick",
            "key_provider": "openai",
            "key_id": "key_Bw1",
            "key_name": "prod",
            "hint": "sk-proj-...f2Kd",
            "key_sha256": None,
            "kind": "project",
            "location_kind": "secret",
            "location_region": "us-east-1",
            "location": "prod/customers/brindlewick/openai",
            "location_raw": "secret:us-east-1:prod/customers/brindlewick/openai",
            "created_at": datetime.fromisoformat("2026-01-02"),
            "rotated_at": datetime.fromisoformat("2026-05-05T11:05:00"),
            "revoked_at": None,
            "key_owner": "Brindlewick ops",
            "as_of": datetime.fromisoformat("2026-05-06T08:00:00"),
            "author": None,
            "raw": "{}",
        }
    ]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("secret:us-east-1:prod/a-b", ("secret", "us-east-1", "prod/a-b")),
        ("secret:us-east-1:prod/name-AbCdEf", ("secret", "us-east-1", "prod/name-AbCdEf")),
        (
            "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/name-AbCdEf",
            ("secret", "eu-central-1", "prod/name"),
        ),
        (
            "secret:eu-central-1:arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/name-AbCdEf",
            ("secret", "eu-central-1", "prod/name"),
        ),
        ("ssm:us-gov-west-1:/prod/key", ("ssm", "us-gov-west-1", "/prod/key")),
        ("arn:aws:ssm:us-east-1:111122223333:parameter/prod/key", ("ssm", "us-east-1", "/prod/key")),
        ("arn:aws:ssm:us-east-1:111122223333:parameter/key", ("ssm", "us-east-1", "key")),
        ("lambda:us-east-1:sync", ("lambda", "us-east-1", "sync")),
        ("arn:aws:lambda:us-east-1:111122223333:function:sync:7", ("lambda", "us-east-1", "sync")),
        ("s3:bucket/path/key.env", ("s3", None, "bucket/path/key.env")),
        ("s3://bucket/path/key.env", ("s3", None, "bucket/path/key.env")),
        ("arn:aws-cn:s3:::bucket/key", ("s3", None, "bucket/key")),
        ("vault: secret/data/x", ("other", None, "vault: secret/data/x")),
        ("secret:prod/name", ("other", None, "secret:prod/name")),
        ("  ", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_places_are_read_in_every_written_form(written: str | None, place: tuple[str | None, ...]) -> None:
    assert read_location(written) == place


@pytest.mark.parametrize(
    ("zone", "hour"), [("", 12), ("UTC", 12), ("+02:00", 10), ("-0530", 17), ("Europe/Berlin", 10)]
)
def test_times_without_zone_are_in_the_zone_of_the_receipt(zone: str, hour: int) -> None:
    line = "A,openai,key_1,2026-05-05T12:00:00,2026-05-05T12:00:00Z"
    (row,) = inventory(line, header="customer,provider,key_id,rotated_at,as_of", zone=zone)
    assert row["rotated_at"].hour == hour
    assert row["as_of"].hour == 12


def test_an_unknown_zone_leaves_such_times_out_and_says_so() -> None:
    text = "customer,provider,key_id,rotated_at\nA,openai,key_1,2026-05-05T12:00:00\n"
    reading = read_text(text, zone="Nowhere/Land")[1]
    assert rows(reading)[0]["rotated_at"] is None
    assert rows(reading)[0]["raw"] == '{"rotated_at":"2026-05-05T12:00:00"}'
    assert "the zone of the receipt is not known" in reading.notes[0]


def test_a_whole_key_in_a_cell_is_masked_and_said() -> None:
    key = "sk-ant-api03-" + "Zy9xW8vU7t" * 9 + "AA"
    reading = read_text(f"customer,provider,hint,comment\nA,anthropic,{key},was {key}\n")[1]
    (row,) = rows(reading)
    assert key not in repr(reading)[: repr(reading).find("RawRecord")] + repr(row)
    assert row["hint"] == f"sk-ant-api03-...{key[-4:]}"
    assert "held a whole key" in reading.notes[0]


def test_hashes_are_lower_case_and_only_whole_ones_count() -> None:
    digest = sha256(b"invented key").hexdigest()
    header = "Customer,Provider,SHA256"
    assert [row["key_sha256"] for row in inventory(f"A,openai,{digest.upper()}", "B,openai,1234", header=header)] == [
        digest,
        None,
    ]


def test_the_id_of_a_row_is_customer_provider_and_key_or_place() -> None:
    text = (
        "customer,provider,key_id,key_name,location\n"
        "A|x,openai,key_1,n,lambda:us-east-1:f\n"
        "B,openai,,n,lambda:us-east-1:f\n"
        "C,openai,,n,\n"
    )
    assert [answer.native_id for answer in read_text(text)[1].answers] == [
        "A\\|x|openai|key_1",
        "B|openai|f",
        "C|openai|n",
    ]


def test_rows_that_name_nobody_or_nothing_are_defects() -> None:
    text = "customer,provider,key_id\n,openai,key_1\nA,,key_1\nA,openai,\nA,openai,key_1\n"
    assert [answer.defect for answer in read_text(text)[1].answers] == [
        "no customer",
        "no provider",
        "nothing names the key: no id, name, hint, hash or location",
        "",
    ]


def test_other_tables_are_left_alone() -> None:
    assert claimants("customer,provider,amount\nA,openai,3\n") == []
    assert claimants("customer,key_id\nA,key_1\n") == []


JSON_ROW = '{"customer":"A","provider":"openai","key_id":"key_1"}'


@pytest.mark.parametrize(
    "text",
    [
        JSON_ROW,
        f"[{JSON_ROW}]",
        f"{JSON_ROW}\n{JSON_ROW}",
        f'{{"keys":[{JSON_ROW}]}}',
        f'{{"as_of":"2026-05-06T08:00:00Z","author":"S. N.","keys":[{JSON_ROW}]}}',
    ],
)
def test_json_is_read_like_csv(text: str) -> None:
    source, reading = read_text(text)
    assert source == "key_inventory"
    found = rows(reading)
    assert {(row["customer"], row["key_provider"], row["key_id"]) for row in found} == {("A", "openai", "key_1")}
    stated = "as_of" in text
    assert [row["as_of"] is not None for row in found] == [stated] * len(found)
    assert [row["author"] for row in found] == ["S. N." if stated else None] * len(found)


def test_the_time_of_a_row_goes_before_that_of_the_whole() -> None:
    own = JSON_ROW.replace("}", ',"as_of":"2026-05-07","author":"T. A."}')
    (row,) = rows(read_text(f'{{"as_of":"2026-05-06","author":"S. N.","keys":[{own}]}}')[1])
    assert (row["as_of"], row["author"]) == (datetime.fromisoformat("2026-05-07"), "T. A.")


@pytest.mark.parametrize(
    "text",
    [
        f'{{"keys":[{JSON_ROW}],"steps":[]}}',
        JSON_ROW.replace("}", ',"verdict":"confirmed"}'),
        '{"customer":"A","provider":"openai","amount":"3"}',
        '{"keys":[]}',
    ],
)
def test_results_about_keys_are_no_inventory(text: str) -> None:
    assert claimants(text) == []
