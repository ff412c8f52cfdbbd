"""ZIPs that try to write elsewhere, to hide something, or to fill the disk."""

from __future__ import annotations

import stat
import zipfile

import pytest

from forensics.evidence.unzip import unzip
from forensics.evidence.verify import verify
from tests.evidence.sealing import Ticking


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as out:
        for name, mode, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = compression
            out.writestr(info, content)
    return path


PLAIN = stat.S_IFREG | 0o644


@pytest.mark.parametrize(
    "members",
    [
        [("/top/a", PLAIN, b"x")],
        [("../a", PLAIN, b"x")],
        [("top/../../a", PLAIN, b"x")],
        [("top\\..\\a", PLAIN, b"x")],
        [("C:/a", PLAIN, b"x")],
        [("top/NUL", PLAIN, b"x")],
        [("top/a", stat.S_IFLNK | 0o777, b"/etc/passwd")],
        [("top/a", stat.S_IFIFO | 0o644, b"")],
        [("top/a", PLAIN, b"x"), ("top/A", PLAIN, b"y")],
        [("top/a", PLAIN, b"x"), ("other/a", PLAIN, b"y")],
        [("a", PLAIN, b"x")],
        [],
    ],
)
def test_refused_before_anything_is_written(tmp_path, members):
    target = tmp_path / "target"
    target.mkdir()
    assert unzip(archive(tmp_path / "a.zip", members), target)
    assert list(target.iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "target"]


def test_a_bomb_is_refused(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    bomb = archive(tmp_path / "a.zip", [("top/a", PLAIN, b"\0" * 50_000_000)], zipfile.ZIP_DEFLATED)
    assert "more than any package" in unzip(bomb, target)[0]
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_zip_fails_cleanly(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    result = verify(tmp_path / "a.zip", Ticking())
    assert result.levels == {"integrity": "fail", "completeness": "not_run", "reproduction": "not_run"}
    assert int(result.exit_code) == 5


def test_a_damaged_member_fails(made, tmp_path):
    content = bytearray(made.sealed.zip_path.read_bytes())
    place = content.index(b"BagIt-Version")
    content[place] ^= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert int(verify(tmp_path / "a.zip", Ticking()).exit_code) == 5
