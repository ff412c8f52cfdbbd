"""Run texts and single records through the formats, by the parts of the real reader."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from forensics.ingest.careful import Walker
from forensics.ingest.probe import probe_text
from forensics.ingest.rows import csv_records
from forensics.sources.catalogue import catalogue, recognise
from forensics.sources.protocol import Document, Provenance, RawRecord, Reading, Source
from forensics.store.schema import TABLES

FILLED_BY_WRITER = {
    *("event_key", "source_id", "owner", "organisation", "native_id", "canonical_sha256"),
    *("received_at", "evidence", "file_sha256"),
}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "VARCHAR": str,
    "JSON": str,
    "BIGINT": int,
    "BOOLEAN": bool,
    "TIMESTAMP": datetime,
    "MONEY": Decimal,
}


def claimants(text: str) -> list[str]:
    """Ids of all formats that claim a text."""
    return [source.id for source, _ in recognise(probe_text(text))]


def read_text(text: str, **provenance: Any) -> tuple[str, Reading]:
    """Read a text by the one format that claims it."""
    probe = probe_text(text)
    claims = recognise(probe)
    assert len(claims) == 1, [source.id for source, _ in claims]
    source = claims[0][0]
    walker = Walker(text, source.record_path(probe))
    slices = list(csv_records(text) if probe.form == "csv" else walker.records())
    assert not [piece.fault for piece in slices if piece.fault]
    records = [
        RawRecord(
            n,
            piece.start,
            piece.end - piece.start,
            text[piece.start : piece.end],
            piece.value,
            piece.contexts,
        )
        for n, piece in enumerate(slices)
    ]
    outline = walker.outline
    document = Document(records, outline.envelopes, outline.contexts, Provenance(**provenance))
    reading = source.read(document)
    check_contract(source, document, reading)
    return source.id, reading


def read_json(*values: Any, **provenance: Any) -> tuple[str, Reading]:
    """Read values as JSON, one a line when there are several."""
    return read_text("\n".join(json.dumps(value, ensure_ascii=False) for value in values), **provenance)


def read_values(
    source_id: str, values: Iterable[Any], contexts: tuple[Mapping[str, Any], ...] = (), **provenance: Any
) -> Reading:
    """Read already parsed records by a named format."""
    source = catalogue()[source_id]
    records = [RawRecord(n, 0, 0, "", value, contexts) for n, value in enumerate(values)]
    document = Document(records, [], list(contexts), Provenance(**provenance))
    reading = source.read(document)
    check_contract(source, document, reading)
    return reading


def rows(reading: Reading) -> list[dict[str, Any]]:
    """All rows; fails when a record gave none."""
    assert not [(a.defect, a.out_of_scope) for a in reading.answers if a.row is None]
    return [answer.row for answer in reading.answers if answer.row is not None]


def check_contract(source: Source, document: Document, reading: Reading) -> None:
    """One answer a record in order; rows hold exactly the format's columns, in types that the store takes."""
    assert [answer.record for answer in reading.answers] == list(document.records)
    for answer in reading.answers:
        assert [answer.row is not None, bool(answer.defect), bool(answer.out_of_scope)].count(True) == 1
        if answer.row is not None:
            _check_row(answer.table or source.table, answer.row, FILLED_BY_WRITER)
        answer.native_id.encode()
    for row in reading.coverage:
        filled = {"source_id", "owner", "organisation", "received_at", "file_sha256"}
        _check_row("ai_coverage", row, filled)
        assert row["covered_from"] < row["covered_until"]
    assert reading.notes == list(dict.fromkeys(reading.notes))


def _check_row(table: str, row: dict[str, Any], filled: set[str]) -> None:
    columns = {column.name: column.type for column in TABLES[table].columns if column.name not in filled}
    assert row.keys() == columns.keys()
    for name, value in row.items():
        if value is None:
            continue
        assert isinstance(value, _TYPES[columns[name]]), (name, value)
        if columns[name] == "BIGINT":
            assert not isinstance(value, bool)
            assert abs(value) < 2**63
        elif columns[name] == "MONEY":
            assert value.as_tuple().exponent == -12
            assert abs(value) < 10**16
        elif columns[name] == "TIMESTAMP":
            assert value.tzinfo is None
        elif isinstance(value, str):
            value.encode()
        if columns[name] == "JSON":
            json.loads(value)
