"""Find the files below the paths given, in a stable order, each with its name relative to the argument."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.ingest.mending import mend
from forensics.ingest.unpack import COMPRESSED, archive_kind
from forensics.ingest.unpacking import Unpacking
from forensics.model.errors import UsageFault
from forensics.model.masking import mask_keys

_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read, or what cannot be read and why.

    `name` is relative to the argument, with `/`, in text that can be stored, key material masked.
    `is_map`: a column map that whoever runs the ingest gives, not evidence of somebody else. `is_indicators`: a file of
    indicators, likewise. `reference`: source id of a file about addresses, likewise; empty for any other.
    `unpacking`: how it was opened when it was read before; None: as the run says.
    """

    path: Path
    name: str
    problem: str = ""
    modified: int = 0
    is_map: bool = False
    is_indicators: bool = False
    reference: str = ""
    unpacking: Unpacking | None = None

    @property
    def is_stated(self) -> bool:
        """Whether whoever runs the ingest says that this is a list of indicators or a file about addresses."""
        return self.is_indicators or bool(self.reference)


def discover(paths: Sequence[Path], *, newest_first: bool = False) -> list[Found]:
    """Return all files below `paths`, by name, or newest modification first.

    Links are not followed; pipes, sockets and devices are named, not opened.
    Raises UsageFault for a path that does not exist or a folder without any file.
    """
    found: list[Found] = []
    for path in paths:
        if not path.exists():
            raise UsageFault("no such file or folder", place=str(path), hint="check the path")
        here = [_look(path, path.name)] if not path.is_dir() else list(_walk(path))
        if not here:
            raise UsageFault("the folder holds no file", place=str(path), hint="name the folder with the exported logs")
        found += here
    unique = {str(f.path.absolute()): f for f in reversed(found)}
    files = sorted(unique.values(), key=lambda f: (f.name, str(f.path)))
    if newest_first:
        files.sort(key=lambda f: (-f.modified, f.name))
    return files


def _walk(root: Path) -> list[Found]:
    found: list[Found] = []

    def on_error(error: OSError) -> None:
        place = Path(error.filename or root)
        found.append(Found(place, _named(_relative(place, root)), f"cannot be listed: {error.strerror}"))

    for folder, folders, names in os.walk(root, onerror=on_error, followlinks=False):
        folders.sort()
        here = Path(folder)
        found += [_look(here / n, _relative(here / n, root)) for n in sorted(names)]
        found += [_look(here / n, _relative(here / n, root)) for n in folders if (here / n).is_symlink()]
    return found


def _named(name: str) -> str:
    return mask_keys(mend(name))


def _relative(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.name


def _look(path: Path, name: str) -> Found:
    name = _named(name)
    try:
        facts = path.lstat()
    except OSError as error:
        return Found(path, name, f"cannot be read: {error.strerror}")
    if stat.S_ISLNK(facts.st_mode):
        return Found(path, name, "a link: not followed")
    if not stat.S_ISREG(facts.st_mode):
        return Found(path, name, "not a regular file: not opened")
    return Found(path, name, modified=facts.st_mtime_ns)


def bytes_of(path: Path, most: int) -> tuple[bytes, str]:
    """Return the bytes of a file, or none and why it cannot be read.

    `most`: bytes of one content; a file that is neither compressed nor an archive may not have more. It is looked at
    again: since it was found another thing may have taken its place, and opening a pipe would wait for ever.
    """
    try:
        facts = path.lstat()
        if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):
            return b"", "not a regular file any more: not opened"
        if facts.st_size > most and not _is_container(path):
            return b"", f"its {facts.st_size} bytes are over the limit of one content, which is {most}"
        return path.read_bytes(), ""
    except OSError as error:
        return b"", f"cannot be read: {error.strerror}"
    except MemoryError:
        return b"", "cannot be read: it does not fit into memory"


def _is_container(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    return head.startswith(COMPRESSED) or bool(archive_kind(head))
