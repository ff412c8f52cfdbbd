"""The hunt over a small store: states, grouping, order, ids, and the rows to store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from forensics.analysis.context import Window
from forensics.analysis.evaluable import establish, fact_names, take_stock
from forensics.analysis.findings import Finding, in_order, lowered
from forensics.analysis.hunt import HuntResult, run_hunt, store_rows
from forensics.ingest.scratch import read_bytes
from forensics.model.errors import UsageFault
from forensics.model.outcome import Outcome, State
from forensics.model.query import DETECTION_COLUMNS, Query, QueryKind, Severity
from forensics.queries.queryfile import load
from forensics.queries.vocabulary import FACTS
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.schema import TABLES
from tests.case_events import exports
from tests.queries import pack
from tests.stores import new_store

SINCE, UNTIL = datetime.fromisoformat("2026-05-01"), datetime.fromisoformat("2026-06-01")
T0_GUARD = datetime.fromisoformat("2026-05-04")
STOP = {"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging"}


class Ticking:
    """A clock that goes on by 7 ms at each look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 9, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=7)
        return self.now


@pytest.fixture
def connection() -> Iterator[Any]:
    opened = new_store()
    yield opened
    opened.close()


@pytest.fixture
def query(tmp_path: Path) -> Query:
    return load(pack.write(tmp_path), root=tmp_path / "queries")


def ingest(connection: Any, *events: dict[str, Any], base: str = "iam_user") -> None:
    for export in exports(base, list(events)):
        _, account = read_bytes(connection, export.name, export.data, export.owner)
        assert account["accepted"] == export.events


def hunt(connection: Any, *queries: Query, baseline_until: datetime | None = T0_GUARD, **more: Any) -> HuntResult:
    window = Window(SINCE, UNTIL, baseline_until, True, baseline_until is None)
    return run_hunt(DuckDBEngine(connection), queries, window, Ticking(), **more)


def test_several_engines_give_what_one_gives_in_the_same_order(connection: Any, query: Query) -> None:
    ingest(connection, STOP, {**STOP, "eventTime": "2026-05-07T03:00:00Z"})
    queries = [replace(query, id=f"aws.trail_stopped_{n:02}") for n in (3, 1, 2, 5, 4)]
    broken = replace(query, id="aws.trail_broken", sql="SELECT no_such_column FROM aws_event WHERE $since < $until")
    window = Window(SINCE, UNTIL, T0_GUARD, True, False)
    still = datetime(2026, 5, 9, 12, tzinfo=UTC)
    alone, beside = (
        run_hunt(engines, [*queries, broken], window, lambda: still)
        for engines in (DuckDBEngine(connection), [DuckDBEngine(connection), DuckDBEngine(connection.cursor())])
    )
    assert alone == beside
    assert [o.state for o in beside.outcomes] == [State.FAILED, *[State.FINDING] * 5]


def only(result: HuntResult) -> Outcome:
    (outcome,) = result.outcomes
    return outcome


def test_finding_is_grouped_counted_and_named(connection: Any, query: Query) -> None:
    ingest(
        connection,
        {**STOP, "eventID": "e-2", "eventTime": "2026-05-05T04:00:00Z"},
        {**STOP, "eventID": "e-1", "eventTime": "2026-05-05T03:00:00Z", "errorCode": "AccessDenied"},
        {**STOP, "eventID": "e-3", "eventTime": "2026-05-06T03:00:00Z"},
    )
    result = hunt(connection, query)
    outcome = only(result)
    assert (outcome.state, outcome.count, outcome.severity) == (State.FINDING, 3, "high")
    assert outcome.event_ids == ("e-1", "e-2", "e-3") and outcome.records_searched == 3
    assert outcome.reason == "2 findings from 3 events; 3 records searched"
    first, second = result.findings
    assert first.finding_key == "arn:aws:iam::111122223333:user/wren 2026-05-05"
    assert first.finding_id == "F-" + sha256(f"{query.id}\n{first.finding_key}".encode()).hexdigest()[:8]
    assert (first.event_count, second.event_count) == (2, 1)
    assert first.first_seen == datetime.fromisoformat("2026-05-05T03:00") and first.last_seen.hour == 4
    assert [row["outcome"] for row in result.finding_events] == ["denied", "success", "success"]


def test_no_row_is_clear_only_where_records_were_searched(connection: Any, query: Query) -> None:
    ingest(connection, {})
    outcome = only(hunt(connection, query))
    assert (outcome.state, outcome.reason) == (State.CLEAR, "no record fits; 1 record searched")
    assert outcome.rows is not None and outcome.rows.sha256


def test_not_evaluable_without_the_source_without_records_in_the_window_or_without_a_need(
    connection: Any, query: Query
) -> None:
    free = replace(query, needs=())
    outcome = only(hunt(connection, free))
    assert (outcome.state, outcome.reason) == (State.NOT_EVALUABLE, "not supplied: aws_cloudtrail")
    ingest(connection, {"eventTime": "2026-04-01T00:00:00Z"})
    outcome = only(hunt(connection, free))
    assert outcome.reason == "no record of aws_cloudtrail from 2026-05-01T00:00:00Z to 2026-06-01T00:00:00Z"
    ingest(connection, {"requestID": "r-9"})
    assert only(hunt(connection, free)).state == State.CLEAR
    outcome = only(hunt(connection, replace(query, needs=("kms_events", "aws_events", "own_accounts"))))
    assert outcome.state == State.NOT_EVALUABLE
    assert outcome.reason == (
        "the evidence holds no CloudTrail events of KMS from 2026-05-01T00:00:00Z to 2026-06-01T00:00:00Z;"
        " the evidence holds no list of the organisation's own accounts"
    )


def test_one_of_several_sources_is_enough_and_the_others_are_named(connection: Any, query: Query) -> None:
    ingest(connection, STOP)
    outcome = only(hunt(connection, replace(query, sources=("aws_cloudtrail", "openai_audit"))))
    assert outcome.state == State.FINDING and outcome.reason.endswith("1 record searched; not supplied: openai_audit")


def test_a_failing_query_does_not_stop_the_others(connection: Any, query: Query) -> None:
    ingest(connection, STOP)
    broken = replace(query, id="aws.broken", sql=query.sql.replace("e.user_agent", "e.gone"))
    nested = replace(query, id="aws.nested", sql=query.sql.replace("e.user_agent", "[1] AS x"))
    short = replace(query, id="aws.short", sql="SELECT 1 AS n, $since AS a, $until AS b, $verb AS c ORDER BY 1")
    keyless = replace(
        query,
        id="aws.keyless",
        sql=query.sql.replace(
            "coalesce(e.actor, '') || ' ' || strftime(e.event_time, '%Y-%m-%d')", "CAST(NULL AS VARCHAR)"
        ),
    )
    result = hunt(connection, query, broken, nested, short, keyless)
    states = {o.query_id: (o.state, o.reason) for o in result.outcomes}
    assert [o.query_id for o in result.outcomes] == sorted(states)
    assert states["aws.trail_stopped"][0] == State.FINDING
    assert "gone" in states["aws.broken"][1] and "column x is INTEGER[]" in states["aws.nested"][1]
    assert "columns must begin" in states["aws.short"][1] and "no finding_key" in states["aws.keyless"][1]
    assert [s for s, _ in states.values()].count(State.FAILED) == 4


@pytest.mark.parametrize(("days", "state"), [(10, State.FINDING), (11, State.NO_BASELINE)])
def test_a_baseline_reaches_back_as_far_as_the_query_needs(
    connection: Any, query: Query, days: int, state: State
) -> None:
    ingest(connection, STOP, {"eventTime": "2026-04-24T00:00:00Z", "repeat": 10, "every": 86400})
    outcome = only(hunt(connection, replace(query, baseline_days=days)))
    assert outcome.state == state and outcome.count == 1
    assert outcome.severity == ("high" if state == State.FINDING else "low")


def test_one_stray_old_record_is_no_baseline(connection: Any, query: Query) -> None:
    ingest(connection, STOP, {"eventTime": "2026-01-01T00:00:00Z"})
    outcome = only(hunt(connection, replace(query, baseline_days=7)))
    assert outcome.state == State.NO_BASELINE and "1 days with records within 123 days" in outcome.reason


def test_without_t0_what_came_is_kept_but_alarms_nobody(connection: Any, query: Query) -> None:
    ingest(connection, STOP, {"eventTime": "2026-03-01T00:00:00Z", "repeat": 60, "every": 86400})
    result = hunt(connection, replace(query, baseline_days=7), baseline_until=None)
    outcome = only(result)
    assert outcome.state == State.NO_BASELINE and outcome.count == 1 and "T0" in outcome.reason
    assert [(f.state, f.severity) for f in result.findings] == [(State.NO_BASELINE, Severity.LOW)]
    silent = only(
        hunt(
            connection,
            replace(query, baseline_days=7),
            baseline_until=None,
            overrides={query.id: {"verb": "x"}},
        )
    )
    assert silent.state == State.NO_BASELINE and silent.count == 0


def test_rows_may_say_that_they_have_no_baseline(connection: Any, query: Query) -> None:
    ingest(connection, {**STOP, "awsRegion": "us-east-1"}, {**STOP, "awsRegion": "eu-central-1"})
    sql = query.sql.replace("coalesce(e.actor, '')", "e.region").replace(
        "e.user_agent", "CASE WHEN e.region = 'us-east-1' THEN 'none' ELSE 'usual' END AS baseline_state"
    )
    result = hunt(connection, replace(query, sql=sql))
    assert only(result).state == State.FINDING and only(result).severity == "high"
    assert [(f.finding_key[:4], f.state, f.severity) for f in result.findings] == [
        ("eu-c", State.FINDING, Severity.HIGH),
        ("us-e", State.NO_BASELINE, Severity.MEDIUM),
    ]
    all_none = replace(query, sql=sql.replace("'usual'", "'none'"))
    assert only(hunt(connection, all_none)).state == State.NO_BASELINE


def test_findings_come_gravest_first(connection: Any, query: Query) -> None:
    ingest(connection, STOP, {**STOP, "eventTime": "2026-05-04T03:00:00Z"})
    low = replace(query, id="aws.a_low", severity=Severity.LOW)
    unsure = replace(query, id="aws.b_unsure", confidence="low")
    order = [(f.query_id, f.first_seen.day) for f in hunt(connection, low, unsure, query).findings if f.first_seen]
    assert order == [(i, d) for i in ("aws.trail_stopped", "aws.b_unsure", "aws.a_low") for d in (4, 5)]


def test_equal_short_ids_are_told_apart() -> None:
    def finding(key: str) -> Finding:
        return Finding("F-00000000", "q.a", key, Severity.LOW, "low", "t", None, None, None, 0, State.FINDING, (), ())

    ids = [f.finding_id for f in in_order([finding("a"), finding("b")])]
    assert len(set(ids)) == 2 and all(len(i) == 18 for i in ids)


def test_lowered_stops_at_the_lowest() -> None:
    assert [lowered(s) for s in Severity] == [
        Severity.INFO,
        Severity.INFO,
        Severity.LOW,
        Severity.MEDIUM,
        Severity.HIGH,
    ]


def test_provider_ids_are_resolved_and_keys_stand_in_for_buckets(connection: Any, query: Query) -> None:
    ingest(connection, {"id": "audit_log-X"}, base="openai_audit")
    ingest(connection, {}, base="openai_usage_page")
    columns = "CAST('k' AS VARCHAR), {t}, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', event_key, evidence"
    names = ", ".join(name for name, _ in DETECTION_COLUMNS)
    sql = (
        f"SELECT {names} FROM (SELECT {columns.format(t='event_time')} FROM ai_audit_event UNION ALL"
        f" SELECT {columns.format(t='bucket_start')} FROM ai_usage) AS r({names})"
        " WHERE event_time >= $since AND event_time < $until AND $verb <> ''"
        " ORDER BY event_time, event_key"
    )
    mixed = replace(query, sql=sql, sources=("openai_audit", "openai_usage"), needs=())
    outcome = only(hunt(connection, mixed))
    assert outcome.count == 2 and "audit_log-X" in outcome.event_ids
    other = [i for i in outcome.event_ids if i != "audit_log-X"]
    assert other and other[0] in outcome.event_keys and len(other[0]) == 32


def test_parameters_of_users_reach_the_query(connection: Any, query: Query) -> None:
    ingest(connection, {**STOP, "eventName": "DeleteTrail"})
    assert only(hunt(connection, query)).state == State.CLEAR
    assert only(hunt(connection, query, overrides={query.id: {"verb": "DeleteTrail"}})).state == State.FINDING
    with pytest.raises(UsageFault):
        hunt(connection, query, overrides={query.id: {"noun": "x"}})


def test_only_detections_are_run(connection: Any, query: Query) -> None:
    assert hunt(connection, replace(query, kind=QueryKind.SUMMARY)).outcomes == ()


def test_rows_to_store_fit_their_tables(connection: Any, query: Query) -> None:
    ingest(connection, STOP, {**STOP, "requestParameters": {"name": "a-trail"}})
    result = hunt(connection, query, replace(query, id="aws.z", sources=("openai_audit",)))
    rows = store_rows(result, basis="b" * 64, first_run_id=5)
    for table, found in rows.items():
        assert all(tuple(row) == TABLES[table].names for row in found), table
    run, other = rows["query_run"]
    assert (run["run_id"], run["row_count"], run["milliseconds"], run["state"]) == (5, 2, 7, "finding")
    assert json.loads(run["parameters"]) == {
        "since": "2026-05-01T00:00:00.000000Z", "until": "2026-06-01T00:00:00.000000Z", "verb": "StopLogging",
    }  # fmt: skip
    assert run["run_at"] == datetime.fromisoformat("2026-05-09T12:00:00.007")
    assert (other["run_id"], other["state"], other["result_sha256"]) == (6, "not_evaluable", None)
    assert json.loads(rows["finding_event"][0]["details"])["user_agent"].startswith("aws-cli/")
    assert rows["finding"][0]["event_count"] == 2 and rows["finding"][0]["resource_count"] == 1


def test_two_hunts_give_the_same(connection: Any, query: Query) -> None:
    ingest(connection, {**STOP, "repeat": 20, "every": 5000})
    one, two = hunt(connection, query), hunt(connection, query)
    assert one == two and len(one.findings) == 2


def test_facts_of_headers_are_the_facts_that_can_be_asked() -> None:
    assert fact_names() == FACTS.keys()


@pytest.mark.parametrize(
    ("fact", "base", "event"),
    [
        ("aws_events", "iam_user", {}),
        (
            "s3_data_events",
            "iam_user",
            {"eventSource": "s3.amazonaws.com", "eventCategory": "Data", "managementEvent": False},
        ),
        ("kms_events", "iam_user", {"eventSource": "kms.amazonaws.com"}),
        ("bedrock_events", "iam_user", {"eventSource": "bedrock.amazonaws.com"}),
        ("secrets_events", "iam_user", {"eventSource": "ssm.amazonaws.com"}),
        ("usage_by_key", "openai_usage_page", {}),
        ("costs", "openai_costs_page", {}),
        ("openai_audit", "openai_audit", {}),
        ("anthropic_activity", "anthropic_activity", {}),
        ("request_addresses", "litellm_spend", {}),
        ("key_inventory", "key_inventory", {}),
    ],
)
def test_facts_hold_with_the_evidence_and_not_without(
    connection: Any, fact: str, base: str, event: dict[str, Any]
) -> None:
    engine = DuckDBEngine(connection)
    before = establish(engine, [fact], SINCE, UNTIL)[fact]
    assert not before.holds and before.reason.startswith("the evidence holds no")
    ingest(connection, event, base=base)
    after = establish(engine, FACTS, SINCE, UNTIL)
    assert after[fact].holds and after[fact].reason == ""
    allowed = {fact, "aws_events"} if base == "iam_user" else {fact}
    assert {name for name, found in after.items() if found.holds} == allowed


@pytest.mark.parametrize(
    ("base", "event"),
    [
        ("openai_usage_page", {"api_key_id": "<absent>"}),
        ("bedrock_invocation", {}),
        ("iam_user", {"eventSource": "s3.amazonaws.com"}),
        ("openai_audit", {"effective_at": "2026-01-01T00:00:00Z"}),
    ],
)
def test_facts_do_not_hold_for_what_only_looks_alike(connection: Any, base: str, event: dict[str, Any]) -> None:
    ingest(connection, event, base=base)
    found = {name for name, fact in establish(DuckDBEngine(connection), FACTS, SINCE, UNTIL).items() if fact.holds}
    assert found == ({"aws_events"} if base == "iam_user" else set())


def test_variants_of_a_format_count_as_the_format_and_inventories_need_no_window(connection: Any, query: Query) -> None:
    ingest(connection, STOP)
    ingest(connection, {}, base="key_inventory")
    connection.execute("UPDATE aws_event SET source_id = 'aws_cloudtrail_lake'")
    stock = take_stock(DuckDBEngine(connection), SINCE, UNTIL)
    assert stock.supplied("aws_cloudtrail") == ["aws_cloudtrail_lake"] and stock.supplied("aws") == [
        "aws_cloudtrail_lake"
    ]
    assert stock.records_searched(query) == 1
    assert stock.records_searched(replace(query, sources=("key_inventory",))) == 1
    assert stock.missing(replace(query, sources=("openai_usage", "aws_cloudtrail"))) == ["openai_usage"]
