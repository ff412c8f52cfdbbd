"""Seal a case into a package: written beside its place, then renamed, so that nothing half-made stays."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from forensics.analysis.refresh import refresh, staleness
from forensics.evidence.gather import VARIANT, Contents, Original, gather
from forensics.evidence.manifest import (
    DECLARATION,
    DECLARATION_BYTES,
    INFO,
    PAYLOAD_MANIFEST,
    TAG_MANIFEST,
    Entry,
    bag_info,
    manifest,
)
from forensics.evidence.structure import ROOT_FILES, is_allowed, name_fault
from forensics.model.clock import Clock
from forensics.model.errors import CaseFault, UnreadableEvidence, UsageFault
from forensics.store.case_folder import CaseFolder

_CHUNK = 1 << 20
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A written package: its digest, where it is, number of files and their bytes, and the ZIP beside it."""

    digest: str
    path: Path
    files: int
    bytes: int
    zip_path: Path | None = None


def seal(folder: CaseFolder, output: Path, clock: Clock, *, zip_too: bool = False, by: str = "") -> Sealed:
    """Make hunt and exposure fresh and write the package of the case to the new folder `output`.

    The package digest is the SHA-256 of its tagmanifest-sha256.txt; it depends on the case alone. With `zip_too`
    a ZIP of stored members lies beside it, `<output>.zip`. Every attempt is noted in the custody log.

    Raises UsageFault when something is at `output`, UnreadableEvidence for originals gone or changed.
    """
    zip_path = output.with_name(output.name + ".zip") if zip_too else None
    _must_be_free(output, zip_path)
    folder.note_settings()
    refresh(folder, clock)
    with folder.locked("package"):
        _must_be_fresh(folder)
        try:
            sealed = _write(gather(folder), output, zip_path)
        except BaseException as error:
            folder.custody.append("package failed", by, reason=type(error).__name__)
            raise
        folder.custody.append(
            "packaged", by, digest=sealed.digest, variant=VARIANT, files=sealed.files, bytes=sealed.bytes
        )
    return sealed


def plan(folder: CaseFolder) -> dict[str, int]:
    """Return path -> size in bytes of every payload file that `seal` would write; writes nothing.

    Raises CaseFault when hunt or exposure are out of date: what would be written is then not known yet.
    """
    _must_be_fresh(folder)
    return gather(folder).sizes()


def _must_be_fresh(folder: CaseFolder) -> None:
    connection = folder.reader()
    try:
        late = staleness(connection, folder)
    finally:
        connection.close()
    if late:
        said = "; ".join(f"{kind}: {', '.join(reasons)}" for kind, reasons in sorted(late.items()))
        commands = " and ".join(f"keytrail {kind} CASE" for kind in sorted(late))
        raise CaseFault(f"results are out of date ({said})", hint=f"run: {commands}")


def _must_be_free(output: Path, zip_path: Path | None) -> None:
    for path in (output, zip_path):
        if path and os.path.lexists(path):
            raise UsageFault(
                "there is something already", place=str(path), hint="name a new place; nothing is overwritten"
            )
        if path and os.path.lexists(_part(path)):
            raise UsageFault(
                "an unfinished package is in the way", place=str(_part(path)), hint="look at it and remove it"
            )
    if not output.name or output.suffix == ".zip":
        raise UsageFault("the package is a folder", place=str(output), hint="name a folder; --zip adds a ZIP beside it")


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _write(contents: Contents, output: Path, zip_path: Path | None) -> Sealed:
    part = _part(output)
    try:
        part.mkdir(parents=True)
        entries = _payload(contents, part)
        tags = _tags(contents, entries)
        for name, data in tags.items():
            (part / name).write_bytes(data)
        digest = sha256(tags[TAG_MANIFEST]).hexdigest()
        if zip_path:
            write_zip(part, f"keytrail-package-{digest[:12]}", _part(zip_path))
            _part(zip_path).replace(zip_path)
        part.replace(output)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        for path in (zip_path, _part(zip_path)) if zip_path else ():
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UsageFault("the package cannot be written", place=str(output), hint=str(error.strerror)) from error
        raise
    size = sum(entry.size for entry in entries.values()) + sum(map(len, tags.values()))
    return Sealed(digest, output, len(entries) + len(tags), size, zip_path)


def _payload(contents: Contents, root: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    faults: list[str] = []
    for name in contents.sizes():
        if not is_allowed(name) or name_fault(name):
            raise UsageFault("a name that no package may hold", place=name)
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in contents.made:
            data = contents.made[name]
            target.write_bytes(data)
            entries[name] = Entry(sha256(data).hexdigest(), len(data))
            continue
        original = contents.originals[name]
        fault = _copy(original, target)
        if fault:
            faults.append(f"{original.exhibit}: {fault}")
        entries[name] = original.entry
    if faults:
        raise UnreadableEvidence(
            "; ".join(faults),
            place="originals",
            hint="a full package holds every original; bring them back to their place",
        )
    return entries


def _copy(original: Original, target: Path) -> str:
    """Copy an original while hashing it; return why it cannot be, or ""."""
    digest, size = sha256(), 0
    try:
        if not stat.S_ISREG(original.path.lstat().st_mode):
            return "its place no longer holds a regular file"
        with original.path.open("rb") as source, target.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                sink.write(chunk)
    except FileNotFoundError:
        return "no longer at its place"
    if Entry(digest.hexdigest(), size) != original.entry:
        return "no longer the file that was received: its SHA-256 differs"
    return ""


def _tags(contents: Contents, entries: Mapping[str, Entry]) -> dict[str, bytes]:
    tags = {
        DECLARATION: DECLARATION_BYTES,
        INFO: bag_info(
            package_id=contents.package_id,
            organisation=contents.organisation,
            created=contents.created,
            size=sum(entry.size for entry in entries.values()),
            files=len(entries),
        ),
        PAYLOAD_MANIFEST: manifest(entries),
    }
    tags[TAG_MANIFEST] = manifest({n: Entry(sha256(d).hexdigest(), len(d)) for n, d in tags.items()})
    assert set(tags) == ROOT_FILES
    return tags


def write_zip(root: Path, top: str, target: Path) -> None:
    """Write the files below `root` as a ZIP of names and bytes alone: stored, sorted, 1980-01-01, 0644."""
    files = sorted((path.relative_to(root).as_posix(), path) for path in root.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, path in files:
            info = zipfile.ZipInfo(f"{top}/{name}", _ZIP_TIME)
            info.compress_type = zipfile.ZIP_STORED
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(info, "w") as sink:
                shutil.copyfileobj(source, sink, _CHUNK)
