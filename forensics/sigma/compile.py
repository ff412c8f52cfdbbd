"""One SELECT for each rule: a detection of its own, or a correlation of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sigma.conditions import SigmaCondition
from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.exceptions import SigmaError

from forensics.model.errors import QueryFault
from forensics.sigma.backend import Converter
from forensics.sigma.load import Rule

MOST_CONDITION_TEXT = 4_000
MOST_RULES = 20
MOST_SECONDS = 100 * 366 * 86_400
_EVENT = (
    "e.event_time, e.actor, e.event_source || ':' || e.event_name AS action, e.resource, e.source_ip, e.credential_id,"
    " e.account_id, e.region, e.outcome, e.event_key, e.evidence"
)
_WINDOW = "(e.event_time IS NULL OR (e.event_time >= $since AND e.event_time < $until))"
_ORDER = "ORDER BY event_time NULLS LAST, finding_key NULLS LAST, event_key NULLS LAST"
_BOUNDS = {SigmaCorrelationConditionOperator.GTE: ">=", SigmaCorrelationConditionOperator.GT: ">"}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule as SQL. `parameters` are all it uses but since and until; `foreign` fields CloudTrail does not have."""

    sql: str
    parameters: Mapping[str, str]
    foreign: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()


def compile_rule(rule: Rule, by_name: Mapping[str, Rule]) -> Compiled:
    """Return the SQL of a rule; `by_name` are the rules that a correlation may name.

    Raises QueryFault with the reason for what cannot be converted.
    """
    if rule.fault:
        raise QueryFault(rule.fault)
    try:
        if rule.correlation is not None:
            return _correlation(rule, rule.correlation, by_name)
        converter = Converter()
        where = _condition(rule, converter)
        sql = (
            f"SELECT coalesce(e.actor, e.source_ip_raw, '') AS finding_key, {_EVENT}\n"
            f"FROM aws_event AS e\nWHERE {_WINDOW}\n  AND {where}\n{_ORDER}"
        )
        return Compiled(sql, converter.parameters, tuple(sorted(converter.foreign)))
    except SigmaError as error:
        raise QueryFault(str(error)[:300]) from error
    except RecursionError as error:
        raise QueryFault("is nested too deep") from error
    except QueryFault:
        raise
    except Exception as error:  # the library meets types it does not expect; one rule must not stop the others
        raise QueryFault(f"could not be converted ({type(error).__name__})") from error


def _condition(rule: Rule, converter: Converter) -> str:
    if rule.detection is None:
        raise QueryFault(f"{rule.title[:80]!r} is no detection")
    written = rule.detection.detection.condition
    if not written or any(not isinstance(c, str) or len(c) > MOST_CONDITION_TEXT for c in written):  # type: ignore[redundant-expr]
        raise QueryFault("its condition is no text, or too long")
    parsed: Sequence[SigmaCondition] = rule.detection.detection.parsed_condition
    return "(" + " OR ".join(converter.condition(one.parsed) for one in parsed) + ")"


def _correlation(rule: Rule, correlation: SigmaCorrelationRule, by_name: Mapping[str, Rule]) -> Compiled:
    named = [str(r.reference) for r in correlation.rules or ()]
    if not named or len(named) > MOST_RULES:
        raise QueryFault(f"correlates {len(named)} rules; 1 to {MOST_RULES} are possible")
    if not 0 < correlation.timespan.seconds <= MOST_SECONDS:
        raise QueryFault("its timespan is longer than a hundred years")
    span = f"INTERVAL {int(correlation.timespan.seconds)} SECOND"
    parameters: dict[str, str] = {}
    foreign: set[str] = set()
    parts, uses = [], []
    for number, name in enumerate(named):
        base = by_name.get(name) or by_name.get(name.lower())
        if base is None:
            raise QueryFault(f"refers to the rule {name[:80]!r}, which is not in the folder")
        if base.correlation is not None:
            raise QueryFault(f"refers to the correlation {name[:80]!r}; correlations of correlations are not supported")
        if base.fault or base.other_log:
            raise QueryFault(f"refers to {name[:80]!r}: {base.fault or 'for ' + base.other_log}")
        converter = Converter(prefix=f"p{number}_")
        parts.append(_matches(number, name, base, correlation, converter))
        parameters |= converter.parameters
        foreign |= converter.foreign
        uses.append(base.id)
    matched = "\n  UNION ALL\n".join(parts)
    sql = (
        f"WITH matched AS (\n{matched}),\n{_windows(rule, correlation, len(named), span)},\n"
        "within AS (SELECT *, min(CASE WHEN hit THEN low END) OVER (PARTITION BY finding_key ORDER BY event_time"
        f" RANGE BETWEEN CURRENT ROW AND {span} FOLLOWING) AS earliest FROM judged),\n"
        "chosen AS (SELECT finding_key, event_key, min(rule) AS rule FROM within WHERE earliest <= event_time"
        " GROUP BY finding_key, event_key)\n"
        f"SELECT c.finding_key, {_EVENT}, CAST(c.rule AS BIGINT) AS rule_no\n"
        f"FROM chosen AS c JOIN aws_event AS e ON e.event_key = c.event_key\n{_ORDER}"
    )
    return Compiled(sql, parameters, tuple(sorted(foreign)), tuple(uses))


def _matches(number: int, name: str, base: Rule, correlation: SigmaCorrelationRule, converter: Converter) -> str:
    """Return the matches of one rule, a row for each group and value. An event without one of them has no row."""
    groups = [_aliased(correlation, g, name) for g in correlation.group_by or ()]
    values: list[str] = []
    if correlation.type == SigmaCorrelationType.VALUE_COUNT and isinstance(
        correlation.condition, SigmaCorrelationCondition
    ):
        given = correlation.condition.fieldref
        values = [_aliased(correlation, str(f), name) for f in ([given] if isinstance(given, str) else given or [])]
    joins = "".join(
        f"\n    CROSS JOIN LATERAL (SELECT unnest({converter.field(f).values()}) AS v) AS g{n}"
        for n, f in enumerate([*groups, *values])
    )
    group = ", ".join(f"g{n}.v" for n in range(len(groups)))
    value = ", ".join(f"g{n}.v" for n in range(len(groups), len(groups) + len(values)))
    return (
        f"  SELECT {number} AS rule, e.event_key, e.event_time,"
        f" {f'CAST(to_json([{group}]) AS VARCHAR)' if group else chr(39) * 2} AS finding_key,"
        f" {f'CAST(to_json([{value}]) AS VARCHAR)' if value else 'NULL'} AS value\n"
        f"    FROM aws_event AS e{joins}\n    WHERE {_WINDOW} AND e.event_time IS NOT NULL\n"
        f"      AND {_condition(base, converter)}"
    )


def _aliased(correlation: SigmaCorrelationRule, name: str, rule: str) -> str:
    alias = correlation.aliases.aliases.get(name)
    if alias is None:
        return name
    for reference, own in alias.mapping.items():
        if str(reference.reference) == rule:
            return str(own)
    raise QueryFault(f"the alias {name[:80]!r} names no field for {rule[:80]!r}")


def _windows(rule: Rule, correlation: SigmaCorrelationRule, rules: int, span: str) -> str:
    """Return CTE `judged`: matches with `hit` (a window that ends here fits) and `low` (where it begins)."""
    kind, condition = correlation.type, correlation.condition
    over = f"OVER (PARTITION BY finding_key ORDER BY event_time RANGE BETWEEN {span} PRECEDING AND CURRENT ROW)"
    counted = {
        SigmaCorrelationType.EVENT_COUNT: "event_key",
        SigmaCorrelationType.VALUE_COUNT: "value",
        SigmaCorrelationType.TEMPORAL: "rule",
    }
    if kind == SigmaCorrelationType.TEMPORAL_ORDERED:
        if rule.stated_condition:
            raise QueryFault("an ordered correlation with a condition of its own is not supported")
        return _ordered(rules, span)
    if kind not in counted:
        raise QueryFault(f"correlates by {kind.name.lower()}, which is not supported")
    bound = f">= {rules}"
    if kind != SigmaCorrelationType.TEMPORAL or rule.stated_condition:
        if not isinstance(condition, SigmaCorrelationCondition):
            raise QueryFault("has a condition in words, which is not supported")
        if condition.op not in _BOUNDS or not isinstance(condition.count, int):
            raise QueryFault("its condition is no lower bound (gt or gte a whole number); no other is supported")
        if abs(condition.count) >= 2**62:
            raise QueryFault("its condition counts beyond any log")
        bound = f"{_BOUNDS[condition.op]} {int(condition.count)}"
    return (
        f"judged AS (SELECT *, count(DISTINCT {counted[kind]}) {over} {bound} AS hit,"
        f" event_time - {span} AS low FROM matched)"
    )


def _ordered(rules: int, span: str) -> str:
    """Each match of rule n carries the latest start of a chain of the rules before it, in order of time."""
    before = "OVER (PARTITION BY finding_key ORDER BY event_time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    steps = ["chain0 AS (SELECT *, CASE WHEN rule = 0 THEN event_time END AS start FROM matched)"]
    steps += [
        f"chain{n} AS (SELECT * EXCLUDE (start), CASE WHEN rule = {n} THEN max(start) {before} END AS start"
        f" FROM chain{n - 1})"
        for n in range(1, rules)
    ]
    last = f"chain{rules - 1}"
    return ",\n".join(
        [
            *steps,
            (
                f"judged AS (SELECT * EXCLUDE (start), coalesce(event_time - start <= {span}, FALSE) AS hit, start AS low"
                f" FROM {last})"
            ),
        ]
    )
