"""Files of indicators in an ingest: read and checked before anything is written, kept as files of the case like evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.indicators.read import entries_of, read_indicators
from forensics.ingest.discover import Found
from forensics.ingest.mending import mend
from forensics.ingest.reading import REGISTERED, FileReading
from forensics.model.errors import UsageFault
from forensics.store.eventstore import Group

#: Source id of a file of indicators, in the register of files.
INDICATOR_SOURCE = "indicator_list"


def found_indicators(paths: Sequence[Path]) -> list[Found]:
    """Return the files to read beside the evidence. Raises UsageFault for one that cannot be read."""
    out = []
    for path in paths:
        try:
            entries_of(path.read_bytes(), path.name)
        except OSError as error:
            raise UsageFault(
                "the file of indicators cannot be read", place=path.name, hint=str(error.strerror)
            ) from error
        out.append(Found(path, mend(path.name), is_indicators=True))
    return out


def take_indicators(data: bytes, name: str, group: Group, *, is_new: bool) -> FileReading:
    """Hand the indicators of a file to the group if they are new; returns its account as a file. Raises UsageFault."""
    found = read_indicators(data, name)
    if is_new:
        group.other.setdefault("indicator", []).extend(found.rows)
        group.other.setdefault("indicator_fault", []).extend(found.faults)
    notes = [f"{len(found.faults)} entries could not be used: `keytrail ioc` lists them"] if found.faults else []
    why = f"{found.form}, {len(found.rows)} indicators"
    return FileReading(REGISTERED, source_id=INDICATOR_SOURCE, reader_version="1", why=why, notes=notes)
