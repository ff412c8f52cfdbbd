"""Expected use of a key: what the product, the customer's gateways and applications logged for it.

What is left over counts only in hours that every stated log covers, and only when somebody named declared them complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from forensics.analysis.buckets import Bucket
from forensics.analysis.facts import Facts, Row
from forensics.analysis.keys import Key
from forensics.analysis.policy import Policy
from forensics.analysis.usage import Series
from forensics.model.case import Statement

_COMPLETE = frozenset({"gateway_complete", "product_complete"})
_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Expected:
    """Requests that stated logs explain, by hour, in [low, high) where all of them speak; `by` names who declared them."""

    logged: dict[datetime, int] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    low: datetime | None = None
    high: datetime | None = None
    by: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()

    def speaks_of(self, bucket: Bucket) -> bool:
        """Whether every stated log covers the whole bucket."""
        return self.low is not None and self.high is not None and self.low <= bucket.start and bucket.end <= self.high

    def rest(self, bucket: Bucket) -> int:
        """Return the requests of a bucket that no stated log holds."""
        return bucket.requests - self.logged.get(bucket.start, 0)

    def knows(self, model: str) -> bool:
        """Whether a stated log holds a model, by its name or by a name that contains it or lies in it."""
        return any(known in model or model in known for known in self.models if known)


def expected_use(key: Key, facts: Facts) -> Expected | None:
    """Return the expected use of a key, or None when no log of it was declared complete or one of them is missing."""
    statements = [
        s
        for s in facts.settings.statements
        if s.kind in _COMPLETE and s.key_id == key.key_id and s.provider == key.provider and s.by
    ]
    if not statements:
        return None
    out = Expected(
        by=tuple(sorted({s.by for s in statements})), logs=tuple(sorted({s.gateway or s.kind for s in statements}))
    )
    for statement in statements:
        rows = _rows(key, statement, facts)
        if not rows:
            return None
        for row in rows:
            out.logged[row["hour"]] = out.logged.get(row["hour"], 0) + row["requests"]
            out.models.add(row["model"] or "")
        hours = [r["hour"] for r in rows]
        low, high = statement.since or min(hours), min(statement.until or max(hours) + _HOUR, max(hours) + _HOUR)
        out.low = low if out.low is None else max(out.low, low)
        out.high = high if out.high is None else min(out.high, high)
    return out


def _rows(key: Key, statement: Statement, facts: Facts) -> list[Row]:
    """Return the rows of one stated log, of one owner only: the customer's, else the organisation's, else nobody's."""
    named = [
        r
        for r in facts.gateway_of(key.key_id, statement.key_alias)
        if r["upstream_provider"] in (None, key.provider)
        and (not statement.gateway or r["provider"] == statement.gateway)
    ]
    for owner in (key.customer, facts.settings.organisation, ""):
        rows = [r for r in named if (r["owner"] or "") == owner]
        if rows:
            return rows
    return []


def left_over(series: Series, expected: Expected, since: datetime, policy: Policy) -> list[tuple[Bucket, int]]:
    """Return the hours after `since` that hold more requests than all stated logs together, with how many."""
    return [
        (bucket, expected.rest(bucket))
        for bucket in series.buckets.used_since(since)
        if expected.speaks_of(bucket) and unexplained(bucket, expected, policy)
    ]


def unexplained(bucket: Bucket, expected: Expected, policy: Policy) -> bool:
    """Whether more is left of a bucket than two logs of the same use may differ by."""
    rest = expected.rest(bucket)
    return rest > policy.remainder_requests and rest * 1000 > policy.remainder_share * bucket.requests
