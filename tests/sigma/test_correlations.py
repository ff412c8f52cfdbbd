"""Correlations: counts, values, together and in order, by group, across files."""

from __future__ import annotations

import pytest

from tests.building import event
from tests.sigma.rules import correlation, filled, numbers, of, ran, rule


def at(number: int, name: str, user: str, **more):
    arn = f"arn:aws:iam::111122223333:user/{user}"
    return event(number, eventName=name, userIdentity={"type": "IAMUser", "arn": arn}, **more)


EVENTS = [
    *(at(n, "List", "ada", requestParameters={"b": f"x{n % 2}"}) for n in (0, 60, 120)),
    *(at(n, "List", "bob", requestParameters={"b": f"y{n}"}) for n in (30, 90)),
    at(600, "List", "bob", requestParameters={"b": "y600"}),
    at(700, "First", "ada"),
    at(710, "Second", "ada"),
    at(720, "Third", "ada"),
    at(730, "Third", "bob"),
    at(740, "Second", "bob"),
    at(750, "First", "bob"),
    at(1000, "First", "cy"),
    at(1010, "Second", "dee"),
    at(1020, "Third", "cy"),
]
LIST = rule({"eventName": "List"}, name="list")
STEPS = [rule({"eventName": n.title()}, name=n) for n in ("first", "second", "third")]
ARN = "userIdentity.arn"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("correlations"), EVENTS)


def matched(case, tmp_path, kind, rules, *files, **more):
    outcome = of(ran(case, tmp_path, correlation(kind, rules, **more), *files), "together")
    assert str(outcome.state) in {"hit", "none_seen"}, outcome.reason
    return numbers(outcome)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"condition": {"gte": 3}, "group_by": [ARN]}, [0, 60, 120]),
        ({"condition": {"gt": 3}, "group_by": [ARN]}, []),
        ({"condition": {"gte": 5}}, [0, 30, 60, 90, 120]),
        ({"condition": {"gte": 6}}, []),
        ({"condition": {"gte": 3}, "group_by": [ARN], "timespan": "119s"}, []),
        ({"condition": {"gte": 3}, "group_by": [ARN], "timespan": "120s"}, [0, 60, 120]),
        ({"condition": {"gte": 3}, "group_by": [ARN], "timespan": "1h"}, [0, 30, 60, 90, 120, 600]),
        ({"condition": {"gte": 1}, "group_by": ["requestParameters.nowhere"]}, []),
    ],
)
def test_event_count(case, tmp_path, more, expected):
    assert matched(case, tmp_path, "event_count", ["list"], LIST, **more) == expected


def test_value_count_counts_values_and_not_events(case, tmp_path):
    condition = {"gte": 2, "field": "requestParameters.b"}
    assert matched(case, tmp_path, "value_count", ["list"], LIST, condition=condition, group_by=[ARN]) == [30, 90]


def test_temporal_needs_all_rules_in_one_group(case, tmp_path):
    names = ["first", "second", "third"]
    assert matched(case, tmp_path, "temporal", names, *STEPS, group_by=[ARN]) == [700, 710, 720, 730, 740, 750]


def test_temporal_ordered_keeps_the_order_and_the_group(case, tmp_path):
    names = ["first", "second", "third"]
    assert matched(case, tmp_path, "temporal_ordered", names, *STEPS, group_by=[ARN]) == [700, 710, 720]
    assert matched(case, tmp_path, "temporal_ordered", names[::-1], *STEPS, group_by=[ARN]) == [730, 740, 750]
    assert matched(case, tmp_path, "temporal_ordered", names, *STEPS, group_by=[ARN], timespan="19s") == []


def test_aliases_give_each_rule_its_own_field(tmp_path):
    case = filled(
        tmp_path,
        [event(0, eventName="Make", requestParameters={"made": "eve"}), event(9, eventName="Use", userAgent="eve")],
    )
    aliases = {"who": {"make": "requestParameters.made", "use": "userAgent"}}
    files = [rule({"eventName": n.title()}, name=n) for n in ("make", "use")]
    assert matched(case, tmp_path, "temporal", ["make", "use"], *files, aliases=aliases, group_by=["who"]) == [0, 9]


def test_rules_that_feed_a_correlation_give_no_finding_unless_it_says_generate(case, tmp_path):
    made = correlation("event_count", ["list"], condition={"gte": 3}, group_by=[ARN])
    quiet = ran(case, tmp_path, made, LIST)
    assert {f.query_id for f in quiet.findings} == {of(quiet, "together").rule.id}
    assert len(of(quiet, "list").event_ids) == 6
    loud = ran(case, tmp_path, made.replace('"type"', '"generate": true, "type"'), LIST)
    assert len({f.query_id for f in loud.findings}) == 2


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (correlation("event_count", ["nowhere"], condition={"gte": 1}), "not in the folder"),
        (correlation("event_count", ["together"], condition={"gte": 1}), "correlations of correlations"),
        (correlation("event_count", ["list"], condition={"lt": 5}), "lower bound"),
        (correlation("value_sum", ["list"], condition={"gte": 5, "field": "a"}), "value_sum"),
        (correlation("temporal", ["list"], condition="list and not list"), "in words"),
        (correlation("event_count", ["list"], timespan="99999999999y", condition={"gte": 1}), "timespan"),
        (correlation("event_count", ["list"], timespan="soon", condition={"gte": 1}), "soon"),
    ],
)
def test_what_is_not_supported_has_a_reason(case, tmp_path, made, reason):
    outcome = of(ran(case, tmp_path, made, LIST), "together")
    assert str(outcome.state) == "not_convertible"
    assert reason in outcome.reason
