"""What earlier runs of ingest left: files that may give more now, receipts that are not in the log yet."""

from __future__ import annotations

from typing import Any

from forensics.ingest.unpacking import may_differ
from forensics.store.case_folder import CaseFolder
from forensics.store.duckdb_engine import rows_of


def movable(connection: Any) -> dict[str, str | None]:
    """Return for each file that hit a limit or a lock when it was last read how it was opened then."""
    reasons: dict[tuple[str, str | None], list[str]] = {}
    for digest, noted, reason in connection.execute(
        "SELECT r.file_sha256, r.unpacking, d.reason FROM receipt r JOIN defect d USING (receipt_id)"
        " WHERE r.receipt_id IN (SELECT max(receipt_id) FROM receipt GROUP BY file_sha256)"
    ).fetchall():
        reasons.setdefault((digest, noted), []).append(reason)
    return {digest: noted for (digest, noted), found in reasons.items() if may_differ(found)}


def unlogged(folder: CaseFolder, connection: Any) -> list[dict[str, Any]]:
    """Return receipts that are in the store but not in receipts.jsonl: a run was killed between both."""
    logged = sum(1 for line in folder.receipts_path.read_bytes().split(b"\n") if line)
    return rows_of(
        connection,
        "SELECT r.*, f.exhibit, f.state, f.reason, f.source_id, f.size_bytes FROM receipt r"
        " LEFT JOIN evidence_file f USING (file_sha256) ORDER BY receipt_id OFFSET ?",
        [logged],
    )
