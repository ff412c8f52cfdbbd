"""Stores in memory that hold the events of one case each, for the collector of the queries' cases.

Every case goes through the readers, the projection and the writer of the product. What is done for all cases of a file at
once is the projection: planning it takes fifty times as long as projecting a few events, and a row follows from its record
alone. So the records of all cases are projected together, and the writer of each case takes the rows of its own records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from typing import Any

import pyarrow as pa
import tomli_w

from forensics.analysis.lineage import taints
from forensics.analysis.pricing.tables import rows_for
from forensics.ingest.fast import read_fast
from forensics.ingest.reading import Received, read_file
from forensics.ingest.scratch import ReadFile, write_file
from forensics.ingest.unpack import unpack
from forensics.model.case import read_settings
from forensics.model.prices import read_prices
from forensics.model.query import BASELINE_VIEWS
from forensics.sources.protocol import Provenance
from forensics.store import casevalues, parsed
from forensics.store.eventstore import EventStore, Group
from forensics.store.schema import TABLES, VIEW_NAMES, VIEWS
from tests.case_events import Export, exports, maps_of
from tests.case_places import ADDRESS_FILES, know_addresses
from tests.stores import empty, new_store

Case = dict[str, Any]
#: Tables that the projection writes; `event_key` tells whose row it is.
_PROJECTED = ("aws_event", "aws_event_item", "credential")
#: Cases of more events than this are read and projected by themselves, when it is their turn.
_FEW = 2_000


class UnreadableCase(Exception):
    """The events of a case were not read as events."""


class Projections:
    """Rows that the projection made of many records at once, by the whole of what it was given of each record."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._made: dict[str, pa.Table] = {}
        self._lines: dict[str, dict[str, list[int]]] = {}

    def make(self, groups: Iterable[Group]) -> None:
        """Project the records of some groups, in place of those made before."""
        incoming = [group.incoming() for group in groups]
        records = list(dict.fromkeys(record for table in incoming for record in _records(table)))
        self._numbers = {record: number for number, record in enumerate(records)}
        if not records:
            return
        if self._connection is None:
            self._connection = new_store()
        schema = incoming[0].schema
        columns = [pa.array(values, field.type) for values, field in zip(_turned(records), schema, strict=True)]
        table = pa.table(columns, schema=schema)
        # One record may come from two places: its own key would not tell the rows of both apart.
        keys = pa.array([str(number) for number in range(len(records))])
        table = table.set_column(schema.get_field_index("own_key"), "own_key", keys)
        EventStore(self._connection)._keep_aws(table, pa.chunked_array([range(len(records))]))
        for name in _PROJECTED:
            stored = ", ".join(TABLES[name].stored)
            made = self._connection.sql(f"SELECT {stored} FROM {name} ORDER BY rowid").to_arrow_table()
            lines: dict[str, list[int]] = {}
            for line, key in enumerate(made.column("event_key").to_pylist()):
                lines.setdefault(key, []).append(line)
            self._made[name], self._lines[name] = made, lines
        empty(self._connection)

    def rows(self, incoming: pa.Table) -> dict[str, pa.Table] | None:
        """Return the rows that the projection makes of `incoming`, by table; None when it holds other records."""
        wanted = []
        for record, key in zip(_records(incoming), incoming.column("own_key").to_pylist(), strict=True):
            if record not in self._numbers:
                return None
            wanted.append((str(self._numbers[record]), key))
        rows = {}
        for name in _PROJECTED:
            lines = [(line, key) for number, key in wanted for line in self._lines[name].get(number, ())]
            if lines:
                part = self._made[name].take(pa.array([line for line, _ in lines], pa.int64()))
                keys = pa.array([key for _, key in lines], pa.string())
                rows[name] = part.set_column(part.schema.get_field_index("event_key"), "event_key", keys)
        return rows


def _records(incoming: pa.Table) -> list[tuple[Any, ...]]:
    return _turned([column.to_pylist() for column in incoming.columns])


def _turned(lines: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Columns of rows, or rows of columns."""
    return list(zip(*lines, strict=True))


class _Writer(EventStore):
    """The writer of a store, which takes rows that were projected before where there are any."""

    def __init__(self, connection: Any, projections: Projections) -> None:
        super().__init__(connection)
        self._projections = projections

    def _keep_aws(self, incoming: pa.Table, lines: pa.ChunkedArray) -> None:
        made = self._projections.rows(incoming.take(lines))
        if made is None:
            super()._keep_aws(incoming, lines)
            return
        for name, rows in made.items():
            self.connection.register("projected_rows", rows)
            self.connection.execute(f"INSERT INTO {name} SELECT * FROM projected_rows")
            self.connection.unregister("projected_rows")


class CaseStores:
    """Holds the events of one case at a time; a store for what every detection reads once is kept.

    The first case of a file has a store of its own: the generic cases of a detection read its events too. A store keeps its
    writer, as the files of a case do in ingest.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._slots: dict[bool, _Writer] = {}
        self._holds: dict[bool, str] = {}
        self._beside: Sequence[Case] = ()
        self._ready: dict[str, list[tuple[Export, ReadFile]]] = {}
        self._projections = Projections()

    def holding(self, case: Case, beside: Sequence[Case], *, keep: bool) -> Any:
        """Return a connection to a store that holds the events and settings of `case`.

        `beside`: all cases of its file, whose events are projected together. Raises UnreadableCase.
        """
        wanted = _content(case)
        if keep:
            if wanted not in self._kept:
                store = _Writer(new_store(), self._projections)
                self._fill(store, case, _read(case))
                self._kept[wanted] = store.connection
            return self._kept[wanted]
        if self._beside is not beside:
            self._prepare(beside)
        first = bool(beside) and wanted == _content(beside[0])
        if self._holds.get(first) != wanted:
            self._holds[first] = ""
            if first not in self._slots:
                self._slots[first] = _Writer(new_store(), self._projections)
            empty(self._slots[first].connection)
            self._fill(self._slots[first], case, self._ready.get(wanted) or _read(case))
            self._holds[first] = wanted
        return self._slots[first].connection

    def _prepare(self, cases: Sequence[Case]) -> None:
        self._beside, self._ready = cases, {}
        for case in cases:
            wanted = _content(case)
            if wanted not in self._ready and sum(event.get("repeat", 1) for event in case["events"]) <= _FEW:
                # Whatever is wrong with a case is said when it is its turn.
                with suppress(Exception):
                    self._ready[wanted] = _read(case)
        self._projections.make(file.group for files in self._ready.values() for _, file in files)

    def _fill(self, store: _Writer, case: Case, files: Iterable[tuple[Export, ReadFile]]) -> None:
        for export, file in files:
            account = write_file(store, file)
            if account["defect"] or account["accepted"] + account["duplicate"] < export.events:
                reading = file.reading
                raise UnreadableCase(f"{export.name} was not read: {dict(account)} {reading.reason} {reading.defects}")
        casevalues.fill(store, _settings(case))
        if case.keys() & set(ADDRESS_FILES):
            know_addresses(store.connection, case)


_VIEWS = dict(zip(VIEW_NAMES, VIEWS, strict=True))
#: To plan a query over a deeper stack of views takes longer than to compute them first.
_DEEP = 4


@cache
def _views_under(sql: str) -> tuple[str, ...]:
    """The views that a query names, and those they rest on, in the order in which each can be made.

    Not those that depend on the baseline of a run, which begins later.
    """
    found: set[str] = set()
    texts = [sql]
    while texts:
        named = set(re.findall(r"\w+", texts.pop())) & _VIEWS.keys() - found
        found |= named
        texts += [_VIEWS[name].split(" AS", 1)[1] for name in named]
    return tuple(name for name in VIEW_NAMES if name in found and name not in BASELINE_VIEWS)


@contextmanager
def views_computed(connection: Any, sql: str) -> Iterator[None]:
    """Hold the rows of the views under a query where they are many, as the hunt computes all views of a small store."""
    views = _views_under(sql)
    made: list[str] = []
    try:
        for view in views if len(views) >= _DEEP else ():
            parsed.execute(connection, f"CREATE TEMP TABLE {view} AS SELECT * FROM main.{view}")
            made.append(view)
        yield
    finally:
        for view in made:
            connection.execute(f"DROP TABLE temp.{view}")


def derive(connection: Any, case: Case) -> None:
    """Fill what exposure works out before its queries run: what is the intruder's, and prices."""
    store = EventStore(connection)
    store.replace("tainted", [t.row() for t in taints(connection, _settings(case))])
    prices = [read_prices(case["prices"].encode(), "prices.csv")] if "prices" in case else []
    store.replace("model_price", rows_for(connection, prices))


def _content(case: Case) -> str:
    parts = ("base", "events", "known", "own_accounts", "own_egress", "wrapping", *ADDRESS_FILES)
    return repr([case.get(part) for part in parts])


def _read(case: Case) -> list[tuple[Export, ReadFile]]:
    """Read the files of a case as ingest does: with the fast reader, and with the careful one what that leaves."""
    read = []
    for number, export in enumerate(exports(case["base"], case["events"]), start=1):
        provenance = Provenance(export.owner, export.organisation, export.received_at)
        received = Received(
            sha256(export.data).hexdigest(), unpack(export.data), number, provenance, maps=maps_of(export.base)
        )
        group = Group()
        # A map goes before the formats, which the fast reader does not know.
        reading = (None if received.maps else read_fast(received, group)) or read_file(received, group)
        read.append((export, ReadFile(export.name, received, reading, group)))
    return read


def _settings(case: Case) -> Any:
    known = [{"reason": "stated by the case", "by": "the case", **entry} for entry in case.get("known", [])]
    document = {
        "own": {"accounts": case.get("own_accounts", ["111122223333"]), "egress": case.get("own_egress", [])},
        "known": known,
        "wrapping": [{"by": "the case", "text": "stated by the case", **w} for w in case.get("wrapping", [])],
    }
    return read_settings(tomli_w.dumps(document).encode())
