"""Where a case stands: files, records, tables, and whether its results are fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.analysis.context import outside_of_time
from forensics.analysis.owners import inferred_owners
from forensics.store.duckdb_engine import rows_of
from forensics.store.schema import EVENT_TABLES

if TYPE_CHECKING:
    import duckdb


_SUPERSEDED = (
    "owner", "source_id", "endpoint", "bucket_start", "granularity_s", "key_id", "model", "measure", "earlier", "later",
    "difference",
)  # fmt: skip

_SUPERSEDED_COSTS = (
    "owner", "source_id", "period_start", "period_end", "key_id", "key_name", "project_id", "model", "line_item",
    "earlier_currency", "currency", "earlier", "later", "difference",
)  # fmt: skip


def account(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the case's account in the documented shape of `status --json` (without staleness)."""
    run = connection.execute
    states = dict(
        run("""SELECT CASE WHEN file_sha256 IS NULL THEN 'defective' ELSE state END, count(*)
               FROM receipt LEFT JOIN evidence_file USING (file_sha256) GROUP BY 1 ORDER BY 1""").fetchall()
    )
    totals = run("""SELECT CAST(coalesce(sum(seen), 0) AS BIGINT), CAST(coalesce(sum(accepted), 0) AS BIGINT),
                      CAST(coalesce(sum(duplicate), 0) AS BIGINT), CAST(coalesce(sum(defect), 0) AS BIGINT),
                      CAST(coalesce(sum(out_of_scope), 0) AS BIGINT) FROM receipt""").fetchall()[0]
    span = run(
        "SELECT min(first_event), max(last_event) FROM evidence_file"
        " WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)"
    ).fetchall()[0]
    skipped = run("""SELECT path, reason FROM receipt JOIN evidence_file USING (file_sha256) WHERE state = 'skipped'
                     ORDER BY path, file_sha256""").fetchall()
    defects = run("""SELECT r.path, d.record_no, d.byte_offset, d.reason FROM defect d JOIN receipt r USING (receipt_id)
                     ORDER BY r.path, d.record_no NULLS FIRST, d.reason""").fetchall()
    conflicts = run("SELECT count(*) FROM aws_event WHERE id_conflict").fetchall()[0][0]
    superseded = run("""SELECT owner, source_id, endpoint, bucket_start, granularity_s, key_id, model, measure, earlier, later,
                          difference FROM ai_usage_superseded
                        ORDER BY owner, source_id, bucket_start, endpoint, key_id NULLS LAST, model NULLS LAST, measure,
                          earlier_event_key, event_key""")
    changed = [dict(zip(_SUPERSEDED, row, strict=True)) for row in superseded.fetchall()]
    rebilled = run(f"""SELECT {", ".join(_SUPERSEDED_COSTS)} FROM ai_cost_superseded
                       ORDER BY owner, source_id, period_start, key_id NULLS LAST, key_name NULLS LAST, project_id NULLS LAST,
                         line_item NULLS LAST, earlier_event_key, event_key""")  # noqa: S608 - own names
    costs = [dict(zip(_SUPERSEDED_COSTS, row, strict=True)) for row in rebilled.fetchall()]
    inferred = sum(1 for each in inferred_owners(connection).values() if each.owner)
    twins = run("SELECT source_id, count(*) FROM aws_event_twin GROUP BY source_id ORDER BY source_id").fetchall()
    unassigned = run("SELECT count(*) FROM receipt WHERE coalesce(owner, '') = ''").fetchall()[0][0]
    return {
        "files": {
            "accepted": states.get("read", 0) + states.get("registered", 0),
            "skipped": states.get("skipped", 0),
            "defective": states.get("defective", 0),
        },
        "records": dict(zip(("seen", "accepted", "duplicate", "defect", "out_of_scope"), totals, strict=True)),
        "tables": {t: run(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in EVENT_TABLES},  # noqa: S608 - own names
        "first_event": span[0],
        "last_event": span[1],
        "id_conflicts": conflicts,
        "outside_of_time": outside_of_time(connection),
        "unassigned_files": unassigned,
        "inferred_files": inferred,
        "twins": [{"source_id": source, "events": number} for source, number in twins],
        "superseded": changed,
        "superseded_costs": costs,
        "skipped": [{"path": p, "reason": r} for p, r in skipped],
        "defects": [{"path": p, "record": n, "offset": o, "reason": r} for p, n, o, r in defects],
    }


def exhibits(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return one row a receipt: exhibit, path, owner, source and its account of records, in order of receipt.

    Of a file that nobody was named for, `inferred_owner`, `inferred_why` and `owner_candidates` say what its keys and
    folders tell; `owner` stays empty.
    """
    rows = rows_of(
        connection,
        """
        SELECT r.receipt_id, f.exhibit, r.path, r.owner, r.owner_basis, f.source_id, CASE WHEN f.state IS NULL THEN 'defective' ELSE f.state END AS state,
               r.seen, r.accepted, r.duplicate, r.defect, r.out_of_scope, f.reason, f.notes,
               CASE WHEN m.file_sha256 IS NULL THEN '' ELSE 'TLP:RED' END AS tlp,
               coalesce(m.keys, 0) AS key_material, coalesce(m.contents, 0) AS contents,
               coalesce(w.reason, '') AS withdrawn
        FROM receipt r LEFT JOIN evidence_file f USING (file_sha256)
        LEFT JOIN withdrawal w ON w.file_sha256 = r.file_sha256
        LEFT JOIN (SELECT file_sha256, count(*) FILTER (kind <> 'content') AS keys,
                          count(*) FILTER (kind = 'content') AS contents
                   FROM key_material GROUP BY file_sha256) AS m ON m.file_sha256 = r.file_sha256
        ORDER BY r.receipt_id""",
    )
    inferred = inferred_owners(connection)
    for row in rows:
        found = inferred.get(row.pop("receipt_id"))
        row["inferred_owner"] = found.owner if found else ""
        row["inferred_why"] = found.why if found else ""
        row["owner_candidates"] = list(found.candidates) if found else []
        if found and found.owner:
            row["owner_basis"] = "inferred"
    return rows
