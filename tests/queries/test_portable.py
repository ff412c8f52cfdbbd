from __future__ import annotations

import pytest

from forensics.queries.portable import lint
from tests.queries import pack

ORDER = " ORDER BY event_key"
ROWS = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"

FORBIDDEN = [
    ("SELECT [a] AS x FROM t", "array is not"),
    ("SELECT list(a) AS x FROM t", "list is not"),
    ("SELECT array_agg(a ORDER BY a) AS x FROM t", "array_agg is not"),
    ("SELECT a::BIGINT[] AS x FROM t", "a cast to ARRAY"),
    ("SELECT {'k': a} AS x FROM t", "struct is not"),
    ("SELECT a[1] AS x FROM t", "lists and structs"),
    ("SELECT list_contains($l, a) AS x FROM t", "list_contains is not"),
    ("SELECT unnest(a) AS x FROM t", "unnest is not"),
    ("SELECT a FROM t WHERE b > c - INTERVAL 1 HOUR", "use whole seconds"),
    ("SELECT a FROM t WHERE b > c - CAST($n AS INTERVAL)", "a cast to INTERVAL"),
    ("SELECT json_extract_string(j, '$.a[*].b') AS x FROM t", "wildcards in JSON paths"),
    ("SELECT json_extract_string(j, p) AS x FROM t", "takes a literal path"),
    ("SELECT json_extract_string(j, '$.a-b') AS x FROM t", "takes a literal path"),
    ("SELECT json_extract(j, '$.a') AS x FROM t", "json_extract is not"),
    ("SELECT count(DISTINCT a) OVER (PARTITION BY b) AS x FROM t", "DISTINCT in a window"),
    ("SELECT a / b AS x FROM t", "use // on integers"),
    ("SELECT avg(a) AS x FROM t", "avg is not"),
    ("SELECT median(a) AS x FROM t", "median is not"),
    ("SELECT quantile_disc(a, 0.5) AS x FROM t", "percentile_disc is not"),
    ("SELECT stddev(a) AS x FROM t", "stddev is not"),
    ("SELECT now() AS x FROM t", "now is not"),
    ("SELECT current_timestamp AS x FROM t", "bind $since"),
    ("SELECT today() AS x FROM t", "today is not"),
    ("SELECT random() AS x FROM t", "results must repeat"),
    ("SELECT uuid() AS x FROM t", "uuid is not"),
    ("SELECT approx_count_distinct(a) AS x FROM t", "approx_count_distinct is not"),
    ("SELECT approx_quantile(a, 0.5) AS x FROM t", "approx_quantile is not"),
    ("SELECT any_value(a) AS x FROM t", "use min or max"),
    ("SELECT first(a) AS x FROM t", "first is not"),
    ("SELECT arg_max(a, b) AS x FROM t", "arg_max is not"),
    ("SELECT mode(a) AS x FROM t", "mode is not"),
    ("SELECT string_agg(a, ',') AS x FROM t", "return rows instead"),
    ("SELECT * FROM (PIVOT t ON a USING count(*))", "PIVOT is not"),
    ("SELECT t.a FROM t ASOF JOIN u ON t.k = u.k AND t.b >= u.b", "ASOF join"),
    ("SELECT t.a FROM t POSITIONAL JOIN u", "POSITIONAL join"),
    ("SELECT t.a FROM t NATURAL JOIN u", "NATURAL join"),
    ("SELECT t.a FROM t JOIN u USING (a)", "USING is not"),
    ("SELECT t.a FROM t SEMI JOIN u ON t.k = u.k", "use EXISTS"),
    ("SELECT t.a FROM t JOIN t AS u ON t.b < u.b", "a join by range alone"),
    ("SELECT list_transform(a, x -> x + 1) AS x FROM t", "LAMBDA is not"),
    ("SELECT list_filter(a, lambda x: x > 1) AS x FROM t", "LAMBDA is not"),
    ("SELECT my_macro(a) AS x FROM t", "my_macro is not"),
    ("SELECT a FROM my_macro(1)", "table function"),
    ("SELECT CAST(a AS DOUBLE) AS x FROM t", "a cast to DOUBLE"),
    ("SELECT a::FLOAT AS x FROM t", "a cast to FLOAT"),
    ("SELECT a::HUGEINT AS x FROM t", "a cast to INT128"),
    ("SELECT a::TIMESTAMPTZ AS x FROM t", "a cast to TIMESTAMPTZ"),
    ("SELECT 1e3 AS x FROM t", "floating number"),
    ("SELECT round(a, 2) AS x FROM t", "round is not"),
    ("SELECT a ** 2 AS x FROM t", "power is not"),
    ("SELECT CAST(a AS DECIMAL(28,12)) * CAST(b AS DECIMAL(18,6)) AS x FROM t", "add to 46"),
    ("SELECT row_number() OVER (PARTITION BY a) AS x FROM t", "has no order"),
    ("SELECT row_number() OVER (ORDER BY b NULLS LAST) AS x FROM t", "no total order"),
    ("SELECT lag(a) OVER (ORDER BY b NULLS LAST) AS x FROM t", "no total order"),
    ("SELECT row_number() OVER (ORDER BY b, event_key) AS x FROM t", "ORDER BY b needs NULLS LAST"),
    ("SELECT rank() OVER () AS x FROM t", "has no order"),
    (f"SELECT count(*) OVER (ORDER BY b NULLS LAST {ROWS}) AS x FROM t", "no total order"),
    ("SELECT count(*) OVER (ORDER BY b NULLS LAST) AS x FROM t", "needs an explicit frame"),
    ("SELECT first_value(a) OVER (ORDER BY event_key) AS x FROM t", "needs an explicit frame"),
    (f"SELECT row_number() OVER (ORDER BY event_key {ROWS}) AS x FROM t", "takes no frame"),
    ("SELECT rank() OVER w AS x FROM t WINDOW w AS (ORDER BY b NULLS LAST)", "named window"),
    ("SELECT sum(a) AS x FROM t", "sum must stand in CAST"),
    ("SELECT sum(a) OVER (PARTITION BY b) AS x FROM t", "sum must stand in CAST"),
    ("SELECT coalesce(sum(a), 0) AS x FROM t", "sum must stand in CAST"),
    ("SELECT extract(isodow FROM b) AS x FROM t", "extract takes one of"),
    ("SELECT isodow(b) AS x FROM t", "isodow is not"),
    ("SELECT date_trunc('week', b) AS x FROM t", "date_trunc takes one of"),
    ("SELECT date_diff('day', b, c) AS x FROM t", "date_diff is not"),
    ("SELECT epoch(b) AS x FROM t", "epoch is not"),
    ("SELECT strftime(b, '%A') AS x FROM t", "strftime takes a literal format"),
    ("SELECT strftime(b, f) AS x FROM t", "strftime takes a literal format"),
    ("SELECT concat(a, b) AS x FROM t", "use ||"),
    ("SELECT regexp_matches(a, 'x(?=y)') AS x FROM t", "not common to RE2 and Java"),
    ("SELECT regexp_matches(a, '(?<n>x)') AS x FROM t", "not common to RE2 and Java"),
    ("SELECT regexp_matches(a, 'x*+') AS x FROM t", "not common to RE2 and Java"),
    ("SELECT regexp_matches(a, '[[:alpha:]]') AS x FROM t", "not common to RE2 and Java"),
    ("SELECT regexp_matches(a, b) AS x FROM t", "must be literal text"),
    ("SELECT a ~ 'x' AS x FROM t", "write regexp_matches"),
    ("SELECT regexp_matches(a, 'x', 'i') AS x FROM t", "write (?i)"),
    ("SELECT regexp_replace(a, 'x', 'y') AS x FROM t", "needs the option 'g'"),
    ("SELECT a GLOB 'x*' AS x FROM t", "GLOB is not"),
    ("SELECT a SIMILAR TO 'x' AS x FROM t", "SIMILARTO is not"),
    ("SELECT * EXCLUDE (a) FROM t", "name the columns"),
    ("SELECT columns('a.*') FROM t", "columns is not"),
    ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT ON"),
    ("SELECT a FROM t USING SAMPLE 5", "SAMPLE is not"),
    ("SELECT a FROM t GROUP BY ALL", "GROUP BY ALL"),
    ("SELECT a FROM t GROUP BY ROLLUP (a)", "ROLLUP"),
    ("WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r) SELECT x FROM r", "WITH RECURSIVE"),
    ("SELECT a FROM (SELECT a FROM t LIMIT 5)", "LIMIT without ORDER BY"),
    ("SELECT a FROM t UNION ALL BY NAME SELECT b FROM u", "BY NAME"),
]

ALLOWED = [
    "SELECT a, count(*) AS n, count(DISTINCT b) AS m, min(c) AS lo, max(c) AS hi FROM t GROUP BY a",
    "SELECT event_epoch // 60 AS bucket, (event_epoch // 86400 + 4) % 7 AS weekday FROM t",
    "SELECT epoch_ms(b) // 1000 AS n, date_trunc('hour', b) AS h, strftime(b, '%Y-%m-%dT%H:%MZ') AS s FROM t",
    "SELECT CAST(sum(a) AS BIGINT) AS n, CAST(sum(c) AS DECIMAL(28,12)) AS m FROM t",
    "SELECT CAST(coalesce(sum(a) FILTER (WHERE b > 1), 0) AS BIGINT) AS n FROM t",
    "SELECT CAST(sum(a) OVER (PARTITION BY b) AS BIGINT) AS n FROM t",
    f"SELECT CAST(sum(a) OVER (ORDER BY b NULLS LAST, event_key {ROWS}) AS BIGINT) AS n FROM t",
    "SELECT lag(a) OVER (PARTITION BY k ORDER BY b NULLS LAST, event_key) AS before FROM t",
    "SELECT rank() OVER (PARTITION BY k ORDER BY b DESC NULLS LAST) AS place FROM t",
    "SELECT row_number() OVER (ORDER BY n NULLS LAST, first_event_key) AS place FROM t",
    "SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b NULLS LAST, event_key) = 1",
    "SELECT json_extract_string(j, '$.a.b') AS x, json_extract_string(j, '$.a[0].\"b-c\"') AS y FROM t",
    "SELECT regexp_matches(a, '(?i)^arn:(aws|aws-cn):[^:]*$') AS x, regexp_extract(a, 'x(y)', 1) AS y FROM t",
    "SELECT lower(a) || ':' || coalesce(b, '') AS x, starts_with(a, 'x') AS y, split_part(a, '/', 2) FROM t",
    "SELECT t.a FROM t JOIN case_network AS n ON t.source_ip_key BETWEEN n.low AND n.high",
    "SELECT t.a FROM t LEFT JOIN u ON t.k = u.k AND t.b >= u.b CROSS JOIN v",
    "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k) AND a IN (SELECT k FROM v)",
    "WITH w(kind, name) AS (VALUES ('a', 'b'), ('c', 'd')) SELECT w.kind FROM w",
    "SELECT CASE WHEN a IS NULL THEN 1 ELSE 0 END AS x, a IS NOT DISTINCT FROM b AS y, a ILIKE '%x%' FROM t",
    "SELECT a FROM t WHERE b >= $since AND b < $until UNION ALL SELECT c FROM u",
    "SELECT CAST(a AS DECIMAL(18,6)) * CAST(b AS DECIMAL(18,6)) AS x FROM t",
]


@pytest.mark.parametrize(("sql", "expected"), FORBIDDEN, ids=[sql for sql, _ in FORBIDDEN])
def test_forbidden(sql: str, expected: str) -> None:
    messages = [fault.message for fault in lint(sql + ORDER)]
    assert any(expected in message for message in messages), messages


@pytest.mark.parametrize("sql", ALLOWED)
def test_allowed(sql: str) -> None:
    assert lint(sql + ORDER) == []


@pytest.mark.parametrize("key", ["a", "a DESC", "a NULLS FIRST", "t.a"])
def test_final_order_needs_nulls_last(key: str) -> None:
    written = key.split()[0]
    assert [f.message for f in lint(f"SELECT a FROM t ORDER BY {key}, event_key")] == [
        f"ORDER BY {written} needs NULLS LAST"
    ]


@pytest.mark.parametrize("key", ["a NULLS LAST", "a DESC NULLS LAST"])
def test_final_order_with_nulls_last(key: str) -> None:
    assert lint(f"SELECT a FROM t ORDER BY {key}, event_key") == []


def test_a_missing_final_order_is_a_fault() -> None:
    assert [f.message for f in lint("SELECT a FROM t")] == ["the final ORDER BY is missing"]


def test_faults_name_the_line_of_the_file() -> None:
    text = pack.text(sql=pack.SQL.replace("e.user_agent", "avg(e.event_epoch) AS mean"))
    line = text.splitlines().index("       avg(e.event_epoch) AS mean") + 1
    assert [(f.line, f.message.split(" is")[0]) for f in lint(text)] == [(line, "avg")]


def test_a_header_may_opt_out() -> None:
    sql = pack.SQL.replace("e.user_agent", "[1] AS mean")
    assert lint(pack.text(sql=sql))
    opted = pack.HEADER.replace("needs =", 'portable = false\nportable_reason = "lists"\nneeds =')
    assert lint(pack.text(opted, sql)) == []


def test_text_that_is_no_sql_is_a_fault_not_an_error() -> None:
    assert "no portable SQL" in lint("SELECT FROM WHERE (")[0].message
