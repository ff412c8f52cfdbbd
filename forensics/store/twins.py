"""One event met in two fidelities is linked and counted once.

The better row stays in aws_event, the others move to aws_event_twin, where no query counts them. The result does
not depend on the order of files: it follows from the rows that there are.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from forensics.store import parsed, projection_children

if TYPE_CHECKING:
    import duckdb

#: Smaller is better. Of one fidelity below full, the form with the smaller id stands for the others.
_RANK = """CASE fidelity WHEN 'full' THEN '0' WHEN 'mapped' THEN '1' WHEN 'lossy' THEN '2' ELSE '3' END
           || CASE WHEN fidelity = 'full' THEN '' ELSE source_id END"""

_LESSER = f"""
CREATE OR REPLACE TEMP TABLE lesser AS
WITH shared AS (SELECT event_id FROM aws_event WHERE fidelity <> 'full' AND event_id IS NOT NULL GROUP BY event_id),
ranked AS (SELECT e.event_key, e.event_id, {_RANK} AS rank FROM aws_event AS e JOIN shared AS s ON s.event_id = e.event_id)
SELECT r.event_key FROM ranked AS r
JOIN (SELECT event_id, min(rank) AS rank FROM ranked GROUP BY event_id) AS b ON b.event_id = r.event_id
WHERE r.rank > b.rank
"""

#: Twins, and rows that may have a better one.
_TOLD = "SELECT (SELECT count(*) FROM aws_event_twin), (SELECT count(*) FROM aws_event WHERE fidelity <> 'full')"


def link(connection: duckdb.DuckDBPyConnection) -> None:
    """Move each row of aws_event that has a better row of the same event id to aws_event_twin, and link it.

    A twin whose better row is gone (its file was withdrawn) comes back.
    """
    run = partial(parsed.execute, connection)
    twins, lesser = run(_TOLD).fetchall()[0]
    if not twins and not lesser:
        return
    if twins:
        run("""CREATE OR REPLACE TEMP TABLE fresh AS SELECT t.* EXCLUDE (same_as, evidence) FROM aws_event_twin AS t
               ANTI JOIN aws_event AS e ON e.event_id = t.event_id""")
        run("INSERT INTO aws_event SELECT * FROM fresh")
        run(f"INSERT INTO aws_event_item {projection_children.items('fresh')}")
        run(f"INSERT INTO credential {projection_children.credentials('fresh')}")
        run("DELETE FROM aws_event_twin WHERE event_key IN (SELECT event_key FROM fresh)")
        run("DROP TABLE fresh")
    if run(_TOLD).fetchall()[0][1]:
        run(_LESSER)
        run("""INSERT INTO aws_event_twin SELECT e.* EXCLUDE (evidence) REPLACE (FALSE AS id_conflict), CAST(NULL AS VARCHAR)
               FROM aws_event AS e SEMI JOIN lesser AS l ON l.event_key = e.event_key""")
        for table in ("aws_event", "aws_event_item", "credential"):
            run(f"DELETE FROM {table} WHERE event_key IN (SELECT event_key FROM lesser)")
        run("DROP TABLE lesser")
    if not run("SELECT count(*) FROM aws_event_twin").fetchall()[0][0]:
        return
    run("""UPDATE aws_event_twin SET same_as = b.event_key
           FROM (SELECT event_id, min(event_key) AS event_key FROM aws_event
                 WHERE event_id IN (SELECT event_id FROM aws_event_twin) GROUP BY event_id) AS b
           WHERE b.event_id = aws_event_twin.event_id""")
