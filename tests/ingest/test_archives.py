"""Archives: every member is read where it stands, nothing is written by its name, limits are defects with neighbours read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from forensics.analysis.original import places_of, read_original
from forensics.cli.commands.show import _content
from forensics.ingest.archives import member, members
from forensics.ingest.enclosed import text_at
from forensics.ingest.preview import preview
from forensics.ingest.run import IngestOptions, ingest
from forensics.ingest.unpack import Limits
from forensics.store.case_folder import CaseFolder
from tests.building import delivery, event, new_case


def log(*numbers: int) -> bytes:
    return delivery([event(n) for n in numbers])


def zipped(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(entries: dict[str, bytes], *, link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


@pytest.fixture
def case(tmp_path: Path) -> CaseFolder:
    return new_case(tmp_path)


def read(case: CaseFolder, tmp_path: Path, data: bytes, name: str = "export.bin", **options: object):
    path = tmp_path / name
    path.write_bytes(data)
    return ingest(case, [path], IngestOptions(**options))  # type: ignore[arg-type]


FORMS = {
    "zip": zipped({"a.json": log(1), "b.json.gz": gzip.compress(log(2, 3))}),
    "tar": tarred({"a.json": log(1), "b.json": log(2, 3)}),
    "tar.gz": gzip.compress(tarred({"a.json": log(1), "b.json": log(2, 3)})),
    "tar.xz": lzma.compress(tarred({"a.json": log(1), "b.json": log(2, 3)})),
    "tar.bz2": bz2.compress(tarred({"a.json": log(1), "b.json": log(2, 3)})),
    "zip in zip": zipped({"a.json": log(1), "inner.zip": zipped({"x/b.json": log(2, 3)})}),
    "tar.gz in zip": zipped({"inner.tgz": gzip.compress(tarred({"b.json": log(1, 2, 3)}))}),
    "bz2": bz2.compress(log(1, 2, 3)),
    "xz": lzma.compress(log(1, 2, 3)),
    "zst": zstd(log(1, 2, 3)),
}


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_container_gives_its_records(case: CaseFolder, tmp_path: Path, form: str):
    result = read(case, tmp_path, FORMS[form])
    assert (result.records["seen"], result.records["accepted"], result.accepted) == (3, 3, 1)
    assert not result.defective


@pytest.mark.parametrize("form", ["zip", "zip in zip", "tar.gz in zip", "tar.xz"])
def test_a_record_inside_is_found_again_by_its_place(case: CaseFolder, tmp_path: Path, form: str):
    read(case, tmp_path, FORMS[form])
    connection = case.reader()
    places = places_of(connection, "00000000-0000-4000-8000-000000000003")
    connection.close()
    assert places[0]["member_path"]
    text = read_original(case, places[0], _content, text_at).text
    assert json.loads(text)["eventID"].endswith("3")


def test_path_tricks_are_labels_only(case: CaseFolder, tmp_path: Path):
    data = tarred({"../../../evil.json": log(1), "/abs.json": log(2), "a\x1b[2J.json": log(3)}, link="link.json")
    before = set(tmp_path.parent.rglob("*evil*"))
    result = read(case, tmp_path, data)
    assert result.records["accepted"] == 3
    assert set(tmp_path.parent.rglob("*evil*")) == before
    assert any("not followed" in note for note in result.notes)
    assert not any("\x1b" in note for note in result.notes)


def test_a_damaged_member_is_a_defect_and_its_neighbours_are_read(case: CaseFolder, tmp_path: Path):
    data = bytearray(zipped({"a.json": log(1), "b.json": log(2), "c.json": log(3)}))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        at = archive.getinfo("b.json").header_offset
    data[at + 60 : at + 90] = b"\xff" * 30
    result = read(case, tmp_path, bytes(data))
    assert result.records["accepted"] == 2
    assert len(result.defective) == 1
    assert "b.json" in result.defective[0]["reason"]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(content=1_000), "over the limit"),
        (Limits(members=1), "more than 1 members"),
        (Limits(depth=1), "nested deeper than 1"),
        (Limits(ratio=1, ratio_from=1_200), "over the limit"),
    ],
)
def test_each_limit_is_a_defect_with_its_reason(case: CaseFolder, tmp_path: Path, limits: Limits, said: str):
    data = zipped({"a.json": log(1), "inner.zip": zipped({"b.json": b"[" + log(*range(2, 40)) + b"]"})})
    result = read(case, tmp_path, data, limits=limits)
    assert len(result.defective) == 1
    assert said in result.defective[0]["reason"]
    account = result.records
    parts = ("accepted", "duplicate", "defect", "out_of_scope")
    assert account["seen"] == sum(account[part] for part in parts)


def test_a_bomb_gives_no_more_than_its_limit():
    bomb = zipped({"zeros": b"\x00" * 50_000_000, "a.json": log(1)})
    found = list(members(bomb, Limits(content=1_000_000)))
    assert [(m.path, m.data is None) for m in found] == [("zeros", True), ("a.json", False)]


def test_ten_nested_archives_stop_at_the_depth():
    data = log(1)
    for _ in range(10):
        data = zipped({"inner.zip": data})
    found = list(members(data))
    assert len(found) == 1
    assert "nested deeper" in found[0].problem


def test_a_cut_archive_is_a_defect(case: CaseFolder, tmp_path: Path):
    result = read(case, tmp_path, FORMS["tar"][:1400])
    assert len(result.defective) == 1


def test_a_dry_run_names_the_members(tmp_path: Path):
    path = tmp_path / "all.zip"
    path.write_bytes(zipped({"a.json": log(1), "note.txt": b"hello there"}))
    assert [(r["path"], r["source"]) for r in preview([path])] == [
        ("all.zip!a.json", "aws_cloudtrail"),
        ("all.zip!note.txt", ""),
    ]


def test_the_same_archive_again_is_unchanged_and_its_files_are_duplicates(case: CaseFolder, tmp_path: Path):
    read(case, tmp_path, FORMS["zip"])
    again = read(case, tmp_path, FORMS["zip"])
    assert [s["reason"] for s in again.skipped] == ["unchanged"]
    plain = read(case, tmp_path, log(1), "a.json")
    assert (plain.records["accepted"], plain.records["duplicate"]) == (0, 1)


def test_members_whose_labels_would_be_the_same_are_told_apart(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for name, data in (("a.json", log(1)), ("a.json", log(2)), ("a.json#2", log(3)), ("i.zip!x.json", log(4))):
            archive.writestr(name, data)
        archive.writestr("i.zip", zipped({"x.json": log(5)}))
    data = out.getvalue()
    paths = [m.path for m in members(data)]
    assert paths == ["a.json", "a.json#2", "a.json#2#2", r"i.zip\x21x.json", "i.zip!x.json"]
    assert [member(data, path) for path in paths] == [log(n) for n in range(1, 6)]
