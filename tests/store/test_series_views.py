"""The views under the statistics, on numbers that can be checked by hand."""

from __future__ import annotations

import pytest

from forensics.ingest.scratch import read_bytes
from tests.case_events import exports
from tests.stores import new_store

KEY = "openai|||key_HeronEx1"


def rows(events, sql, base="openai_usage_page"):
    connection = new_store()
    try:
        for export in exports(base, events):
            read_bytes(connection, export.name, export.data, export.owner)
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
