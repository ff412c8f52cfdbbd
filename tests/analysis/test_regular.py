"""What an application does every day is no alarm without a baseline; what begins, or happens once, stays one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from forensics.analysis.context import Window, catalogue
from forensics.analysis.hunt import run_hunt
from forensics.ingest.scratch import new_store, read_bytes
from forensics.model.outcome import State
from forensics.model.query import Severity
from forensics.store.duckdb_engine import DuckDBEngine
from tests.building import clock
from tests.case_events import exports

READ = {"eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue"}
CRITICAL, LOW = (State.FINDING, Severity.CRITICAL), (State.NO_BASELINE, Severity.LOW)


def reads(day: int, user: str, hour: int = 3) -> list[dict[str, Any]]:
    """Ten secrets read by one user within an hour of a day of May."""
    identity = {"userIdentity": {"arn": f"arn:aws:iam::111122223333:user/{user}", "userName": user}}
    at = f"2026-05-{day:02d}T{hour:02d}"
    return [
        {**READ, **identity, "eventTime": f"{at}:{n:02d}:00Z", "requestParameters": {"secretId": f"prod/{n}"}}
        for n in range(10)
    ]


@pytest.fixture
def connection() -> Iterator[Any]:
    opened = new_store()
    yield opened
    opened.close()


def judged(
    connection: Any, events: list[dict[str, Any]], baseline_until: datetime | None = None
) -> dict[str, list[Any]]:
    """Return (state, severity) of the bulk reads of each user in the order of days."""
    for export in exports("iam_user", events):
        _, account = read_bytes(connection, export.name, export.data, export.owner)
        assert account["accepted"] == len(events)
    window = Window(datetime(2026, 5, 1), datetime(2026, 6, 1), baseline_until, True, baseline_until is None)
    queries = [catalogue().by_id("aws.secrets_read_in_bulk")]
    found: dict[str, list[Any]] = {}
    result = run_hunt(DuckDBEngine(connection), queries, window, clock)
    for finding in sorted(result.findings, key=lambda f: str(f.first_seen)):
        found.setdefault(str(finding.actor).rpartition("/")[2], []).append((finding.state, finding.severity))
    return found


def test_daily_work_from_the_first_day_on_alarms_nobody_and_is_listed(connection: Any) -> None:
    events = [e for day in range(1, 8) for e in reads(day, "nightly")]
    assert judged(connection, events) == {"nightly": [LOW] * 7}


def test_who_begins_later_or_comes_once_is_found_among_it(connection: Any) -> None:
    events = [e for day in range(1, 8) for e in reads(day, "nightly")]
    events += [e for day in range(3, 8) for e in reads(day, "later", 4)] + reads(1, "once", 5)
    found = judged(connection, events)
    assert found == {"nightly": [LOW] * 7, "later": [CRITICAL] * 5, "once": [CRITICAL]}


@pytest.mark.parametrize(
    "days",
    [
        [1, 2, 3, 4],  # the evidence holds four days only
        [1, 2],  # two of seven
        [1, 2, 3],  # three of seven: less than half
        [2, 3, 4, 5, 6, 7],  # not on the first
    ],
)
def test_what_is_not_regular_keeps_its_severity(connection: Any, days: list[int]) -> None:
    others = [] if days == [1, 2, 3, 4] else [{"eventTime": f"2026-05-{day:02d}T01:00:00Z"} for day in range(1, 8)]
    events = [e for day in days for e in reads(day, "some")]
    assert judged(connection, others + events) == {"some": [CRITICAL] * len(days)}


def test_with_a_baseline_the_query_itself_knows_habits(connection: Any) -> None:
    """Three days of records before the baseline ends: from then on the query decides, and it saw no burst before."""
    before = [{"eventTime": f"2026-04-{day}T01:00:00Z"} for day in (28, 29, 30)]
    events = before + [e for day in range(1, 8) for e in reads(day, "nightly")]
    assert judged(connection, events, datetime(2026, 5, 1)) == {"nightly": [CRITICAL] * 7}


def test_a_query_without_baseline_parameter_is_never_regular(connection: Any) -> None:
    events = [e for day in range(1, 8) for e in reads(day, "nightly")]
    judged(connection, events)
    query = catalogue().by_id("aws.secrets_read_in_bulk")
    plain = replace(query, sql=query.sql.replace("$baseline_until", "$since"))
    window = Window(datetime(2026, 5, 1), datetime(2026, 6, 1), None, True, True)
    result = run_hunt(DuckDBEngine(connection), [plain], window, clock)
    assert {(f.state, f.severity) for f in result.findings} == {CRITICAL}
