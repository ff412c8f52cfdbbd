"""The views under the statistics, on numbers that can be checked by hand."""

from __future__ import annotations

from datetime import datetime

import pytest

from forensics.ingest.scratch import read_bytes
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.level_views import tell_baseline
from tests.case_events import exports
from tests.stores import new_store

KEY = "openai|||key_HeronEx1"


def filled(events, base):
    connection = new_store()
    for export in exports(base, events):
        read_bytes(connection, export.name, export.data, export.owner)
    return connection


def rows(events, sql, base="openai_usage_page", **baseline):
    connection = filled(events, base)
    try:
        tell_baseline(connection, {"baseline_until": None, **baseline})
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_hours_and_days_are_covered_only_when_the_export_spans_them_whole():
    # 25 hours from 23:00: the hours themselves, and the one whole day among them.
    found = rows(
        [{"start_time": "2026-05-04T23:00:00Z", "repeat": 25, "every": 3600}],
        "SELECT holder, kind, granularity_s, width_s, count(*), min(unit), max(unit) FROM covered_unit"
        " GROUP BY ALL ORDER BY width_s",
    )
    start = 1777935600 // 3600
    assert found == [
        ("openai||", "usage", 3600, 3600, 25, start, start + 24),
        ("openai||", "usage", 3600, 86400, 1, 1777939200 // 86400, 1777939200 // 86400),
    ]


def test_buckets_of_a_minute_prove_an_hour_together():
    minutes = {"start_time": "2026-05-05T03:00:00Z", "end_time": "2026-05-05T03:01:00Z", "every": 60}
    sql = "SELECT width_s, count(*) FROM covered_unit GROUP BY ALL ORDER BY ALL"
    assert rows([minutes | {"repeat": 60}], sql) == [(3600, 1)]
    assert rows([minutes | {"repeat": 59}], sql) == []


def test_costs_prove_nothing_about_use():
    found = rows([{}], "SELECT kind, width_s, count(*) FROM covered_unit GROUP BY ALL", base="openai_costs_page")
    assert found == [("costs", 86400, 1)]


def test_units_add_up_buckets_and_models_of_an_hour():
    minute = {"start_time": "2026-05-05T03:00:00Z", "end_time": "2026-05-05T03:01:00Z", "num_model_requests": 4}
    found = rows(
        [minute | {"repeat": 2, "every": 60}, minute | {"model": "o3-pro", "num_model_requests": 5}],
        "SELECT subject, unit_s, unit, requests, tokens, unit_start, unit_end FROM key_unit",
    )
    ((subject, unit_s, unit, requests, tokens, start, end),) = found
    assert (subject, unit_s, unit, requests, tokens) == (KEY, 3600, 1777950000 // 3600, 13, 3 * 1400)
    assert (start.isoformat(), end.isoformat()) == ("2026-05-05T03:00:00", "2026-05-05T03:02:00")


def test_units_without_requests_stay_unknown():
    found = rows([{}], "SELECT requests, tokens FROM key_unit", base="anthropic_usage_page")
    assert found == [(None, 1400)]


@pytest.mark.parametrize(
    ("stated", "made"),
    [("2026-01-10T00:00:00Z", "2026-05-01T00:00:00Z"), ("2026-05-02T00:00:00Z", "2026-05-02T00:00:00Z")],
)
def test_a_key_was_made_at_the_later_of_log_and_inventory(stated, made):
    log = {"base": "openai_audit", "type": "api_key.created", "effective_at": "2026-05-01T00:00:00Z"}
    events = [{}, {"base": "key_inventory", "created_at": stated}, log | {"api_key.created": {"id": "key_HeronEx1"}}]
    sql = "SELECT subject, strftime(epoch_ms(made_epoch * 1000), '%Y-%m-%dT%H:%M:%SZ') FROM key_made"
    assert rows(events, sql) == [(KEY, made)]


def test_the_first_call_of_each_principal_whatever_came_of_it():
    found = rows(
        [
            {"eventTime": "2026-05-05T04:00:00Z"},
            {"eventTime": "2026-05-05T03:00:00Z", "errorCode": "AccessDenied"},
            {"base": "assumed_role", "eventTime": "2026-05-06T03:00:00Z"},
            {"base": "aws_service", "eventTime": "2026-05-01T03:00:00Z"},
        ],
        "SELECT principal, event_name_base, strftime(first_time, '%d %H'), calls FROM first_seen ORDER BY principal",
        base="iam_user",
    )
    assert found == [
        ("arn:aws:iam::111122223333:role/orchard-deploy", "DescribeInstances", "06 03", 1),
        ("arn:aws:iam::111122223333:user/wren", "DescribeInstances", "05 03", 2),
    ]


# Hours with 4, 0, 1, 1 and 10 requests from 2026-05-05T00:00Z on, then one with 500.
CUT = datetime.fromisoformat("2026-05-05T05:00:00")
HOURS = [
    {
        "start_time": f"2026-05-05T0{hour}:00:00Z",
        "num_model_requests": requests,
        "input_tokens": 0,
        "output_tokens": requests,
    }
    for hour, requests in enumerate((4, 0, 1, 1, 10, 500))
]
LEVELS = """
SELECT samples, median_2, mad_4, spread_4 FROM usual_level
WHERE series = 'usage' AND measure = 'requests' AND season = 3
"""


def test_the_level_of_five_hours():
    # 0 1 1 4 10: median 1, deviations 0 0 1 3 9, their median 1; a score divides by four times that.
    assert rows(HOURS, LEVELS, baseline_until=CUT) == [(5, 2, 4, 4)]


def test_the_level_of_an_even_number_lies_between_both_in_the_middle():
    # 0 1 1 4: median 1, deviations 0 0 1 3, their median 1/2; the spread is one at least.
    assert rows(HOURS, LEVELS, baseline_until=CUT.replace(hour=4)) == [(4, 2, 2, 4)]


def test_a_spread_is_at_least_a_tenth_of_the_median():
    hours = {"start_time": "2026-05-05T00:00:00Z", "repeat": 5, "every": 3600, "num_model_requests": 1000}
    assert rows([hours], LEVELS, baseline_until=CUT) == [(5, 2000, 0, 400)]


def test_proven_hours_without_use_are_zeros_from_the_first_use_on():
    another = {"start_time": "2026-05-05T00:00:00Z", "repeat": 4, "every": 3600, "api_key_id": "key_Another1"}
    events = [another, {"start_time": "2026-05-05T01:00:00Z", "num_model_requests": 7}]
    sql = f"SELECT amount, units FROM baseline_amount WHERE subject = '{KEY}' AND measure = 'requests' AND season = 3 ORDER BY 1"
    assert rows(events, sql, baseline_until=CUT) == [(0, 2), (7, 1)]


def test_without_the_end_of_a_baseline_nothing_is_usual():
    assert rows(HOURS, "SELECT * FROM usual_level") == []


def test_each_run_has_the_level_of_its_own_baseline():
    connection = filled(HOURS, "openai_usage_page")
    engine = DuckDBEngine(connection)
    sql = LEVELS + " AND $baseline_until IS NOT NULL"

    def level(until, **more):
        return engine.run(sql, {"baseline_until": until, **more}).rows

    assert level(CUT) == ((5, 2, 4, 4),)
    assert level(CUT.replace(hour=4)) == ((4, 2, 2, 4),)
    assert level(CUT) == ((5, 2, 4, 4),)
    assert engine.run(LEVELS, {}).rows == ()  # what an earlier run was told does not last
    assert level(CUT, baseline_window_days=0) == ()
    connection.close()


SEASONS = """
SELECT season, samples, better_samples, baseline_units, median_2 FROM amount_level
WHERE series = 'usage' AND measure = 'requests' AND unit_start >= TIMESTAMP '2026-05-19'
"""


@pytest.mark.parametrize(
    ("least", "season", "samples", "median_2"),
    [(1, 1, 2, 60), (2, 1, 2, 60), (3, 2, 14, 2), (14, 2, 14, 2), (15, 3, 15, 2), (16, 4, 10**18, 0)],
)
def test_an_amount_is_compared_in_the_season_most_like_it_that_has_enough_samples(least, season, samples, median_2):
    # At three o'clock of fourteen days one request, on Tuesdays thirty; and once one at four.
    days = [f"2026-05-{day:02d}T03:00:00Z" for day in range(5, 19)]
    hour = {"num_model_requests": 1}
    events = [{**hour, "start_time": day, "num_model_requests": 30 if day[8:10] in {"05", "12"} else 1} for day in days]
    events += [{**hour, "start_time": "2026-05-06T04:00:00Z"}, {**hour, "start_time": "2026-05-19T03:00:00Z"}]
    cut = datetime.fromisoformat("2026-05-19")
    found = rows(events, SEASONS + f" AND samples >= {least} AND better_samples < {least}", baseline_until=cut)
    assert [(row[0], row[1], row[3], row[4]) for row in found] == [(season, samples, 15, median_2)]


def test_costs_of_the_days_before_are_compared_and_earlier_ones_are_not():
    day = {
        "start_time": "2026-05-01T00:00:00Z",
        "end_time": "2026-05-02T00:00:00Z",
        "every": 86400,
        "amount": {"value": 3},
    }
    events = [{**day, "repeat": 4}]
    sql = "SELECT samples, median_2 FROM usual_level WHERE series = 'costs' AND season = 3"
    cut = datetime.fromisoformat("2026-05-05T12:00:00")
    assert rows(events, sql, base="openai_costs_page", baseline_until=cut) == [(4, 60_000)]
    assert rows(events, sql, base="openai_costs_page", baseline_until=cut, baseline_window_days=3) == [(3, 60_000)]


def test_hours_of_the_logs_without_a_call_of_a_model_count():
    call = {
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "InvokeModel",
        "requestParameters": {"modelId": "invented.model"},
    }
    events = [
        {"eventTime": "2026-05-05T00:10:00Z"},
        {**call, "eventTime": "2026-05-05T02:10:00Z", "repeat": 3, "every": 60},
        {**call, "eventTime": "2026-05-05T02:20:00Z", "userIdentity": {"invokedBy": "bedrock.amazonaws.com"}},
        {**call, "eventTime": "2026-05-05T06:00:00Z"},
    ]
    sql = "SELECT measure, amount, units FROM baseline_amount WHERE series = 'bedrock_calls' ORDER BY amount"
    found = rows(events, sql, base="iam_user", baseline_until=CUT)
    assert found == [("invented.model", 0, 2), ("invented.model", 3, 1)]
