from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from forensics.model.errors import ExitCode, QueryFault
from forensics.model.query import QueryKind, Severity
from forensics.queries.queryfile import EmptyStore, load
from forensics.store.schema import statements
from tests.queries import pack


@pytest.fixture(scope="module")
def store() -> EmptyStore:
    return EmptyStore(statements())


def faults_of(path: Path, store: EmptyStore | None = None) -> list[str]:
    with pytest.raises(QueryFault) as caught:
        load(path, root=next(p for p in path.parents if p.name == "queries"), store=store)
    assert caught.value.exit_code == ExitCode.BAD_QUERY
    return caught.value.message.splitlines()


def test_sound_file_is_loaded_with_all_it_says(tmp_path: Path, store: EmptyStore) -> None:
    path = pack.write(tmp_path)
    query = load(path, root=tmp_path / "queries", store=store)
    assert (query.id, query.kind, query.severity) == ("aws.trail_stopped", QueryKind.DETECTION, Severity.HIGH)
    assert query.place == "queries/detections/aws/trail_stopped.sql"
    assert query.sha256 == sha256(path.read_bytes()).hexdigest()
    assert query.sql == pack.SQL
    assert query.attack == ("T1562.008",) and query.attack_version == "18.1"
    assert [(p.name, p.type, p.default) for p in query.parameters] == [("verb", "text", "StopLogging")]
    assert query.baseline_days == 0 and query.portable


@pytest.mark.parametrize(
    ("key", "line", "expected"),
    [
        ("id", 'id = "aws.other"', "2: id 'aws.other' does not fit the file's place: 'aws.trail_stopped'"),
        (
            "kind",
            'kind = "rule"',
            "3: unknown kind 'rule'; one of detection, timeline, summary, exposure, ioc",
        ),
        (
            "severity",
            'severity = "grave"',
            "5: unknown severity 'grave'; one of info, low, medium, high, critical",
        ),
        ("confidence", 'confidence = "sure"', "6: unknown confidence 'sure'; one of low, medium, high"),
        ("sources", 'sources = ["syslog"]', "7: unknown source 'syslog'"),
        ("sources", "sources = []", "7: sources is empty"),
        ("attack", 'attack = ["T15"]', "8: attack id 'T15' is malformed"),
        ("attack", 'attack = ["T9999"]', "8: attack id T9999 is not in forensics/queries/techniques.py"),
        ("attack_v19", 'atlas = ["AML.T9999"]', "9: atlas id AML.T9999 is not in forensics/queries/techniques.py"),
        ("attack_v19", 'attack_v19 = ["T1562.008"]', "9: attack_v19 must be ['T1685.002']"),
        ("attack_v19", "", "1: attack_v19 must be ['T1685.002']"),
        ("attack_version", "", "8: attack ids need attack_version"),
        ("attack_version", 'attack_version = "17.1"', "10: attack_version is 18.1, the version of the bundled table"),
        ("attack_version", 'attack_version = "v18"', "10: attack_version 'v18' must look like 18.1"),
        ("description", 'description = " "', "11: description is empty"),
        ("misses", 'misses = ""', "12: misses is empty"),
        ("misses", "", "1: missing key 'misses'"),
        ("false_positives", "false_positives = []", "13: false_positives is empty"),
        ("next_steps", 'next_steps = "look"', "14: next_steps must be a list of texts, none of them empty"),
        ("references", 'references = ["ftp://x"]', "15: reference 'ftp://x' must be an https address"),
        ("needs", 'needs = ["luck"]', "16: unknown need 'luck'"),
        ("needs", 'colour = "red"', "16: unknown key 'colour'"),
        ("needs", "baseline_days = -1", "16: baseline_days must be a whole number from 0 to 366"),
        ("needs", "portable = false", "16: portable = false needs a portable_reason"),
        ("needs", 'by_key = "yes"', "16: by_key must be true or false"),
        ("title", "title = 3", "4: title must be text"),
        (
            "verb",
            'verb = { type = "list", doc = "x", default = "x" }',
            "18: parameter verb: unknown type 'list'",
        ),
        (
            "verb",
            'verb = { type = "integer", doc = "x", default = "x" }',
            "18: parameter verb: default 'x' is no integer",
        ),
        (
            "verb",
            'verb = { type = "text", default = "x" }',
            "18: parameter verb must have type, doc and default",
        ),
        (
            "verb",
            'since = { type = "timestamp", doc = "x", default = "x" }',
            "18: parameter since comes from the case",
        ),
        ("title", "title = a b", "4: the header is not TOML: Invalid value"),
    ],
)
def test_header_faults_name_their_line(tmp_path: Path, key: str, line: str, expected: str) -> None:
    found = faults_of(pack.write(tmp_path, pack.header_with(key, line)))
    assert any(f.startswith(f"queries/detections/aws/trail_stopped.sql:{expected}") for f in found), found


@pytest.mark.parametrize(
    "key", ["id", "kind", "title", "severity", "confidence", "sources", "description", "next_steps"]
)
def test_required_keys(tmp_path: Path, key: str) -> None:
    assert any(
        f.endswith(f":1: missing key {key!r}") for f in faults_of(pack.write(tmp_path, pack.header_with(key, "")))
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (pack.SQL + ";\nDROP TABLE aws_event", "there must be exactly one statement, not 2"),
        ("", "there must be exactly one statement, not 0"),
        ("DELETE FROM aws_event", "the statement must be a SELECT"),
        ("FROM aws_event ORDER BY event_key", "the statement must be a SELECT"),
        ("SELEC 1", "21: the SQL cannot be parsed"),
        (pack.SQL.replace("$verb", "'StopLogging'"), "19: parameter verb is declared but $verb is not used"),
        (pack.SQL.replace("$verb", "$verbs"), "parameter $verbs is used but not declared in [params]"),
        (pack.SQL.replace("AND e.event_time < $until", ""), "a detection must keep to the window"),
        (pack.SQL.replace("ORDER BY e.event_time NULLS LAST, e.event_key\n", ""), "no ORDER BY"),
        (
            pack.SQL.replace("NULLS LAST, e.event_key", "NULLS LAST"),
            "39: the last key of the final ORDER BY must be event_key",
        ),
        (
            pack.SQL.replace("FROM aws_event AS e", "FROM read_csv('x.csv') AS e"),
            "34: function read_csv is refused",
        ),
        (
            pack.SQL.replace("FROM aws_event AS e", "FROM 'x.parquet' AS e"),
            "34: 'x.parquet' is no table of the store",
        ),
        (pack.SQL.replace("FROM aws_event AS e", "FROM glob('*') AS e"), "function glob is refused"),
        (
            pack.SQL.replace("FROM aws_event AS e", "FROM sniff_csv('x') AS e"),
            "function sniff_csv is refused",
        ),
        (
            pack.SQL.replace("FROM aws_event AS e", "FROM duckdb_settings() AS e"),
            "function duckdb_settings is refused",
        ),
        (pack.SQL.replace("FROM aws_event AS e", "FROM query('SELECT 1') AS e"), "function query is refused"),
        (
            pack.SQL.replace("FROM aws_event AS e", "FROM information_schema.tables AS e"),
            "is named with a schema",
        ),
        (pack.SQL.replace("e.user_agent", "getenv('HOME') AS user_agent"), "33: function getenv is refused"),
        (
            pack.SQL.replace("e.user_agent", "(SELECT read_text('x')) AS a"),
            "33: function read_text is refused",
        ),
        (
            pack.SQL.replace("e.user_agent", "(SELECT n FROM (SUMMARIZE aws_event)) AS a"),
            "SHOW, DESCRIBE and SUMMARIZE",
        ),
        (
            pack.SQL.replace("AS e\n", "AS e\nJOIN usual_level AS u ON u.subject = e.actor\n"),
            "usual_level holds what was usual before $baseline_until, which is not used",
        ),
    ],
)
def test_statement_faults(tmp_path: Path, sql: str, expected: str) -> None:
    found = faults_of(pack.write(tmp_path, sql=sql))
    assert any(expected in f for f in found), found


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            pack.SQL.replace("e.resource,", "e.source_ip_key AS resources,"),
            "column 5 must be resource VARCHAR, not resources VARCHAR",
        ),
        (
            pack.SQL.replace("e.event_time,\n       e.actor", "e.event_epoch AS event_time,\n       e.actor"),
            "column 2 must be event_time TIMESTAMP, not event_time BIGINT",
        ),
        (pack.SQL.replace("e.user_agent", "e.no_such_column"), "the SQL does not fit the store"),
        (pack.SQL.replace("e.user_agent", "[1, 2] AS numbers"), "column numbers is INTEGER[]"),
        (pack.SQL.replace("e.user_agent", "random() AS r"), "column r is DOUBLE"),
        (pack.SQL.replace("e.user_agent", "e.actor"), "column actor is there twice"),
        (
            pack.SQL.replace(",\n       e.evidence,\n       e.user_agent", ""),
            "column 12 must be evidence VARCHAR, not nothing",
        ),
    ],
)
def test_columns_are_checked_against_the_store(tmp_path: Path, store: EmptyStore, sql: str, expected: str) -> None:
    path = pack.write(tmp_path, sql=sql)
    load(path, root=tmp_path / "queries")  # without a store nothing is known of its columns
    found = faults_of(path, store)
    assert any(expected in f for f in found), found


def test_all_faults_come_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    header = pack.header_with("severity", 'severity = "grave"').replace('"T1562.008"', '"T9"')
    found = faults_of(pack.write(tmp_path, header, pack.SQL.replace("$verb", "getenv('X')")))
    lines = [int(f.split(":")[1]) for f in found]
    assert lines == sorted(lines) and len(found) == 5, found


def test_a_file_without_header_or_of_other_bytes_is_refused(tmp_path: Path) -> None:
    path = pack.write(tmp_path)
    path.write_text("SELECT 1")
    assert "no header" in faults_of(path)[0]
    path.write_text("-- ---\n-- id = 'x'\nSELECT 1")
    assert "no closing line" in faults_of(path)[0]
    path.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in faults_of(path)[0]
    path.unlink()
    assert "cannot be read" in faults_of(path)[0]


def test_other_kinds_are_free_in_columns_and_window_but_not_in_order(tmp_path: Path, store: EmptyStore) -> None:
    header = 'id = "aws.seen"\nkind = "summary"\ntitle = "Seen"\ndescription = "What was seen."\nsources = []\n'
    sql = "SELECT region, count(*) AS n FROM aws_event GROUP BY region ORDER BY region NULLS LAST\n"
    query = load(pack.write(tmp_path, header, sql, "seen"), store=store)
    assert query.severity == Severity.INFO and query.place == "seen.sql"
    unordered = pack.write(tmp_path, header, sql.split(" ORDER")[0], "seen")
    assert "no ORDER BY" in faults_of(unordered)[0]


def test_min_event_key_ends_the_order_of_an_aggregate(tmp_path: Path) -> None:
    sql = pack.SQL.replace("ORDER BY e.event_time NULLS LAST, e.event_key", "ORDER BY min(e.event_key)")
    load(pack.write(tmp_path, sql=sql))
    sql = pack.SQL.replace("ORDER BY e.event_time NULLS LAST, e.event_key", "ORDER BY max(e.event_key)")
    assert "last key" in faults_of(pack.write(tmp_path, sql=sql))[0]


DAYS = 'baseline_window_days = { type = "integer", doc = "Days that are compared", default = 28 }\n'


def test_days_of_the_baseline_may_be_declared_for_the_views_alone(tmp_path: Path, store: EmptyStore) -> None:
    header = pack.HEADER + DAYS
    levels = pack.SQL.replace(
        "AS e\n", "AS e\nJOIN usual_level AS u ON u.subject = e.actor AND e.event_time >= $baseline_until\n"
    )
    query = load(pack.write(tmp_path, header, levels), root=tmp_path / "queries", store=store)
    assert [p.name for p in query.parameters] == ["verb", "baseline_window_days"]
    found = faults_of(pack.write(tmp_path, header), store)
    assert [f.split(":", 2)[2] for f in found] == [
        " parameter baseline_window_days is declared but $baseline_window_days is not used"
    ]
