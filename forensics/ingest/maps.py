"""Column maps in an ingest: read and checked before anything is written, kept as files of the case like evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.ingest.discover import Found
from forensics.ingest.identifying import identify
from forensics.ingest.mending import mend
from forensics.ingest.reading import REGISTERED, FileReading
from forensics.ingest.unpack import Limits, unpack
from forensics.model.column_map import ColumnMap, read_map
from forensics.model.errors import UsageFault
from forensics.sources.column_map import MappedSource

#: Source id of a map itself, in the register of files.
MAP_SOURCE = "column_map"


def found_maps(paths: Sequence[Path]) -> list[Found]:
    """Return the maps as files to read before all others. Raises UsageFault that names every fault of a map."""
    out = []
    names: set[str] = set()
    for path in paths:
        try:
            map_ = read_map(path.read_bytes(), path.name)
        except OSError as error:
            raise UsageFault("the map cannot be read", place=path.name, hint=str(error.strerror)) from error
        if map_.name in names:
            raise UsageFault(f"two maps have the name {map_.name}", place=path.name, hint="give each a name of its own")
        names.add(map_.name)
        out.append(Found(path, mend(path.name), is_map=True))
    return out


class Maps:
    """The maps of a run, in the order they were given."""

    def __init__(self) -> None:
        self._maps: dict[str, ColumnMap] = {}

    def add(self, content: bytes, place: str) -> FileReading:
        """Take a map into use; returns its account as a file. Raises UsageFault for its faults."""
        map_ = read_map(content, place)
        self._maps[map_.name] = map_
        why = f"column map {map_.name} for {map_.table}"
        version = f"{map_.name} {map_.sha256[:12]}"
        return FileReading(REGISTERED, source_id=MAP_SOURCE, reader_version=version, why=why)

    @property
    def sources(self) -> tuple[MappedSource, ...]:
        """A format for each map."""
        return tuple(MappedSource(map_) for _, map_ in sorted(self._maps.items()))

    def claims(self, data: bytes, limits: Limits) -> bool:
        """Whether a map claims a file that was not read so far."""
        if not self._maps:
            return False
        try:
            source = identify(unpack(data, limits), self.sources)[2]
        except RecursionError:
            return False
        return isinstance(source, MappedSource)
