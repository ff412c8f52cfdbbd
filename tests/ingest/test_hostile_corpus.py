"""Crafted inputs between two good neighbours: never a traceback, never a lost neighbour, and an account that adds up."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import socket
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.ingest.account import IngestResult
from forensics.ingest.discover import bytes_of
from forensics.ingest.preview import preview
from forensics.ingest.run import IngestOptions, ingest
from tests.building import delivery, event, new_case

GOOD = delivery([event(1), event(2)])
ONE = json.dumps(event(7)).encode()


def wrapped(record: bytes) -> bytes:
    return b'{"Records":[' + record + b"]}"


def with_member(text: bytes) -> bytes:
    return wrapped(ONE[:-1] + b"," + text + b"}")


def zipped(members: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, data)
    return out.getvalue()


def linked(info: zipfile.ZipInfo) -> None:
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def tarred(*entries: tuple[str, bytes, bytes, str]) -> bytes:
    """Entries are name, type, content, name of the link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind, data, link in entries:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), link
            archive.addfile(info, io.BytesIO(data) if kind == tarfile.REGTYPE else None)
    return out.getvalue()


def twice_named() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.json", GOOD)
        archive.writestr("a.json", wrapped(ONE))
    return out.getvalue()


def encrypted() -> bytes:
    """A zip whose member says that it is encrypted."""
    data = bytearray(zipped({"a.json": GOOD}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def nested(depth: int) -> bytes:
    data = GOOD
    for _ in range(depth):
        data = zipped({"inner.zip": data})
    return data


REG = tarfile.REGTYPE
CORPUS: dict[str, bytes | Callable[[], bytes]] = {
    "empty": b"",
    "one blank": b" ",
    "only a line end": b"\n",
    "only a byte order mark": b"\xef\xbb\xbf",
    "only NULs": b"\x00" * 4096,
    "random bytes": bytes(range(256)) * 20,
    "a bare number": b"7",
    "a bare text": b'"x"',
    "null": b"null",
    "an empty list": b"[]",
    "an empty object": b"{}",
    "empty records": b'{"Records":[]}',
    "records that are null": b'{"Records":null}',
    "records that are an object": b'{"Records":{}}',
    "records of other types": b'{"Records":[1,"x",null,[],{},true]}',
    "a list 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "an object 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a deep member of a record": with_member(b'"x":' + b"[" * 5_000 + b"]" * 5_000),
    "unclosed lists": b'{"Records":[' + b"[" * 50_000,
    "a name of a million letters": with_member(b'"' + b"n" * 1_000_000 + b'":1'),
    "a name of five million letters before all else": wrapped(b'{"' + b"k" * 5_000_000 + b'":1,' + ONE[1:]),
    "a file of one name": b'{"' + b"k" * 5_000_000 + b'":1}',
    "a value of two million letters": with_member(b'"x":"' + b"v" * 2_000_000 + b'"'),
    "100,000 names": with_member(b",".join(b'"n%d":1' % n for n in range(100_000))),
    "a name twice": with_member(b'"eventName":"Other"'),
    "names that differ in case": with_member(b'"EVENTNAME":"Other","eventname":"x"'),
    "a number of 30 digits": with_member(b'"x":123456789012345678901234567890'),
    "a number of 10,000 digits": with_member(b'"x":' + b"9" * 10_000),
    "a huge exponent": with_member(b'"x":1e999999999'),
    "NaN": with_member(b'"x":NaN'),
    "Infinity": with_member(b'"x":[Infinity,-Infinity]'),
    "a leading zero": with_member(b'"x":007'),
    "a trailing comma": wrapped(ONE + b","),
    "single quotes": wrapped(ONE).replace(b'"', b"'"),
    "a comment": b"// note\n" + wrapped(ONE),
    "cut within a text": wrapped(ONE)[:200],
    "cut within a second record": wrapped(ONE + b"," + ONE)[:-40],
    "cut after the comma": b'{"Records":[' + ONE + b",",
    "garbage after the end": wrapped(ONE) + b"garbage",
    "two documents": wrapped(ONE) * 2,
    "a broken record between two": wrapped(ONE + b',{"eventVersion":1,},' + json.dumps(event(8)).encode()),
    "UTF-16 with a mark": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "bytes that are no UTF-8": with_member(b'"x":"\xff\xfe\xc3("'),
    "a lone surrogate": with_member(b'"x":"\\ud800","\\udfff":1'),
    "an escaped NUL": with_member(b'"x":"a\\u0000b","eventName\\u0000":"x"'),
    "NUL padding": GOOD + b"\x00" * 10_000,
    "a mark in the middle": wrapped(ONE + b",\xef\xbb\xbf" + json.dumps(event(8)).encode()),
    "carriage returns": json.dumps({"Records": [event(7)]}, indent=1).replace("\n", "\r\n").encode(),
    "terminal controls and markup": with_member(b'"x":"\\u001b[2J<script>alert(1)</script>=cmd|x"'),
    "ids of other types": wrapped(
        ONE.replace(event(7)["eventID"].encode(), b"").replace(b'"eventID": ""', b'"eventID":[1]')
    ),
    "a time that is none": wrapped(ONE.replace(event(7)["eventTime"].encode(), b"9999-99-99T99:99:99Z")),
    "CSV with unbalanced quotes": b'eventID,eventName\n"a,b\nc,d\n',
    "CSV with too many fields": b"a,b\n" + b",".join([b"x"] * 50_000) + b"\n",
    "CSV of 100,000 columns": b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
    "an enormous CSV cell": b"a,b\n" + b"x" * 20_000_000 + b",1\n",
    "CSV with NULs": b"a,b\n\x00,\x00\n",
    "gzip cut off": gzip.compress(GOOD * 50)[:-30],
    "gzip with a bad checksum": gzip.compress(GOOD)[:-8] + b"\x00" * 8,
    "gzip with bytes after it": gzip.compress(GOOD, mtime=0) + b"appended",
    "gzip of two members": gzip.compress(GOOD, mtime=0) + gzip.compress(wrapped(ONE), mtime=0),
    "gzip of gzip": gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0),
    "gzip of nothing": gzip.compress(b"", mtime=0),
    "only the head of gzip": b"\x1f\x8b\x08\x00",
    "a gzip bomb": gzip.compress(b"\x00" * 80_000_000, mtime=0),
    "bzip2 cut off": bz2.compress(GOOD * 50)[:-20],
    "xz damaged": lzma.compress(GOOD)[:-30] + b"\x00" * 30,
    "zstd that is none": b"\x28\xb5\x2f\xfd" + b"\x00" * 40,
    "Parquet that is none": b"PAR1" + b"\x00" * 40 + b"PAR1",
    "zip of nothing": zipped({}),
    "zip cut off": zipped({"a.json": GOOD})[:-30],
    "zip with an absolute name": zipped({"/etc/passwd": GOOD}),
    "zip that climbs": zipped({"../../../../tmp/x.json": GOOD, "..\\..\\x.json": GOOD}),
    "zip with a drive": zipped({"C:\\Windows\\x.json": GOOD, "nul": GOOD, "a:b": GOOD}),
    "zip with a link": zipped({"link": b"/etc/passwd"}, linked),
    "zip with one name twice": twice_named,
    "zip with controls in a name": zipped({"a\x1b[2J\r\n.json": GOOD, "\u202egnp.json": GOOD}),
    "zip that is encrypted": encrypted,
    "zip nine deep": nested(9),
    "zip with a bomb": zipped({"a.json": b" " * 80_000_000, "b.json": wrapped(ONE)}),
    "zip with a bad checksum": zipped({"a.json": GOOD}).replace(
        struct.pack("<I", zlib.crc32(GOOD)), b"\x01\x02\x03\x04"
    ),
    "tar that climbs": tarred(("../../x.json", REG, GOOD, ""), ("/abs.json", REG, GOOD, "")),
    "tar with links and devices": tarred(
        ("s", tarfile.SYMTYPE, b"", "/etc/passwd"),
        ("h", tarfile.LNKTYPE, b"", "/etc/passwd"),
        ("d", tarfile.CHRTYPE, b"", ""),
        ("f", tarfile.FIFOTYPE, b"", ""),
        ("a.json", REG, GOOD, ""),
    ),
    "tar cut off": tarred(("a.json", REG, GOOD * 20, ""))[:900],
    "tar with a bad checksum": b"x" + tarred(("a.json", REG, GOOD, ""))[1:],
    "JSON under another name": GOOD,
}
#: Inputs of which every record that is whole must be there, and how many.
READ = {
    "a name of five million letters before all else": 1,
    "a name twice": 1,
    "names that differ in case": 1,
    "a number of 30 digits": 1,
    "a lone surrogate": 1,
    "bytes that are no UTF-8": 1,
    "an escaped NUL": 1,
    "cut within a second record": 1,
    "a broken record between two": 2,
    "garbage after the end": 1,
    "UTF-16 with a mark": 2,
    "UTF-16 without a mark": 2,
    "NUL padding": 2,
    "carriage returns": 1,
    "terminal controls and markup": 1,
    "gzip with bytes after it": 2,
    "gzip of two members": 2,
    "zip that climbs": 2,
    "zip with an absolute name": 2,
    "zip with one name twice": 3,
    "tar that climbs": 2,
    "tar with links and devices": 2,
    "JSON under another name": 2,
}


def check(tmp_path: Path, folder: Path, expected: int | None = None) -> IngestResult:
    """Ingest a folder with an odd thing between two neighbours, twice, and look at it without writing."""
    (folder / "a.json").write_bytes(delivery([event(100)]))
    (folder / "z.json").write_bytes(delivery([event(101)]))
    case = new_case(tmp_path)
    result = ingest(case, [folder], IngestOptions(copy=False))
    account = result.records
    assert account["seen"] == sum(account[n] for n in ("accepted", "duplicate", "defect", "out_of_scope"))
    with case.writer("test") as connection:
        rows = connection.execute("SELECT event_id FROM aws_event").fetchall()
        named = connection.execute(
            "SELECT path, state, coalesce(reason, '') FROM receipt LEFT JOIN evidence_file USING (file_sha256)"
        ).fetchall()
    ids = {row[0] for row in rows}
    assert {event(100)["eventID"], event(101)["eventID"]} <= ids
    if expected is not None:
        assert len(rows) - 2 == expected
    assert all(state in ("read", "registered") or reason for _, state, reason in named if state is not None)
    again = ingest(case, [folder], IngestOptions(copy=False))
    assert again.records["accepted"] == 0
    assert all(row["path"] and len(row["why"]) < 2_000 for row in preview([folder]))
    assert all(len(reason) < 2_000 for _, _, reason in named)
    return result


@pytest.mark.parametrize("name", CORPUS)
def test_a_crafted_file_between_two_neighbours(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    data = CORPUS[name]
    target = "odd.png" if name == "JSON under another name" else "odd.json"
    (folder / target).write_bytes(data() if callable(data) else data)
    outside = set(tmp_path.iterdir())
    check(tmp_path, folder, READ.get(name))
    assert set(tmp_path.iterdir()) - outside == {tmp_path / "case"}


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "odd.json")


def _socket(folder: Path) -> None:
    here = os.getcwd()
    os.chdir(folder)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("odd.json")
    finally:
        os.chdir(here)


def _loop(folder: Path) -> None:
    (folder / "odd").symlink_to(folder, target_is_directory=True)
    (folder / "odd.json").symlink_to(folder / "odd.json")


def _gone(folder: Path) -> None:
    (folder / "odd.json").symlink_to(folder / "nowhere.json")


def _long(folder: Path) -> None:
    (folder / ("n" * 250 + ".json")).write_bytes(GOOD)


def _deep(folder: Path) -> None:
    place = folder
    for _ in range(60):
        place = place / "deeper"
    place.mkdir(parents=True)
    (place / "odd.json").write_bytes(GOOD)


@pytest.mark.skipif(os.name == "nt", reason="these things are not there on Windows")
@pytest.mark.parametrize("make", [_pipe, _socket, _loop, _gone, _long, _deep])
def test_an_odd_thing_of_the_file_system(tmp_path: Path, make: Callable[[Path], None]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make(folder)
    result = check(tmp_path, folder)
    if make in (_pipe, _socket, _loop, _gone):
        assert any("odd" in each["path"] for each in (*result.skipped, *result.defective))


@pytest.mark.parametrize("change", ["gone", "a folder now", "other bytes"])
def test_a_file_that_changes_between_listing_and_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    odd = folder / "odd.json"
    odd.write_bytes(GOOD)
    read = Path.read_bytes

    def changing(self: Path) -> Any:
        if self.name == "odd.json" and odd.is_file():
            odd.unlink()
            if change == "a folder now":
                odd.mkdir()
            elif change == "other bytes":
                odd.write_bytes(wrapped(ONE))
                return read(self)
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", changing)
    (folder / "a.json").write_bytes(delivery([event(100)]))
    case = new_case(tmp_path)
    result = ingest(case, [folder], IngestOptions(copy=False))
    assert result.records["accepted"] == (2 if change == "other bytes" else 1)
    assert [each["path"] for each in result.defective] == ([] if change == "other bytes" else ["odd.json"])


@pytest.mark.skipif(os.name == "nt", reason="no pipes there")
def test_a_pipe_in_the_place_of_a_file_is_not_opened(tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    os.mkfifo(odd)
    assert bytes_of(odd, 10) == (b"", "not a regular file any more: not opened")


def test_a_file_larger_than_the_limit_or_the_memory_is_a_defect(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "odd.json").open("wb") as sparse:
        sparse.truncate(1 << 42)
    with (folder / "odd.zip").open("wb") as sparse:
        sparse.write(zipped({"a.json": GOOD})[:-5])
        sparse.truncate(1 << 42)
    result = check(tmp_path, folder)
    assert [(each["path"], "limit" in each["reason"] or "memory" in each["reason"]) for each in result.defective] == [
        ("odd.json", True),
        ("odd.zip", True),
    ]
