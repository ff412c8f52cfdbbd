"""Large files are written in parts and groups overlap with reading: rows, account and receipts stay those of the careful reader."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from forensics.ingest import collecting, fast, fast_windows, reading, run
from forensics.ingest.account import IngestResult
from forensics.ingest.run import IngestOptions, ingest
from forensics.store import deciding, projecting, shaping
from forensics.store.case_folder import CaseFolder
from forensics.store.eventstore import EventStore
from forensics.store.schema import TABLES
from tests.building import delivery, event, lines, new_case
from tests.case_events import BASES
from tests.paths import SAMPLE


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of some records, parts of thirty, groups of sixty; shaped beside the store, and plans are kept."""
    for module in (fast_windows, run):
        monkeypatch.setattr(module, "WINDOW", 4_000)
    monkeypatch.setattr(fast_windows, "SMALL", 2_000)
    monkeypatch.setattr(fast, "ROW_GROUP", 30)
    monkeypatch.setattr(run, "ROW_GROUP", 30)
    monkeypatch.setattr(collecting, "ROW_GROUP", 30)
    monkeypatch.setattr(collecting, "_CHUNK", 8)
    monkeypatch.setattr(reading, "_BLOCK", 1_000)
    monkeypatch.setattr(run, "GROUP_RECORDS", 60)
    monkeypatch.setattr(shaping, "_WORTH", 1)
    for module in (deciding, projecting):
        monkeypatch.setattr(module, "MANY", 20)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records each group has that is written from now on."""
    written, write = list[int](), EventStore.write

    def noted(self: EventStore, group: Any) -> Any:
        written.append(len(group))
        return write(self, group)

    monkeypatch.setattr(EventStore, "write", noted)
    return written


def tables(case: CaseFolder) -> dict[str, list[str]]:
    with case.writer("test") as connection:
        return {t: sorted(map(repr, connection.execute(f"SELECT * FROM {t}").fetchall())) for t in TABLES}


def both(tmp_path: Path, files: dict[str, bytes]) -> tuple[IngestResult, dict[str, list[str]]]:
    """Ingest by both readers, hold them to the same tables, and return the result and tables of the fast one."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    found: list[tuple[IngestResult, dict[str, list[str]]]] = []
    for careful in (True, False):
        place = tmp_path / str(careful)
        place.mkdir()
        case = new_case(place)
        found.append((ingest(case, [folder], IngestOptions(careful=careful, copy=False)), tables(case)))
    assert found[0][0] == found[1][0]
    assert found[0][1] == found[1][1]
    return found[1]


def numbered(start: int, count: int, **changes: Any) -> list[dict[str, Any]]:
    return [event(n, **changes) for n in range(start, start + count)]


@pytest.mark.usefixtures("small")
def test_files_of_all_sizes_in_a_row(tmp_path: Path) -> None:
    sizes = {"a": 5, "b": 200, "c": 31, "d": 1, "e": 95, "f": 61, "g": 300}
    files, at = {}, 0
    for name, size in sizes.items():
        files[f"{name}.json"] = (lines if name in "bf" else delivery)(numbered(at, size))
        at += size - 3  # the last three come again in the next file
    result, stored = both(tmp_path, files)
    total = sum(sizes.values())
    assert result.records["seen"] == total
    assert result.records["accepted"] == len(stored["aws_event"]) == total - 3 * 6
    assert len(stored["occurrence"]) == total


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("bad", ['{"eventVersion":1,}', '{"eventVersion":"1.10","eventID":"x"}'])
def test_an_oddity_far_into_a_large_file_gives_the_whole_file_to_the_careful_reader(tmp_path: Path, bad: str) -> None:
    events = [json.dumps(e, separators=(",", ":")) for e in numbered(100, 250)]
    odd = '{"Records":[' + ",".join([*events[:240], bad, *events[240:]]) + "]}"
    files = {"a.json": delivery(numbered(0, 20)), "b.json": odd.encode(), "c.json": delivery(numbered(400, 200))}
    result, stored = both(tmp_path, files)
    assert result.records["defect"] == 1
    assert len(stored["aws_event"]) == 470


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("large", [0, 300_000])
def test_records_that_come_again_are_known_by_what_was_committed_and_what_was_not(tmp_path: Path, large: int) -> None:
    """Again in the same file, in the next one, in one that is a group of its own; with other bytes, and with other content."""
    first = numbered(0, 90)
    first[70]["userAgent"] = "x" * large  # records as large as that are shaped by the store
    spaced = [dict(reversed(list(e.items()))) for e in first[:50]]
    other = [{**e, "userAgent": "changed"} for e in first[40:60]]
    files = {
        "a.json": delivery([*first, *first[:9]]),
        "b.json": delivery([*spaced, *numbered(200, 100)]),
        "c.json": delivery(other),
        "d.json": delivery([*numbered(400, 150), *first[85:]]),
    }
    result, stored = both(tmp_path, files)
    assert result.records["duplicate"] == 9 + 50 + 5
    assert len(stored["aws_event"]) == 90 + 100 + 20 + 150


@pytest.mark.usefixtures("small")
def test_a_record_larger_than_a_window(tmp_path: Path) -> None:
    events = numbered(0, 50)
    events[17]["userAgent"] = "x" * 9_000
    result, stored = both(tmp_path, {"a.json": delivery(events)})
    assert len(stored["aws_event"]) == result.records["seen"] == 50


SECRET = {"responseElements": {"credentials": {"accessKeyId": "ASIAX", "sessionToken": "tOkEn/+" * 9}}}


def wrapped() -> dict[str, bytes]:
    """Forms that only the careful reader reads, with records that come again, a broken one and key material."""
    some = [*numbered(0, 95), *numbered(20, 3), *numbered(300, 5, **SECRET), *numbered(400, 40)]
    texts = [json.dumps(e, separators=(",", ":")) for e in some]
    messages = [{"id": str(n), "timestamp": 1_777_600_000_000, "message": text} for n, text in enumerate(texts)]
    log = {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "trail",
        "logStream": "a",
        "logEvents": messages,
    }
    return {
        "a.json": delivery(numbered(50, 100)),
        "b.log": "".join(
            f"2026-05-01T00:00:00.000Z {text}\n" for text in [*texts[:70], "{broken", *texts[70:]]
        ).encode(),
        "c.json": json.dumps({"Records": some}, indent=1).encode(),
        "d.json": json.dumps(log).encode(),
        "e.json": lines(numbered(500, 70)) + b"no record\n" + lines(numbered(570, 40)),
    }


@pytest.mark.usefixtures("small")
def test_the_careful_reader_writes_in_parts_what_it_reads_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, stored = both(tmp_path, wrapped())
    monkeypatch.setattr(collecting, "ROW_GROUP", 1_000_000)
    monkeypatch.setattr(reading, "_BLOCK", 1_000_000)
    again = tmp_path / "again"
    again.mkdir()
    whole = both(again, wrapped())
    for found in (stored, whole[1]):
        found.pop("evidence_file")  # it tells the folders, which differ
    assert whole == (result, stored)
    assert result.records["defect"] == 2
    assert len(stored["key_material"]) >= 3 * 5


def by_record() -> dict[str, bytes]:
    """Exports of formats that judge each record by itself: pages, lines, and one with a record that is none."""
    customers = SAMPLE / "customers"
    spent = gzip.decompress((customers / "brindlewick" / "litellm_spend.jsonl.gz").read_bytes()).splitlines()[:150]
    lambdas = sorted((SAMPLE / "aws" / "bedrock_invocations").iterdir())[:4]
    call = json.loads((BASES / "vault_audit.json").read_text(encoding="utf-8"))
    held = [{**call, "time": f"2026-05-01T00:{n // 60:02d}:{n % 60:02d}.5Z"} for n in range(90)]
    return {
        "spend.jsonl": b"\n".join([*spent[:90], b"[7]", *spent[90:]]),
        "bedrock.jsonl": b"".join(gzip.decompress(path.read_bytes()) for path in lambdas),
        "audit.json": b"".join((customers / "quillmere" / f"openai_audit_{n}.json").read_bytes() for n in (1, 2)),
        "vault.log": b"".join(json.dumps(record).encode() + b"\n" for record in held),
    }


@pytest.mark.usefixtures("small")
def test_requests_and_acts_are_read_in_parts_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in by_record().items():
        (folder / name).write_bytes(data)
    found = []
    for number in (8, 1_000_000):
        monkeypatch.setattr(collecting, "_CHUNK", number)
        place = tmp_path / str(number)
        place.mkdir()
        case = new_case(place)
        found.append((ingest(case, [folder], IngestOptions(copy=False)), tables(case)))
        assert (max(sizes) < 40) is (number == 8)
    assert found[0] == found[1]
    rows = found[0][1]
    assert found[0][0].records["defect"] == 1
    assert all(len(rows[name]) > 30 for name in ("ai_request", "ai_audit_event", "vault_event"))
    assert len(rows["ai_coverage"]) == 3


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("careful", [True, False])
def test_parts_are_handed_on_while_a_file_is_read(tmp_path: Path, sizes: list[int], careful: bool) -> None:
    (tmp_path / "a.json").write_bytes(delivery(numbered(0, 300)))
    ingest(new_case(tmp_path), [tmp_path / "a.json"], IngestOptions(copy=False, careful=careful))
    assert sum(sizes) == 300
    assert max(sizes) < 60


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("careful", [True, False])
def test_what_fails_within_a_part_leaves_nothing_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, careful: bool
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.json").write_bytes(delivery(numbered(0, 70)))
    (folder / "b.json").write_bytes(delivery(numbered(100, 300)))
    case, writes, write = new_case(tmp_path), [0], EventStore.write

    def break_off(self: EventStore, group: Any) -> Any:
        writes[0] += 1
        if writes[0] == 6:
            raise KeyboardInterrupt
        return write(self, group)

    monkeypatch.setattr(EventStore, "write", break_off)
    with pytest.raises(KeyboardInterrupt):
        ingest(case, [folder], IngestOptions(copy=False, careful=careful))
    monkeypatch.setattr(EventStore, "write", write)
    assert len(tables(case)["aws_event"]) == 70
    assert ingest(case, [folder], IngestOptions(copy=False, careful=careful)).records["accepted"] == 300
    assert len(tables(case)["aws_event"]) == 370


def test_an_account_that_does_not_add_up_is_not_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(delivery(numbered(0, 3)))
    case, write = new_case(tmp_path), EventStore.write

    def forget(self: EventStore, group: Any) -> Any:
        counts = write(self, group)
        counts[1, "accepted"] -= 1
        return counts

    monkeypatch.setattr(EventStore, "write", forget)
    with pytest.raises(RuntimeError, match="does not add up"):
        ingest(case, [tmp_path / "a.json"], IngestOptions(copy=False))
    assert tables(case)["aws_event"] == tables(case)["receipt"] == []
