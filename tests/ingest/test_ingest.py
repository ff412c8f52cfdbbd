"""Ingest of a case: every record accounted for, every original traceable, nothing doubled."""

from __future__ import annotations

import gzip
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from forensics.analysis.original import places_of, read_original
from forensics.cli.commands.show import _content
from forensics.ingest.enclosed import text_at
from forensics.ingest.preview import preview
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.errors import UsageFault
from forensics.store.custody import check_chain
from forensics.store.identity import event_key
from tests.building import delivery, event, new_case, packed


def query(folder, sql, *values):
    connection = folder.reader()
    try:
        return connection.execute(sql, list(values)).fetchall()
    finally:
        connection.close()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "logs"


def adds_up(result):
    r = result.records
    return r["seen"] == r["accepted"] + r["duplicate"] + r["defect"] + r["out_of_scope"]


def test_every_record_is_accounted_for_and_originals_are_kept(tmp_path):
    case = new_case(tmp_path)
    logs = write(
        tmp_path,
        {
            "a.json.gz": packed(delivery([event(1), event(2)])),
            "b/renamed.bin": delivery([event(2), event(3)]),
            "c.jsonl": b"\n".join(json.dumps(event(n)).encode() for n in (3, 4)),
            "d.json": json.dumps([event(5), {"no": "event"}, 7]).encode(),
            "readme.txt": b"hello",
            "empty.json": b"",
        },
    )
    result = ingest(case, [logs], IngestOptions())
    assert adds_up(result)
    # event 3 of c.jsonl is another serialisation (blanks) of the one in b: one row, two occurrences
    assert dict(result.records) == {"seen": 9, "accepted": 5, "duplicate": 2, "defect": 2, "out_of_scope": 0}
    assert {s["path"]: s["reason"] for s in result.skipped} == {
        "readme.txt": "unknown format: text",
        "empty.json": "empty file",
    }
    assert [d["path"] for d in result.defective] == ["d.json"]
    assert query(case, "SELECT count(*), count(DISTINCT event_id) FROM aws_event") == [(5, 5)]
    assert query(case, "SELECT count(*) FROM occurrence") == [(7,)]
    for sha, stored in query(case, "SELECT file_sha256, stored_as FROM evidence_file"):
        assert sha256((case.root / stored).read_bytes()).hexdigest() == sha
    head, faults = check_chain(case.custody.path.read_bytes())
    assert not faults and head.records >= 7


def test_again_is_unchanged_and_a_copy_is_duplicates(tmp_path):
    case = new_case(tmp_path)
    logs = write(tmp_path, {"a.json": delivery([event(1), event(2)])})
    ingest(case, [logs], IngestOptions())
    again = ingest(case, [logs], IngestOptions())
    assert again.records["seen"] == 0 and again.skipped == [{"path": "a.json", "reason": "unchanged"}]
    (logs / "copy.json").write_bytes((logs / "a.json").read_bytes())
    copy = ingest(case, [logs], IngestOptions())
    assert (copy.records["seen"], copy.records["duplicate"]) == (2, 2)
    assert query(case, "SELECT count(*) FROM aws_event") == [(2,)]


def test_identity_does_not_depend_on_order_or_split(tmp_path):
    pretty = json.dumps({"Records": [event(1)]}, indent=1).encode()
    compact = delivery([event(1), event(2)])
    keys = []
    for number, names in enumerate((("a.json", "b.json"), ("b.json", "a.json"))):
        base = tmp_path / str(number)
        base.mkdir()
        case = new_case(base)
        logs = write(base, {names[0]: pretty, names[1]: compact})
        ingest(case, [logs], IngestOptions())
        keys.append(query(case, "SELECT event_key, evidence, event_id FROM aws_event ORDER BY event_key"))
    assert keys[0] == keys[1]


def test_event_key_is_source_id_and_bytes(tmp_path):
    case = new_case(tmp_path)
    record = json.dumps(event(1), separators=(",", ":"))
    ingest(case, [write(tmp_path, {"a.json": b'{"Records":[' + record.encode() + b"]}"})], IngestOptions())
    expected = event_key("aws_cloudtrail", event(1)["eventID"], sha256(record.encode()).hexdigest())
    assert query(case, "SELECT event_key FROM aws_event") == [(expected,)]
    assert query(case, "SELECT byte_offset, byte_length FROM occurrence") == [(12, len(record))]


def test_one_id_with_two_contents_keeps_both(tmp_path):
    case = new_case(tmp_path)
    ingest(
        case,
        [write(tmp_path, {"a.json": delivery([event(1), event(1, eventName="Other")])})],
        IngestOptions(),
    )
    assert query(case, "SELECT count(*), count(DISTINCT event_id), bool_and(id_conflict) FROM aws_event") == [
        (2, 1, True)
    ]


@pytest.mark.parametrize("form", ["delivery", "lookup", "utf16", "bom"])
def test_show_reads_the_record_back_from_the_evidence(tmp_path, form):
    case = new_case(tmp_path)
    record = event(1, userAgent="Ünïcode \u202e\x1b[2J")
    text = json.dumps(record, ensure_ascii=False)
    if form == "lookup":
        data = json.dumps({"Events": [{"EventId": "x", "CloudTrailEvent": text}], "NextToken": None}).encode()
    else:
        data = ('{"Records": [' + json.dumps(event(0, userAgent="é"), ensure_ascii=False) + ", " + text + "]}").encode(
            {"utf16": "utf-16", "bom": "utf-8-sig"}.get(form, "utf-8")
        )
    ingest(case, [write(tmp_path, {"a.json.gz": packed(data)})], IngestOptions())
    connection = case.reader()
    places = places_of(connection, record["eventID"])
    connection.close()
    original = read_original(case, places[0], _content, text_at)
    assert original.text == text
    assert original.exhibit == "S0001"


def test_two_owners_of_one_page_are_two_receipts(tmp_path):
    page = json.dumps(
        {
            "object": "page",
            "data": [{"object": "bucket", "start_time": 1777939200, "end_time": 1777942800, "results": []}],
            "has_more": False,
            "next_page": None,
        }
    ).encode()
    logs = write(
        tmp_path,
        {"one/u.json": page, "two/u.json": page, "receipts.csv": b"path,owner\none,Alder\ntwo,Birk\n"},
    )
    case = new_case(tmp_path)
    ingest(case, [logs], IngestOptions())
    assert query(case, "SELECT owner FROM receipt WHERE path LIKE '%u.json' ORDER BY owner") == [
        ("Alder",),
        ("Birk",),
    ]
    assert query(case, "SELECT count(DISTINCT file_sha256) FROM receipt WHERE path LIKE '%u.json'") == [(1,)]


def test_truncated_gzip_keeps_what_came_before(tmp_path):
    case = new_case(tmp_path)
    data = packed(delivery([event(n, userAgent=os.urandom(30).hex()) for n in range(200)]))
    result = ingest(case, [write(tmp_path, {"cut.json.gz": data[: len(data) // 2]})], IngestOptions())
    assert 0 < result.records["accepted"] < 200 and adds_up(result)
    reasons = [r for (r,) in query(case, "SELECT reason FROM defect ORDER BY reason")]
    assert any("gzip" in r and "cut off" in r for r in reasons)
    assert result.defective[0]["path"] == "cut.json.gz"


def test_appended_gzip_member_is_noted_not_read(tmp_path):
    case = new_case(tmp_path)
    data = packed(delivery([event(1)])) + gzip.compress(delivery([event(2)]))
    result = ingest(case, [write(tmp_path, {"a.json.gz": data})], IngestOptions())
    assert result.records["accepted"] == 1
    assert any("after the end of the gzip member" in note for note in result.notes)


def test_hostile_records_never_stop_their_neighbours(tmp_path):
    case = new_case(tmp_path)
    good = json.dumps(event(1))
    bad = [
        '{"eventSource":"x","eventName":"y","eventID":"1","userAgent":"\\ud800"}',
        '{"eventSource":"x","eventName":"y","eventID":"2","eventID":"3"}',
        '{"eventSource":"x","eventName":"y","n":123456789012345678901234567890}',
        '{"eventSource":"x","eventName":"y","n":1e400}',
        '{"eventSource":"x","eventName":"y","eventTime":17,"userIdentity":"text","requestParameters":"HIDDEN"}',
        '{"eventSource":"x","eventName":"y","userIdentity":{"sessionContext":[]},"resources":"no"}',
        '{"eventSource":"x","eventName":"y","userAgent":"a\\u0000b"}',
        '{"eventSource":"x","eventName":"y","raw":"' + "\x01" + '"}',
        '{"eventSource":"x","eventName":"y","k":' + "[" * 200 + "]" * 200 + "}",
        "null",
        '"text"',
        '{"eventSource":"x","eventName":"y","v":NaN}',
    ]
    data = ('{"Records":[' + ",".join([good, *bad, json.dumps(event(2))]) + "]}").encode("utf-8", "surrogatepass")
    result = ingest(case, [write(tmp_path, {"a.json": data})], IngestOptions())
    assert adds_up(result)
    assert query(case, "SELECT count(*) FROM aws_event WHERE event_source = 's3.amazonaws.com'") == [(2,)]
    assert result.records["accepted"] >= 9
    assert query(case, "SELECT bool_or(text_repaired), bool_or(duplicate_names) FROM aws_event") == [(True, True)]


def test_a_run_that_dies_keeps_committed_groups_and_goes_on(tmp_path, monkeypatch):
    from forensics.ingest import run as module

    monkeypatch.setattr(module, "GROUP_FILES", 2)
    logs = write(tmp_path, {f"{n}.json": delivery([event(n)]) for n in range(6)})
    case = new_case(tmp_path)

    def stop(done: int, *_: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(case, [logs], IngestOptions(), stop)
    assert query(case, "SELECT count(*) FROM aws_event") == [(4,)]
    result = ingest(case, [logs], IngestOptions())
    assert (result.accepted, len(result.skipped)) == (2, 4)
    assert query(case, "SELECT count(*), count(DISTINCT event_id) FROM aws_event") == [(6, 6)]
    lines = case.receipts_path.read_text().splitlines()
    assert len(lines) == 6
    assert not check_chain(case.custody.path.read_bytes())[1]


def test_links_and_pipes_are_named_not_followed(tmp_path):
    case = new_case(tmp_path)
    logs = write(tmp_path, {"a.json": delivery([event(1)])})
    (logs / "loop").symlink_to(logs)
    os.mkfifo(logs / "pipe")
    result = ingest(case, [logs], IngestOptions())
    assert result.accepted == 1
    assert {s["path"] for s in result.skipped} == {"loop", "pipe"}


def test_missing_and_empty_folders_are_usage_faults(tmp_path):
    case = new_case(tmp_path)
    (tmp_path / "nothing").mkdir()
    for path in (tmp_path / "absent", tmp_path / "nothing"):
        with pytest.raises(UsageFault):
            ingest(case, [path], IngestOptions())


def test_receipt_times_need_a_zone(tmp_path):
    case = new_case(tmp_path)
    logs = write(
        tmp_path,
        {
            "receipts.csv": b"path,owner,received_at\na.json,Alder,2026-05-06 10:30\n",
            "a.json": delivery([event(1)]),
        },
    )
    with pytest.raises(UsageFault, match="zone"):
        ingest(case, [logs], IngestOptions())
    assert query(case, "SELECT count(*) FROM receipt") == [(0,)]


def test_dry_run_says_what_each_file_is(tmp_path):
    logs = write(tmp_path, {"a.json": delivery([event(1)]), "b.txt": b"hello"})
    assert [(r["path"], r["source"]) for r in preview([logs])] == [
        ("a.json", "aws_cloudtrail"),
        ("b.txt", ""),
    ]


def test_a_receipt_table_that_is_no_csv_is_named_and_one_in_utf16_is_used(tmp_path):
    case, logs = new_case(tmp_path), tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json").write_bytes(delivery([event(1)]))
    (logs / "receipts.csv").write_bytes(b"path,owner\na\rb,Alder\n")
    with pytest.raises(UsageFault, match="the receipt table is no CSV"):
        ingest(case, [logs], IngestOptions())
    (logs / "receipts.csv").write_bytes("path,owner\na.json,Alder\n".encode("utf-16"))
    ingest(case, [logs], IngestOptions())
    assert query(case, "SELECT owner FROM receipt WHERE path = 'a.json'") == [("Alder",)]
