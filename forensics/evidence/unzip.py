"""Open a package that came as a ZIP: every member judged before a byte is written, sizes bounded."""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path

from forensics.evidence.structure import MAX_ENTRIES, collisions, name_fault

_CHUNK = 1 << 20
#: More than this many bytes out of one byte of archive is no package: ours are stored.
_MAX_RATIO = 200
_KINDS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def unzip(archive_path: Path, target: Path) -> list[str]:
    """Write the members of the ZIP, without their one top folder, below the existing folder `target`.

    Returns what is wrong with it; nothing is written when a member must not be.
    """
    try:
        with zipfile.ZipFile(archive_path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            faults = _faults(archive.infolist(), archive_path.stat().st_size)
            if not faults and sum(m.file_size for m in members) > shutil.disk_usage(target).free:
                faults = ["its members do not fit on the disk"]
            for member in members if not faults else ():
                _extract(archive, member, target / member.filename.partition("/")[2])
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        return [f"not a readable ZIP: {error}"]
    except Exception as error:  # zlib.error, and whatever else a damaged member raises
        return [f"a member cannot be read: {type(error).__name__}"]
    return faults


def _faults(members: list[zipfile.ZipInfo], size: int) -> list[str]:
    if len(members) > MAX_ENTRIES:
        return [f"more than {MAX_ENTRIES} members"]
    names = [m.filename.rstrip("/") for m in members]
    faults = [f"{m.filename}: {fault}" for m in members if (fault := _member_fault(m))]
    faults += [f"{n}: there twice" for n in collisions(names)]
    tops = sorted({n.partition("/")[0] for n in names})
    if len(tops) != 1 or any("/" not in m.filename for m in members):
        faults.append("it must hold exactly one top folder")
    if sum(m.file_size for m in members) > _MAX_RATIO * max(size, 1):
        faults.append("it would unpack to more than any package does")
    return faults


def _member_fault(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR) or (stat.S_ISDIR(mode) and not member.is_dir()):
        return "not a regular file"
    if member.flag_bits & 0x1:
        return "encrypted"
    if member.compress_type not in _KINDS:
        return "an unknown compression"
    return name_fault(member.filename.rstrip("/") if member.is_dir() else member.filename)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, path.open("xb") as sink:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > member.file_size:
                raise ValueError(f"{member.filename} is longer than it says")
            sink.write(chunk)
    if written != member.file_size:
        raise ValueError(f"{member.filename} is shorter than it says")
