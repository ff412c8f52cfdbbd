"""Collect from a case everything that goes into a package. Reads only; nothing depends on the time of packing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from forensics.evidence.custody import Extract, extract
from forensics.evidence.log_integrity import PINNED
from forensics.evidence.manifest import PACKAGE, SCHEMA, Entry, canonical, canonical_lines
from forensics.evidence.results import QueryResult, packaged_queries, table_facts
from forensics.evidence.start_here import start_here
from forensics.evidence.structure import PINNED_KEYS, SOURCE_SUFFIXES
from forensics.evidence.tool import tool_facts
from forensics.model.case import Settings
from forensics.report.render import render_report
from forensics.store.case_folder import CaseFolder
from forensics.store.duckdb_engine import rows_of
from forensics.store.withdrawing import withdrawals

Row = dict[str, Any]
VARIANT = "full"
ACCOUNT = ("seen", "accepted", "duplicate", "defect", "out_of_scope")


@dataclass(frozen=True, slots=True)
class Original:
    """A received file on its way into the package: where its bytes are, and what they must be."""

    exhibit: str
    path: Path
    entry: Entry


@dataclass(frozen=True, slots=True)
class Contents:
    """Files of the payload by path in the package: made here, or originals to copy."""

    package_id: str
    created: datetime
    organisation: str
    made: dict[str, bytes]
    originals: dict[str, Original]

    def sizes(self) -> dict[str, int]:
        """Return path -> size in bytes of every payload file, by path."""
        sizes = {name: len(data) for name, data in self.made.items()}
        sizes |= {name: original.entry.size for name, original in self.originals.items()}
        return dict(sorted(sizes.items()))


_RECEIPTS = """
SELECT r.*, f.exhibit, f.content_sha256, f.size_bytes, f.stored_as, f.original_path, f.source_id, f.reader_version,
       CASE WHEN f.file_sha256 IS NULL THEN 'defective' ELSE f.state END AS state, f.reason, f.notes
FROM receipt AS r LEFT JOIN evidence_file AS f USING (file_sha256)
ORDER BY r.receipt_id
"""
_PURGED = "SELECT * FROM purge ORDER BY purged_at, exhibit"
_DEFECTS = """
SELECT receipt_id, file_sha256, record_no, byte_offset, byte_length, reason, is_record FROM defect
ORDER BY receipt_id, record_no NULLS FIRST, byte_offset NULLS FIRST, reason, file_sha256
"""
#: When the case was opened and its results were computed: the report says so.
_TIMES = """
SELECT 'opened' AS name, value AS moment FROM meta WHERE name = 'created_at'
UNION ALL SELECT kind, strftime(computed_at, '%Y-%m-%dT%H:%M:%S.%fZ') FROM result_basis
"""
FINDINGS = "SELECT * FROM finding ORDER BY finding_id"
FINDING_EVENTS = """
SELECT * FROM finding_event
ORDER BY finding_id, event_time NULLS LAST, event_key, resource NULLS LAST, action NULLS LAST, CAST(details AS VARCHAR) NULLS LAST
"""
VERDICTS = """
SELECT provider, key_id, customer, exposure, abuse, verdict, answer FROM verdict
ORDER BY provider NULLS LAST, key_id NULLS LAST, customer NULLS LAST, CAST(answer AS VARCHAR)
"""


def gather(folder: CaseFolder) -> Contents:
    """Return what a package of the case holds. Hunt and exposure must be fresh.

    Raises VerificationFault for a broken custody log, UnreadableEvidence for originals that are gone, QueryFault for a
    result that does not come out again as the ledger has it.
    """
    custody = extract(folder.custody.path.read_bytes())
    settings = folder.settings()
    connection = folder.reader()
    try:
        receipts = rows_of(connection, _RECEIPTS)
        defects = rows_of(connection, _DEFECTS)
        findings, verdicts = findings_json(connection), verdicts_json(connection)
        queries = packaged_queries(connection)
        times = {row["name"]: row["moment"] for row in rows_of(connection, _TIMES)}
        tables = table_facts(connection)
        tlp = _tlp(connection, settings)
        withdrawn, purged = withdrawals(connection), rows_of(connection, _PURGED)
    finally:
        connection.close()
    gone = {row["file_sha256"] for row in purged}
    originals = dict(_originals(folder, [row for row in receipts if row["file_sha256"] not in gone]))
    reasons = _stated_reasons(folder.receipts_path.read_bytes())
    sources = [_source(row, reasons.get(row["receipt_id"], {}), gone) for row in receipts]
    created = custody.at.replace(tzinfo=UTC)
    report = render_report(folder, lambda: created)
    made = {
        "data/inventory/sources.jsonl": canonical_lines(sources),
        "data/inventory/ledger.jsonl": canonical_lines(_ledger(row) for row in receipts),
        "data/inventory/defects.jsonl": canonical_lines(defects),
        "data/findings/findings.json": findings,
        "data/findings/verdicts.json": verdicts,
        "data/report/report.html": report.html,
        "data/custody/custody.jsonl": custody.content,
        "data/settings/case.toml": folder.settings_path.read_bytes(),
        "data/settings/work.jsonl": folder.work_path.read_bytes() if folder.work_path.exists() else b"",
        "data/settings/receipts.jsonl": folder.receipts_path.read_bytes(),
        "data/env/tool.json": canonical(tool_facts()),
        "data/queries/params.json": canonical({q.id: q.parameters for q in queries}),
    }
    pinned = folder.root / PINNED
    if pinned.exists():
        made[PINNED_KEYS] = pinned.read_bytes()
    if folder.prices_path is not None:
        made[f"data/settings/{folder.prices_path.name}"] = folder.prices_path.read_bytes()
    made |= {f"data/queries/{q.id}.sql": q.file for q in queries}
    made |= {f"data/results/{q.id}.jsonl": q.lines for q in queries if q.lines is not None}
    package_id = f"{settings.id}@{custody.head.sha256[:12]}"
    made["data/START-HERE.html"] = start_here(
        {
            "package_id": package_id,
            "tlp": tlp,
            "case_id": settings.id,
            "title": settings.title,
            "created": f"{created:%Y-%m-%d %H:%M:%S} UTC",
            "examiner": settings.examiner,
            "files": str(len(originals)),
        }
    )
    facts = _package(package_id, settings, tlp, times, custody, sources, tables, queries, made)
    made[PACKAGE] = canonical(facts | {"withdrawn": withdrawn, "purged": purged})
    return Contents(package_id, created, settings.organisation, made, originals)


def _tlp(connection: Any, settings: Settings) -> str:
    """Return how the package is marked: originals that hold full keys or content of requests make all of it TLP:RED."""
    held = connection.execute("SELECT count(*) FROM key_material").fetchall()[0][0]
    return "TLP:RED" if held else settings.tlp


def findings_json(connection: Any) -> bytes:
    """Return findings.json: every finding of the store with the rows behind it."""
    events: dict[str, list[Row]] = {}
    for row in rows_of(connection, FINDING_EVENTS):
        row["details"] = _parsed(row["details"])
        events.setdefault(row.pop("finding_id"), []).append(row)
    return canonical([{**row, "events": events.get(row["finding_id"], [])} for row in rows_of(connection, FINDINGS)])


def verdicts_json(connection: Any) -> bytes:
    """Return verdicts.json: every proposed verdict of the store with its whole answer."""
    return canonical([{**row, "answer": _parsed(row["answer"])} for row in rows_of(connection, VERDICTS)])


def _parsed(text: str | None) -> Any:
    return json.loads(text, parse_float=str) if text else None


def _stated_reasons(content: bytes) -> dict[int, Row]:
    """Return receipt number -> its line in receipts.jsonl, which keeps what could not be read at all."""
    rows = (json.loads(line) for line in content.split(b"\n") if line)
    return {row["receipt_id"]: row for row in rows}


def suffix_of(name: str) -> str:
    """Return the ending of a received file's name that its packaged name keeps, or ""."""
    return next((s for s in SOURCE_SUFFIXES if name.lower().endswith(s)), "")


def packaged_name(exhibit: str, name: str) -> str:
    """Return the path in the package of a received file: its exhibit number, never its own name."""
    return f"data/sources/{exhibit}{suffix_of(name)}"


def _originals(folder: CaseFolder, receipts: list[Row]) -> Iterator[tuple[str, Original]]:
    seen: set[str] = set()
    for row in receipts:
        digest = row["file_sha256"]
        if not digest or digest in seen:
            continue
        seen.add(digest)
        path = folder.root / row["stored_as"] if row["stored_as"] else Path(row["original_path"] or "")
        yield (
            packaged_name(row["exhibit"], row["path"]),
            Original(row["exhibit"], path, Entry(digest, row["size_bytes"])),
        )


def _source(row: Row, line: Row, gone: set[str]) -> Row:
    """Return a line of sources.jsonl. What could not be read at all has no file; receipts.jsonl keeps its reason."""
    plain = (
        "receipt_id", "exhibit", "file_sha256", "content_sha256", "size_bytes", "source_id", "reader_version", "owner",
        "owner_basis", "organisation", "from_whom", "received_at", "means", "sender_sha256", "sender_agrees", "window_from",
        "window_until", "zone", "unpacking",
    )  # fmt: skip
    digest = row["file_sha256"]
    return {
        **{name: row[name] for name in plain},
        "name": row["path"],
        "state": line.get("state", row["state"]),
        "reason": line.get("reason", row["reason"]),
        "notes": _parsed(row["notes"]),
        "read_as_of": row["received_at"] or row["read_at"],
        "embedded": digest is not None and digest not in gone,
    }


def _ledger(row: Row) -> Row:
    return {"receipt_id": row["receipt_id"], **{name: row[name] for name in ACCOUNT}}


def _package(
    package_id: str,
    settings: Settings,
    tlp: str,
    times: Row,
    custody: Extract,
    sources: list[Row],
    tables: list[Row],
    queries: list[QueryResult],
    made: dict[str, bytes],
) -> Row:
    account = {row["receipt_id"]: row for row in map(json.loads, made["data/inventory/ledger.jsonl"].splitlines())}
    findings = json.loads(made["data/findings/findings.json"])
    files: dict[str, str] = {}
    for source in sources:
        if source["embedded"]:
            files.setdefault(source["file_sha256"], packaged_name(source["exhibit"], source["name"]))
    return {
        "schema": SCHEMA,
        "package_id": package_id,
        "case_id": settings.id,
        "variant": VARIANT,
        "tlp": tlp,
        "created": custody.at,
        "times": times,
        "examiner": {"name": settings.examiner, "organisation": settings.organisation},
        "tool": json.loads(made["data/env/tool.json"]),
        "settings_sha256": settings.sha256,
        "sources": [
            {
                "receipt": source["receipt_id"],
                "id": source["exhibit"],
                "sha256": source["file_sha256"],
                "content_sha256": source["content_sha256"],
                "size": source["size_bytes"],
                "kind": source["source_id"],
                "state": source["state"],
                "original_name": source["name"],
                "file": files.get(source["file_sha256"]),
                "records": {name: account[source["receipt_id"]][name] for name in ACCOUNT},
            }
            for source in sources
        ],
        "records": {name: sum(row[name] for row in account.values()) for name in ACCOUNT},
        "tables": tables,
        "queries": [q.pinned() for q in queries],
        "findings": [
            {"id": f["finding_id"], "queries": [f["query_id"]], "sha256": _sha(canonical(f))} for f in findings
        ],
        "verdicts_sha256": _sha(made["data/findings/verdicts.json"]),
        "report": {"html_sha256": _sha(made["data/report/report.html"])},
        "custody": {"records": custody.head.records, "head_sha256": custody.head.sha256},
    }


def _sha(content: bytes) -> str:
    return sha256(content).hexdigest()
