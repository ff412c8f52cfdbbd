"""What a case holds as results, as tables for other tools."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.model.outcome import CanonicalRows
from forensics.store.duckdb_engine import DuckDBEngine


@dataclass(frozen=True, slots=True)
class Export:
    """A table that can be exported: what it holds, and its SELECT with a total order."""

    title: str
    sql: str


EXPORTS: dict[str, Export] = {
    "ledger": Export(
        "every query that was ever run on the case, with hash, parameters, state, rows and time taken",
        "SELECT * FROM query_run ORDER BY run_id",
    ),
    "findings": Export(
        "findings of the last hunt, those suppressed too",
        "SELECT f.*, s.reason AS suppressed_for, s.decided_by AS suppressed_by FROM finding AS f"
        " LEFT JOIN suppression AS s ON s.number = f.suppression ORDER BY f.query_id, f.finding_key, f.finding_id",
    ),
    "finding-groups": Export(
        "findings of the last hunt put together by query, principals and resource, in the order of hunt",
        "SELECT * FROM finding_group ORDER BY place",
    ),
    "finding-events": Export(
        "the events behind the findings",
        "SELECT * FROM finding_event ORDER BY finding_id, event_time NULLS LAST, event_key, action NULLS LAST,"
        " resource NULLS LAST, CAST(details AS VARCHAR) NULLS LAST",
    ),
    "chains": Export(
        "credentials behind each finding and the chain they came from",
        "SELECT * FROM finding_chain ORDER BY finding_id, credential_id",
    ),
    "verdicts": Export(
        "proposed verdicts, the whole answer of each key as JSON",
        "SELECT * FROM verdict ORDER BY provider NULLS LAST, key_id NULLS LAST, customer NULLS LAST, CAST(answer AS VARCHAR)",
    ),
    "indicator-hits": Export(
        "where indicators stand in the evidence",
        "SELECT h.*, i.kind, i.value FROM indicator_hit AS h JOIN (SELECT indicator_id, min(kind) AS kind, min(value) AS value"
        " FROM indicator GROUP BY indicator_id) AS i ON i.indicator_id = h.indicator_id"
        " ORDER BY h.indicator_id, h.event_time NULLS LAST, h.event_key, h.table_name, h.field",
    ),
    "addresses": Export(
        "what the files given to enrich say of each address, with file, its SHA-256 and the date it states",
        "SELECT * FROM address_fact ORDER BY source_ip, fact, value, file_sha256, file_name",
    ),
    "address-files": Export(
        "files about addresses: form, date, what each can tell, entries used and not used",
        "SELECT * FROM address_source ORDER BY file_sha256, exhibit",
    ),
    "exhibits": Export(
        "received files with owner, format, state and account of records",
        "SELECT r.*, f.exhibit, f.source_id, f.reader_version, f.state, f.reason FROM receipt AS r"
        " LEFT JOIN evidence_file AS f ON f.file_sha256 = r.file_sha256 ORDER BY r.receipt_id",
    ),
    "defects": Export(
        "what could not be read, with place and reason",
        "SELECT * FROM defect ORDER BY receipt_id, record_no NULLS FIRST, byte_offset NULLS FIRST, reason",
    ),
}


def export_rows(engine: DuckDBEngine, name: str) -> CanonicalRows:
    """Return the rows of one export. Raises KeyError for an unknown name, QueryFault when the store has another schema."""
    return engine.run(EXPORTS[name].sql, {})
