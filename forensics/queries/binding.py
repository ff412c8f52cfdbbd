"""Values for a query's parameters: its defaults, the case's window and what the user states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

from forensics.model.errors import UsageFault
from forensics.model.query import CASE_PARAMETERS, PARAMETER_TYPES, Parameter, Query
from forensics.model.times import parse_time

#: What is bound: text, an integer, a decimal, or naive UTC.
Value = str | int | Decimal | datetime

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?\d{1,16}(\.\d{1,12})?")
_NAME = re.compile(r"\$([a-z_][a-z0-9_]*)")
#: Comments and quoted text, in which `$name` is no parameter.
_OPAQUE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.DOTALL)
_EXAMPLES = {
    "timestamp": "2026-05-05T02:11:00Z",
    "integer": "10",
    "decimal": "2.50",
    "text": "any text",
}


def parameter_names(sql: str) -> frozenset[str]:
    """Return the names used as `$name` in `sql`, outside of comments and quoted text."""
    return frozenset(_NAME.findall(_OPAQUE.sub(" ", sql)))


def default_of(type_name: object, value: object) -> Value:
    """Return a header's default as the value that is bound.

    Times become naive UTC, decimals are written as text ("2.50"). Raises ValueError in words for the author.
    """
    if type_name not in PARAMETER_TYPES:
        raise ValueError(f"unknown type {type_name!r}; one of {', '.join(sorted(PARAMETER_TYPES))}")
    if type_name == "timestamp":
        if isinstance(value, datetime):
            return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        if isinstance(value, date):
            return datetime.combine(value, time())
    elif type_name == "integer":
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
    elif isinstance(value, str):
        if type_name == "text":
            return value
        if _DECIMAL.fullmatch(value):
            return Decimal(value)
    raise ValueError(f"default {value!r} is no {type_name}")


def parse_value(parameter: Parameter, text: str) -> Value:
    """Return the value of `name=text` as a user wrote it, in the parameter's type.

    Raises UsageFault for text that is not of the type.
    """
    if parameter.type == "text":
        return text
    bare = text.strip()
    if parameter.type == "timestamp":
        moment = parse_time(bare)
        if moment is not None:
            return moment
    elif parameter.type == "integer" and _INTEGER.fullmatch(bare):
        return int(bare)
    elif parameter.type == "decimal" and _DECIMAL.fullmatch(bare):
        return Decimal(bare)
    raise UsageFault(
        f"parameter {parameter.name} must be a {parameter.type}, not {text!r}",
        hint=f"write it as {parameter.name}={_EXAMPLES[parameter.type]}",
    )


def parse_overrides(queries: Iterable[Query], stated: Iterable[str]) -> dict[str, dict[str, Value]]:
    """Return query id -> parameter -> value for what the user stated.

    Each statement is `name=value` (every query that declares the name) or `query_id.name=value`. Raises
    UsageFault for another form, for a value of the wrong type, and for a name that no query declares.
    """
    queries = list(queries)
    overrides: dict[str, dict[str, Value]] = {}
    for statement in stated:
        name, equals, text = statement.partition("=")
        name = name.strip()
        if not equals or not name:
            raise UsageFault(f"parameter {statement!r} is not name=value", hint="for example --param threshold=10")
        takers = [
            (query, parameter)
            for query in queries
            for parameter in query.parameters
            if name in (parameter.name, f"{query.id}.{parameter.name}")
        ]
        if not takers:
            if name in CASE_PARAMETERS:
                raise UsageFault(f"{name} belongs to the case", hint="use --since, --until or the case's settings")
            known = sorted({p.name for query in queries for p in query.parameters})
            raise UsageFault(
                f"no selected query has a parameter {name}",
                hint=f"declared are: {', '.join(known) or 'none'}",
            )
        for query, parameter in takers:
            overrides.setdefault(query.id, {})[parameter.name] = parse_value(parameter, text)
    return overrides


def bind(
    query: Query,
    *,
    since: datetime,
    until: datetime,
    baseline_until: datetime | None = None,
    overrides: Mapping[str, Value] | None = None,
) -> dict[str, Value]:
    """Return exactly the values that `query` uses, ready to be bound. Times are naive UTC.

    Without `baseline_until` the baseline ends where the window begins: nothing in the window is its own
    baseline. Raises UsageFault for an empty window and for an override that the query does not declare.
    """
    for moment in (since, until, baseline_until):
        if moment is not None and moment.tzinfo is not None:
            raise UsageFault(
                "a bound of the window carries a time zone", hint="inside the program bounds are naive UTC"
            )
    if since >= until:
        raise UsageFault(
            f"the window is empty: {since.isoformat()}Z is not before {until.isoformat()}Z",
            hint="--since is included, --until is not",
        )
    case = {"since": since, "until": until, "baseline_until": baseline_until or since}
    values: dict[str, Value] = {parameter.name: parameter.default for parameter in query.parameters}
    for name, value in (overrides or {}).items():
        if name not in values:
            raise UsageFault(f"query {query.id} has no parameter {name}")
        values[name] = value
    return values | {name: case[name] for name in parameter_names(query.sql) & CASE_PARAMETERS.keys()}
