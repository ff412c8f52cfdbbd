"""Damaged and unusual containers: what stands before the damage is read and counted, the damage is a defect."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.ingest.archives import members
from forensics.ingest.preview import preview
from forensics.ingest.run import IngestOptions, IngestResult, ingest
from forensics.ingest.unpack import Limits, unpack
from forensics.sources.protocol import Provenance
from tests.building import delivery, event, new_case
from tests.ingest.test_archives import log, tarred, zipped, zstd

LOG = delivery([event(n) for n in range(400)])


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> IngestResult:
    path = tmp_path / "export.bin"
    path.write_bytes(data)
    return ingest(new_case(tmp_path), [path], IngestOptions(limits=limits) if limits else IngestOptions())


def whole(result: IngestResult) -> None:
    seen = result.records
    assert seen["seen"] == seen["accepted"] + seen["duplicate"] + seen["defect"] + seen["out_of_scope"]


@pytest.mark.parametrize("at", [-8, -4])
def test_a_wrong_checksum_or_length_of_gzip_loses_no_record(tmp_path: Path, at: int) -> None:
    data = bytearray(gzip.compress(LOG))
    data[at] ^= 0xFF
    result = read(tmp_path, bytes(data))
    assert result.records["accepted"] == 400
    assert "checksum" in result.defective[0]["reason"]


def test_gzip_gives_all_that_stands_before_the_damage() -> None:
    packed = gzip.compress(LOG, mtime=0)
    cut = unpack(packed[: len(packed) // 2])
    damaged = bytearray(packed)
    damaged[len(packed) // 2 :] = b"\xff" * (len(packed) - len(packed) // 2)
    found = unpack(bytes(damaged))
    assert found.problem
    assert len(found.data) >= len(cut.data) - 300
    assert found.data[: len(cut.data) - 300] == LOG[: len(cut.data) - 300]


def noise(count: int) -> bytes:
    """Records that do not compress away: several blocks of each compressor."""
    import random

    chance = random.Random(7)
    return delivery([{**event(n), "requestID": chance.randbytes(1500).hex()} for n in range(count)])


@pytest.mark.parametrize("pack", [lambda d: bz2.compress(d, 1), lzma.compress, zstd], ids=["bz2", "xz", "zst"])
def test_a_cut_stream_gives_its_beginning(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(noise(400))
    result = read(tmp_path, packed[: len(packed) * 3 // 4])
    assert 100 < result.records["accepted"] < 400
    assert len(result.defective) == 1
    whole(result)


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress], ids=["bz2", "xz"])
def test_several_streams_one_after_the_other_are_one_content(pack: Callable[[bytes], bytes]) -> None:
    assert unpack(pack(b"one ") + pack(b"two")).data == b"one two"


def test_streams_of_xz_with_padding_between_them_are_one_content() -> None:
    assert unpack(lzma.compress(b"one ") + bytes(8) + lzma.compress(b"two") + bytes(4)).data == b"one two"


def test_frames_of_zstd_are_one_content_and_those_to_skip_are_skipped(tmp_path: Path) -> None:
    skipped = b"\x53\x2a\x4d\x18\x04\x00\x00\x00abcd"
    found = unpack(skipped + zstd(b"one ") + skipped + zstd(b"two") + skipped)
    assert (found.data, found.problem) == (b"one two", "")
    result = read(tmp_path, zipped({"a.zst": skipped + zstd(log(1))}))
    assert result.records["accepted"] == 1


def test_what_stands_before_the_damage_of_zstd_is_read_to_the_byte() -> None:
    found = unpack(zstd(noise(3)) + b"garbage")
    assert found.data == noise(3)
    assert found.problem == "the zstd file is cut off or damaged"


def test_compression_within_compression_is_opened(tmp_path: Path) -> None:
    result = read(tmp_path, gzip.compress(bz2.compress(gzip.compress(LOG))))
    assert result.records["accepted"] == 400
    assert any("compressed 3 times" in note for note in result.notes)


def test_compression_deeper_than_the_limit_is_a_defect() -> None:
    data = LOG
    for _ in range(3):
        data = gzip.compress(data)
    assert unpack(data, Limits(depth=2)).problem == "compressed more than 2 times"
    assert unpack(data, Limits(depth=3)).data == LOG


def message(number: int) -> bytes:
    inner = {"id": str(number), "timestamp": 0, "message": json.dumps(event(number))}
    return (
        json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "trail", "logEvents": [inner]})
        .encode()
        .replace(b'"messageType": ', b'"messageType":')
    )


def test_the_members_of_a_subscription_are_all_read_and_those_of_a_delivery_are_not(tmp_path: Path) -> None:
    joined = b"".join(gzip.compress(message(n)) for n in range(5))
    result = read(tmp_path, joined)
    assert result.records["accepted"] == 5
    assert any("5 gzip members" in note for note in result.notes)
    other = unpack(gzip.compress(log(1)) + gzip.compress(log(2)))
    assert other.data == log(1)
    assert "appended member" in other.notes[0]


def test_an_archive_behind_a_program_is_read(tmp_path: Path) -> None:
    result = read(tmp_path, b"MZ\x90\x00\x03\x00" * 100 + zipped({"a.json": log(1, 2)}))
    assert result.records["accepted"] == 2


def test_a_log_with_an_archive_behind_it_stays_a_log(tmp_path: Path) -> None:
    result = read(tmp_path, LOG + zipped({"a.json": log(1000)}))
    assert result.records["accepted"] == 400
    assert result.defective


def test_a_tar_from_before_posix_is_read(tmp_path: Path) -> None:
    data = bytearray(tarred({"a.json": log(1, 2)}))
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    result = read(tmp_path, bytes(data))
    assert result.records["accepted"] == 2


def test_a_tar_member_larger_than_the_archive_gives_what_is_there(tmp_path: Path) -> None:
    data = tarred({"a.json": log(1), "b.json": LOG})
    result = read(tmp_path, data[: len(data) - len(LOG) // 2 - 10_240])
    assert 1 < result.records["accepted"] < 401
    assert any("cut off" in one["reason"] for one in result.defective)
    whole(result)


@pytest.mark.parametrize("cut", [0, 400])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_a_compressed_tar_that_is_cut_or_damaged_gives_its_whole_members(
    tmp_path: Path, pack: Callable[[bytes], bytes], cut: int
) -> None:
    data = bytearray(pack(tarred({"a.json": log(1, 2), "b.json": log(3), "c.json": noise(700)})))
    data[-6] ^= 0xFF  # the checksum, or the size
    result = read(tmp_path, bytes(data[: len(data) - cut]))
    assert result.records["accepted"] >= 3
    assert len(result.defective) == 1
    whole(result)


def test_behind_a_damaged_header_of_tar_the_next_members_are_read(tmp_path: Path) -> None:
    data = bytearray(tarred({"a.json": log(1), "b.json": log(2), "c.json": log(3), "d.json": log(4)}))
    for name in (b"b.json", b"d.json"):
        data[data.index(name)] ^= 1
    result = read(tmp_path, bytes(data))
    assert result.records["accepted"] == 2
    assert "2 defects, first: (damaged header): the header" in result.defective[0]["reason"]
    whole(result)


@pytest.mark.parametrize("kind", [b"7", b"Z"])
def test_a_kind_of_tar_that_nobody_defined_is_a_file(kind: bytes) -> None:
    data = bytearray(tarred({"a.json": log(1)}))
    data[156:157] = kind
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert [m.data for m in members(bytes(data))] == [log(1)]


def test_a_folder_of_zip_that_has_content_is_read() -> None:
    assert [m.data for m in members(zipped({"logs/": log(1), "empty/": b"", "b.json": log(2)}))] == [log(1), log(2)]


class Pipe(io.RawIOBase):
    """What is written to a pipe: members state their sizes behind their content."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: object) -> int:
        self.data += bytes(piece)  # type: ignore[call-overload]
        return len(bytes(piece))  # type: ignore[call-overload]


def piped(entries: dict[str, bytes]) -> bytes:
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return bytes(pipe.data)


@pytest.mark.parametrize("pack", [zipped, piped])
def test_a_zip_that_lost_its_end_gives_its_members(tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]) -> None:
    data = pack({"a.json": log(1, 2), "empty/": b"", "b.json": log(3), "c.json": noise(300)})
    directory = data.index(b"PK\x01\x02")
    found = [(m.path, m.problem) for m in members(data[:directory])]
    damaged = ("", "the archive is damaged (BadZipFile): the rest is not read")
    assert found == [("a.json", ""), ("b.json", ""), ("c.json", ""), damaged]
    found = [(m.path, m.problem) for m in members(data[: directory - 2_000])]
    assert found[1:] == [("b.json", ""), ("c.json", "the member is cut off"), damaged]
    result = read(tmp_path, data[: directory - 2_000])
    assert 3 < result.records["accepted"] < 303
    assert len(result.defective) == 1
    whole(result)


def test_limits_hold_for_a_zip_that_lost_its_end() -> None:
    data = zipped({"a.json": b" " * 9_000_000, "b.json": log(1)})[:-30]
    found = [(m.path, m.problem) for m in members(data, Limits(ratio=1, ratio_from=1_000_000))]
    assert found[:2] == [("a.json", "uncompressed size is over the limit"), ("b.json", "")]


def test_bytes_that_the_directory_of_a_zip_does_not_name_are_said(tmp_path: Path) -> None:
    data = zipped({"a.json": log(1), "b.json": log(2), "c.json": log(3)})
    directory = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", directory + 4)
    third = data.index(b"PK\x01\x02", second + 4)
    hidden = bytearray(data[:second] + data[third:])
    new_end = hidden.index(b"PK\x05\x06")
    hidden[new_end + 8 : new_end + 16] = b"\x02\x00\x02\x00" + (new_end - directory).to_bytes(4, "little")
    size = data.index(b"PK\x03\x04", data.index(b"PK\x03\x04", 4) + 4) - data.index(b"PK\x03\x04", 4)
    assert [(m.path, m.aside) for m in members(bytes(hidden) + log(4))] == [
        ("(between members)", f"{size} bytes that the directory of the archive does not name are not read"),
        ("(after the end)", f"{len(log(4))} bytes after the end of the archive are not read"),
        ("a.json", ""),
        ("c.json", ""),
    ]
    result = read(tmp_path, bytes(hidden) + log(4))
    assert sum("not read: (" in note for note in result.notes) == 2


def test_a_directory_that_hides_the_end_of_a_member_is_a_defect() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.json", b"[]" + log(1))
    data = bytearray(out.getvalue())
    directory = data.index(b"PK\x01\x02")
    data[directory + 16 : directory + 28] = zlib.crc32(b"[]").to_bytes(4, "little") + b"\x02\x00\x00\x00" * 2
    assert "another size" in next(m.problem for m in members(bytes(data)) if m.path == "a.json")


def test_a_damaged_zip_member_gives_its_beginning_and_its_neighbours(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.json", LOG)
        archive.writestr("b.json", log(1000))
    data = bytearray(out.getvalue())
    place = data.find(b"eventName", len(LOG) // 2)
    data[place : place + 9] = b"eventname"  # the checksum no longer agrees
    result = read(tmp_path, bytes(data))
    assert result.records["accepted"] > 300
    assert result.defective
    assert [bool(m.problem) for m in members(bytes(data))] == [True, False]
    whole(result)


def test_compressed_members_are_charged_to_the_archive() -> None:
    bomb = gzip.compress(b"\x20" * 3_000_000)
    data = zipped({f"{n}.json.gz": bomb for n in range(4)})
    found = list(members(data, Limits(ratio=1, ratio_from=7_000_000)))
    problems = [m.problem or (m.content.problem if m.content else "") for m in found]
    assert problems == ["", "", "uncompressed size is over the limit", "uncompressed size is over the limit"]


PACKED = {
    "gz": gzip.compress(log(1, 2, 3), mtime=0),
    "bz2": bz2.compress(log(1, 2, 3)),
    "xz": lzma.compress(log(1, 2, 3)),
    "zst": zstd(log(1, 2, 3)),
    "zip": zipped({"a.json": log(1), "b.json.gz": gzip.compress(log(2, 3), mtime=0)}),
    "tar": tarred({"a.json": log(1), "b.json.gz": gzip.compress(log(2, 3), mtime=0)}),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(PACKED)), st.data())
def test_no_damage_makes_a_reader_raise(form: str, draw: st.DataObject) -> None:
    from forensics.ingest.members import read_archive
    from forensics.ingest.reading import Received, read_file
    from forensics.ingest.unpack import archive_kind
    from forensics.store.eventstore import Group

    data = bytearray(PACKED[form])
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    cut = bytes(data[: draw.draw(st.integers(0, len(data)))] if draw.draw(st.booleans()) else data)
    content, group = unpack(cut), Group()
    received = Received("f" * 64, content, 1, Provenance("", "", None, ""))
    if archive_kind(content.data):
        reading = read_archive(received, cut, lambda parts: [read_file(part, group) for part in parts])
    else:
        reading = read_file(received, group)
    defects = sum(1 for each in reading.defects if each["is_record"])
    assert reading.seen == reading.offered + defects + reading.out_of_scope
    assert len(group) == reading.offered


def test_a_preview_says_what_is_wrong_in_the_words_of_ingest(tmp_path: Path) -> None:
    damaged = bytearray(zipped({"a.json": noise(40), "b.json": b'{"Records'}))
    damaged[len(damaged) // 2] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(damaged)
    (tmp_path / "y.json").write_bytes(b'{"Records')
    (tmp_path / "z.json.gz").write_bytes(gzip.compress(noise(40))[:-2_000])
    rows = {row["path"]: (row["source"], row["why"]) for row in preview([tmp_path])}
    assert rows["x.zip!a.json"][0] == "aws_cloudtrail"
    assert rows["x.zip!a.json"][1].startswith("the member is damaged")
    assert rows["x.zip!b.json"] == rows["y.json"] == ("", "broken JSON: nothing in it can be recognised")
    assert rows["z.json.gz"] == ("aws_cloudtrail", "the gzip stream is cut off; Records with eventSource and eventName")
    reasons = {
        each["path"]: each["reason"] for each in ingest(new_case(tmp_path), [tmp_path], IngestOptions()).defective
    }
    assert reasons["y.json"] == rows["y.json"][1]
