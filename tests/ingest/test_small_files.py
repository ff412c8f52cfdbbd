"""Small files are read together: rows, accounts and receipts are those of each file read by itself."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from forensics.ingest import fast, run
from forensics.ingest.collecting import Part
from forensics.ingest.reading import FileReading, Received, read_file
from forensics.ingest.run import IngestOptions, ingest
from forensics.sources import aws_cloudtrail
from forensics.sources.catalogue import recognise
from forensics.sources.protocol import Probe
from forensics.store.eventstore import Group
from tests.building import delivery, event, lines, new_case, packed
from tests.ingest.test_archives import tarred, zipped
from tests.ingest.test_parts import both, numbered, small  # noqa: F401 - a fixture

SECRET = {"responseElements": {"credentials": {"accessKeyId": "ASIAX", "sessionToken": "tOkEn/+" * 9}}}


def spaced(events: list[dict[str, Any]]) -> bytes:
    return json.dumps({"Records": events}).encode()


def test_files_of_every_kind_between_small_ones(tmp_path):
    """Broken, empty, spaced, with an unknown name, with key material, twice the same, of another format, with a line feed."""
    files = {
        "00.json.gz": packed(delivery(numbered(0, 5))),
        "01.json": delivery(numbered(3, 6)),
        "02-broken.json": delivery(numbered(20, 4))[:-25],
        "03.json": delivery(numbered(30, 3, **SECRET)),
        "04-empty.json": b"",
        "05-same.json.gz": packed(delivery(numbered(0, 5))),
        "06-spaced.json": spaced(numbered(40, 3)),
        "07-unknown.json": delivery(numbered(50, 2, unknownName=1)),
        "08-digest-like.json": b'{"digestS3Object":"x"}',
        "09.json": delivery(numbered(60, 4)),
        "10-line.json": delivery(numbered(70, 3)).replace(b'},{"eventV', b'},\n{"eventV'),
        "11-odd.json": delivery(numbered(80, 2))[:-2] + b',{"eventVersion":"1.10","eventID":"x"}]}',
        "12.json": delivery(numbered(90, 1)) + b"\n",
        "13-list.txt": b"no log\n",
        "14-lines.jsonl": lines(numbered(100, 5)),
        "15-lines.jsonl.gz": packed(lines(numbered(103, 4, **SECRET))),
        "16-lines-odd.jsonl": lines(numbered(110, 2)) + b"no record\n" + lines(numbered(112, 1)),
    }
    result, stored = both(tmp_path, files)
    assert result.records["seen"] == result.records["accepted"] + result.records["duplicate"] + result.records["defect"]
    assert len(stored["receipt"]) == len(files)
    assert len(stored["key_material"]) == 3 + 4
    assert result.records["duplicate"] == 2 + 5


def test_a_large_file_between_small_ones_keeps_the_order_of_receipts(tmp_path, monkeypatch):
    monkeypatch.setattr(fast, "ROW_GROUP", 10)
    files = {f"{n:02d}.json": delivery(numbered(100 * n, 3)) for n in range(6)}
    files["03.json"] = delivery(numbered(300, 4, userAgent="x" * 400_000))
    both(tmp_path, files)


def test_one_odd_file_leaves_the_others_to_the_fast_reader(tmp_path, monkeypatch):
    asked: list[str] = []

    def careful(received: Received, group: Group, part: Part) -> FileReading:
        asked.append(received.file_sha256)
        return read_file(received, group, part)

    monkeypatch.setattr(run, "read_file", careful)
    for n in range(9):
        odd = b',{"eventVersion":"1.10","eventID":"x"}]}' if n == 4 else b"]}"
        (tmp_path / f"{n}.json").write_bytes(delivery(numbered(10 * n, 5))[:-2] + odd)
    case = new_case(tmp_path / "case_of_nine")
    result = ingest(case, sorted(tmp_path.glob("*.json")), IngestOptions(copy=False))
    assert (result.records["accepted"], result.records["defect"]) == (45, 1)
    assert len(asked) == 1


def values(random: Random) -> Any:
    """A value that some format might look for."""
    texts = [
        "",
        "x",
        "sk-ant-x",
        "openai",
        "2026-05-01T00:00:00Z",
        "aws:s3",
        "1",
        "usage",
        "bedrock",
        "litellm",
        "gpt-4",
    ]
    made: list[Any] = [
        *texts, 0, 1, 1.5, True, None, [], ["x"], {}, {"id": "x", "object": "bucket", "results": []},
        {"message": '{"time":"x","type":"request","auth":{}}'}, {"model": "x", "usage": {"input_tokens": 1}},
    ]  # fmt: skip
    return random.choice(made)


@pytest.mark.parametrize("seed", range(40))
def test_no_format_looks_at_more_than_the_names_of_an_event(seed):
    """What the fast reader asks once for a set of names must hold for every record with these names."""
    random = Random(seed)
    for _ in range(25):
        names = [n for n in sorted(aws_cloudtrail._NAMES) if random.random() < 0.5]
        record = {"eventVersion": values(random), **{name: values(random) for name in names}}
        record |= {"eventSource": random.choice(["x.amazonaws.com", "", 7, None]), "eventName": values(random)}
        record = event(1) | record if random.random() < 0.3 else record
        if not aws_cloudtrail.is_plain_event(record):
            continue
        text = json.dumps({"Records": [record]}, separators=(",", ":"))
        probes = [Probe("json", frozenset({"Records"}), "Records", record, text_head=text[:4096])]
        text = json.dumps(record, separators=(",", ":")) + "\n"
        probes += [Probe(form, frozenset(record), "", record, text_head=text[:4096]) for form in ("json", "ndjson")]
        for probe in probes:
            assert [source.id for source, _ in recognise(probe)] == ["aws_cloudtrail"]


@pytest.mark.usefixtures("small")
def test_members_of_an_archive_are_read_together_and_written_on_the_way(tmp_path):
    """Many small members, a large one, one for the careful reader, one that is no log; in a zip and in a tar."""
    inside = {f"d/{n:02d}.json.gz": packed(delivery(numbered(5 * n, 6))) for n in range(30)}
    inside["d/11.json.gz"] = packed(delivery(numbered(500, 90)))
    inside["d/12.json.gz"] = packed(spaced(numbered(700, 3)))
    inside["d/13.json.gz"] = packed(delivery(numbered(800, 4))[:-30])
    inside["d/14.txt"] = b"no log\n"
    result, stored = both(
        tmp_path, {"a.zip": zipped(inside), "b.json": delivery(numbered(900, 3)), "c.tar": tarred(inside)}
    )
    assert len(stored["receipt"]) == 3
    assert result.records["seen"] == result.records["accepted"] + result.records["duplicate"] + result.records["defect"]
    assert result.records["duplicate"] > result.records["accepted"] - 3
