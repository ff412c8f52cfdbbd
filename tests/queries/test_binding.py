from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from forensics.model.errors import UsageFault
from forensics.model.query import Parameter, Query
from forensics.queries.binding import bind, default_of, parameter_names, parse_overrides, parse_value
from forensics.queries.queryfile import load
from tests.queries import pack

SINCE, UNTIL = datetime.fromisoformat("2026-05-01"), datetime.fromisoformat("2026-05-08")


@pytest.fixture
def query(tmp_path: Path) -> Query:
    return load(pack.write(tmp_path), root=tmp_path / "queries")


def test_bound_are_exactly_the_parameters_in_use(query: Query) -> None:
    assert bind(query, since=SINCE, until=UNTIL) == {"verb": "StopLogging", "since": SINCE, "until": UNTIL}
    older = replace(query, sql=query.sql.replace("< $until", "< $baseline_until"))
    before = datetime.fromisoformat("2026-04-20")
    assert bind(older, since=SINCE, until=UNTIL, baseline_until=before)["baseline_until"] == before
    assert "until" not in bind(older, since=SINCE, until=UNTIL)


def test_without_t0_the_baseline_ends_where_the_window_begins(query: Query) -> None:
    older = replace(query, sql=query.sql + " -- $baseline_until is text here\n")
    assert "baseline_until" not in bind(older, since=SINCE, until=UNTIL)
    older = replace(query, sql=query.sql.replace("$verb", "$baseline_until"))
    assert bind(older, since=SINCE, until=UNTIL)["baseline_until"] == SINCE


def test_overrides_replace_defaults_and_unknown_ones_are_refused(query: Query) -> None:
    assert bind(query, since=SINCE, until=UNTIL, overrides={"verb": "DeleteTrail"})["verb"] == "DeleteTrail"
    with pytest.raises(UsageFault, match="has no parameter noun"):
        bind(query, since=SINCE, until=UNTIL, overrides={"noun": "x"})


def test_an_empty_window_and_a_zoned_bound_are_refused(query: Query) -> None:
    with pytest.raises(UsageFault, match="the window is empty"):
        bind(query, since=SINCE, until=SINCE)
    with pytest.raises(UsageFault, match="time zone"):
        bind(query, since=SINCE.replace(tzinfo=UTC), until=UNTIL)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", " as it is ", " as it is "),
        ("integer", " 12 ", 12),
        ("integer", "-3", -3),
        ("decimal", "2.50", Decimal("2.50")),
        ("timestamp", "2026-05-05T02:11:00Z", datetime.fromisoformat("2026-05-05T02:11:00")),
        ("timestamp", "2026-05-05T02:11:00+02:00", datetime.fromisoformat("2026-05-05T00:11:00")),
        ("timestamp", "2026-05-05", datetime.fromisoformat("2026-05-05")),
    ],
)
def test_values_of_users_take_the_type(kind: str, text: str, value: object) -> None:
    assert parse_value(Parameter("p", kind, "doc", None), text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "1.5"),
        ("integer", "1e3"),
        ("integer", "9" * 19),
        ("integer", ""),
        ("decimal", "NaN"),
        ("decimal", "1,5"),
        ("timestamp", "yesterday"),
        ("timestamp", "2026-13-01"),
    ],
)
def test_values_of_another_type_are_refused_with_an_example(kind: str, text: str) -> None:
    with pytest.raises(UsageFault, match=f"parameter p must be a {kind}") as caught:
        parse_value(Parameter("p", kind, "doc", None), text)
    assert "p=" in caught.value.hint


def test_overrides_reach_the_queries_that_declare_the_name(query: Query) -> None:
    other = replace(query, id="aws.other")
    assert parse_overrides([query, other], ["verb=A"]) == {
        "aws.trail_stopped": {"verb": "A"},
        "aws.other": {"verb": "A"},
    }
    assert parse_overrides([query, other], ["verb=A", "aws.other.verb=B=C"])["aws.other"] == {"verb": "B=C"}


@pytest.mark.parametrize(
    ("text", "says"),
    [("verb", "is not name=value"), ("noun=1", "declared are: verb"), ("since=1", "use --since")],
)
def test_overrides_that_reach_nothing_are_refused(query: Query, text: str, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        parse_overrides([query], [text])
    assert says in str(caught.value)


def test_parameter_names_are_not_looked_for_in_text_or_comments() -> None:
    sql = """SELECT '$.a', "$b", 'it''s $c' /* $d */ FROM t -- $e\nWHERE x = $f AND y=$g"""
    assert parameter_names(sql) == {"f", "g"}


@pytest.mark.parametrize(
    ("kind", "value", "bound"),
    [
        ("integer", 3, 3),
        ("text", "x", "x"),
        ("decimal", "0.10", Decimal("0.10")),
        ("timestamp", date(2026, 5, 5), datetime.fromisoformat("2026-05-05")),
        (
            "timestamp",
            datetime.fromisoformat("2026-05-05T02:00:00+02:00"),
            datetime.fromisoformat("2026-05-05"),
        ),
    ],
)
def test_defaults(kind: str, value: object, bound: object) -> None:
    assert default_of(kind, value) == bound


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", True), ("integer", 2.0), ("integer", 2**63), ("decimal", 0.1), ("text", 1), ("list", [])],
)
def test_defaults_of_another_type_are_refused(kind: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"unknown type|default"):
        default_of(kind, value)
