"""A result that is handed over in parts has the rows, the number and the hash of one that is held whole."""

from __future__ import annotations

from forensics.analysis.usage_rows import PackedRows
from forensics.store.duckdb_engine import DuckDBEngine, open_writer

SQL = """
SELECT 'p' AS provider, CASE WHEN n < 25000 THEN 'a' || chr(7) || '"\\/' ELSE chr(8232) || chr(127) || chr(128512) END AS key_id, n,
  TIMESTAMP '2026-05-01' + INTERVAL 1 SECOND * n AS bucket_start, CAST(NULL AS TIMESTAMP) AS bucket_end,
  CAST(n AS DECIMAL(20, 3)) / 7 > 3 AS flag, CAST(n AS DECIMAL(20, 3)) AS amount, chr(9) || chr(10) || chr(31) AS control
FROM range(45000) AS r(n) ORDER BY key_id, n
"""


def test_streamed_equals_whole():
    connection = open_writer(":memory:")
    engine, parts = DuckDBEngine(connection), []
    whole = engine.run(SQL, {})
    streamed = engine.stream(SQL, {}, lambda _columns, _types: parts.extend)
    assert (streamed.sha256, streamed.count, streamed.columns, streamed.types) == (
        whole.sha256,
        45000,
        whole.columns,
        whole.types,
    )
    assert tuple(parts) == whole.rows
    plain = SQL.replace("CAST(n AS DECIMAL(20, 3)) AS amount,", "")
    expected, made = engine.run(plain, {}).dicts(), []
    engine.stream(plain, {}, lambda columns, types: (made.append(PackedRows(columns, types)), made[0].take)[1])
    (packed,) = made
    assert len(packed) == 2
    for name in packed:
        assert packed[name] == [row for row in expected if (row["provider"], row["key_id"]) == name]
    assert packed.get(("p", "unknown"), []) == []
    connection.close()
