"""From pySigma's tree of conditions to one SQL condition with bound values.

Meaning of values and modifiers: https://sigmahq.io/sigma-specification/specification/sigma-appendix-modifiers.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from forensics.model.address import network_bounds
from forensics.model.errors import QueryFault
from forensics.sigma.fields import Field, everything
from forensics.sigma.fields import field as record_field

MOST_CONDITIONS = 2_000
_NUMBER = "TRY_CAST({0} AS DECIMAL(38, 10))"
_OPERATORS = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
    CompareOperators.NEQ: "<>",
}


def like_pattern(parts: list[Any]) -> str:
    r"""Return the parts of a Sigma string as a LIKE pattern with escape character \.

    What a rule writes plainly stays plain, also %, _ and \. Raises QueryFault for a placeholder.
    """
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_"))
        elif isinstance(part, SpecialChars):
            out.append("%" if part == SpecialChars.WILDCARD_MULTI else "_")
        elif isinstance(part, Placeholder):
            raise QueryFault(f"needs values for the placeholder {part.name[:80]!r}")
        else:
            raise QueryFault("holds a value of unknown kind")
    return "".join(out)


@dataclass(slots=True)
class Converter:
    """Turns one rule's condition into SQL; collects its parameters and the fields CloudTrail does not have."""

    prefix: str = "p"
    parameters: dict[str, str] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    _count: int = 0

    def bind(self, value: str) -> str:
        """Keep a value and return its parameter; the same value has one parameter."""
        for name, known in self.parameters.items():
            if known == value:
                return f"${name}"
        name = f"{self.prefix}{len(self.parameters)}"
        if "\0" in value:
            raise QueryFault("a value holds a NUL character")
        self.parameters[name] = value
        return f"${name}"

    def field(self, name: str) -> Field:
        """Return a field of the record. Raises QueryFault for what is no name of a field."""
        found = record_field(name, self.bind)
        if found.foreign:
            self.foreign.add(found.foreign)
        return found

    def condition(self, node: Any) -> str:
        """Return the SQL of a parsed condition. Raises QueryFault for what cannot be converted."""
        self._count += 1
        if self._count > MOST_CONDITIONS:
            raise QueryFault(f"has more than {MOST_CONDITIONS} conditions")
        if isinstance(node, ConditionAND | ConditionOR):
            word = " AND " if isinstance(node, ConditionAND) else " OR "
            return "(" + word.join(self.condition(part) for part in node.args) + ")"
        if isinstance(node, ConditionNOT):
            if not node.args:
                raise QueryFault("negates nothing")
            return f"(NOT {self.condition(node.args[0])})"
        if isinstance(node, ConditionFieldEqualsValueExpression):
            return self._value(node.field, self.field(node.field), node.value)
        if isinstance(node, ConditionValueExpression):
            return self._keyword(node.value)
        raise QueryFault("has no condition")

    def _keyword(self, value: Any) -> str:
        if isinstance(value, SigmaNumber):
            value = SigmaString(str(value))
        if isinstance(value, SigmaRegularExpression):
            return self._value("", everything(), value)
        if not isinstance(value, SigmaString):
            raise QueryFault("looks for something without a field that is no text")
        inside = type(value)()
        inside.s = [SpecialChars.WILDCARD_MULTI, *value.s, SpecialChars.WILDCARD_MULTI]
        return self._value("", everything(), inside)

    def _value(self, name: str, target: Field, value: Any) -> str:
        if isinstance(value, SigmaNull):
            return target.absent()
        if isinstance(value, SigmaExists):
            return f"(NOT {target.absent()})" if value.exists else target.absent()
        if isinstance(value, SigmaExpansion):
            return "(" + " OR ".join(self._value(name, target, v) for v in value.values) + ")"
        if isinstance(value, SigmaCIDRExpression):
            return self._network(name, value)
        return target.any(self._test(value))

    def _test(self, value: Any) -> Callable[[str], str]:
        """Return what makes a condition of one value's SQL."""
        if isinstance(value, SigmaTimestampPart):
            raise QueryFault("compares a part of a time, which is not supported")
        if isinstance(value, SigmaString):
            return self._text(value)
        if isinstance(value, SigmaBool):
            wanted = self.bind("true" if value.boolean else "false")
            return lambda v: f"lower({v}) = {wanted}"
        if isinstance(value, SigmaNumber):
            number = self.bind(str(value.number))
            return lambda v: f"({v} = {number} OR {_NUMBER.format(v)} = {_NUMBER.format(number)})"
        if isinstance(value, SigmaCompareExpression):
            limit, sign = self.bind(str(value.number.number)), _OPERATORS[value.op]
            return lambda v: f"{_NUMBER.format(v)} {sign} {_NUMBER.format(limit)}"
        if isinstance(value, SigmaRegularExpression):
            if value.contains_placeholder():
                raise QueryFault("needs values for a placeholder")
            flags = "".join(sorted(value.sigma_to_re_flag[f] for f in value.flags))
            pattern = self.bind((f"(?{flags})" if flags else "") + value.regexp.original)
            return lambda v: f"regexp_matches({v}, {pattern})"
        if isinstance(value, SigmaFieldReference):
            return self._reference(value)
        raise QueryFault(f"uses {type(value).__name__}, which is not supported")

    def _text(self, value: SigmaString) -> Callable[[str], str]:
        parts = [p for p in value.s if p != ""]
        like_pattern(parts)
        if parts and all(p == SpecialChars.WILDCARD_MULTI for p in parts):
            return lambda v: f"{v} NOT IN ('', '{{}}', '[]')"
        cased = isinstance(value, SigmaCasedString)

        def fold(sql: str) -> str:
            return sql if cased else f"lower({sql})"

        wild = [i for i, p in enumerate(parts) if not isinstance(p, str)]
        many = SpecialChars.WILDCARD_MULTI
        if not wild:
            same = self.bind("".join(p for p in parts if isinstance(p, str)))
            return lambda v: f"{fold(v)} = {fold(same)}"
        if len(parts) == 3 and parts[0] == many == parts[2] and isinstance(parts[1], str):
            inner = self.bind(parts[1])
            return lambda v: f"contains({fold(v)}, {fold(inner)})"
        if len(parts) == 2 and parts[1] == many and isinstance(parts[0], str):
            start = self.bind(parts[0])
            return lambda v: f"starts_with({fold(v)}, {fold(start)})"
        if len(parts) == 2 and parts[0] == many and isinstance(parts[1], str):
            end = self.bind(parts[1])
            return lambda v: f"ends_with({fold(v)}, {fold(end)})"
        pattern = self.bind(like_pattern(parts))
        return lambda v: f"like_escape({fold(v)}, {fold(pattern)}, '\\')"

    def _reference(self, value: SigmaFieldReference) -> Callable[[str], str]:
        other = self.field(value.field).values()
        one = "lower({0}) = lower(w)"
        if value.starts_with and value.ends_with:
            one = "contains(lower({0}), lower(w))"
        elif value.starts_with:
            one = "starts_with(lower({0}), lower(w))"
        elif value.ends_with:
            one = "ends_with(lower({0}), lower(w))"
        return lambda v: f"len(list_filter({other}, lambda w: coalesce({one.format(v)}, FALSE))) > 0"

    def _network(self, name: str, value: SigmaCIDRExpression) -> str:
        if name != "sourceIPAddress":
            raise QueryFault(f"compares {name[:80]} with a range of addresses; only sourceIPAddress can be")
        low, high = (self.bind(key) for key in network_bounds(str(value.network)))
        return f"coalesce(e.source_ip_key BETWEEN {low} AND {high}, FALSE)"
