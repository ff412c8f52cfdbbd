"""Files about addresses in an ingest: read and checked before anything is written, kept as files of the case like evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.enrichment.facts import LIST_KINDS, REFERENCE_SOURCES, Addresses, list_kind
from forensics.enrichment.read import read_reference
from forensics.ingest.discover import Found
from forensics.ingest.mending import mend
from forensics.ingest.reading import REGISTERED, FileReading
from forensics.model.errors import UsageFault

_NOBODY = Addresses(())


def found_references(paths: Sequence[Path], kind: str) -> list[Found]:
    """Return the files to read beside the evidence. Raises UsageFault for one that cannot be read, or an unknown kind."""
    if kind and kind not in LIST_KINDS:
        raise UsageFault(f"no kind {kind!r}", place="--kind", hint=f"one of {', '.join(LIST_KINDS)}")
    out = []
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageFault("the file cannot be read", place=path.name, hint=str(error.strerror)) from error
        out.append(Found(path, mend(path.name), reference=read_reference(data, path.name, kind, _NOBODY).source_id))
    return out


def take_reference(data: bytes, name: str, source_id: str) -> FileReading:
    """Return a file's account as a file of the case. Raises UsageFault."""
    found = read_reference(data, name, list_kind(source_id), _NOBODY)
    account = found.account
    notes = [f"{account.faults} entries cannot be used, first: {account.first_fault}"] if account.faults else []
    dated = f"dated {found.dated:%Y-%m-%d}" if found.dated else "states no date"
    why = f"{REFERENCE_SOURCES[source_id]}, {dated}"
    return FileReading(REGISTERED, source_id=source_id, reader_version="1", why=why, notes=notes)
