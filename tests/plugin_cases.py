"""Collects the cases beside the query files: each runs its events through the real reader and the query.

See docs of the format in `CaseFile`; events are made in `tests.case_events`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from forensics.model.case import GUARD
from forensics.model.errors import ForensicsError
from forensics.model.outcome import CanonicalRows
from forensics.model.query import Query, QueryKind
from forensics.queries.binding import bind, default_of
from forensics.queries.catalogue import portability_faults
from forensics.queries.queryfile import EmptyStore, load
from forensics.queries.sound import known_sound
from tests.case_places import ADDRESS_FILES

Case = dict[str, Any]
SUFFIX = ".cases.toml"
KINDS = ("must_match", "must_not_match")
#: As "events before the window", but none of them is known from a baseline either.
BETWEEN = "events between baseline and window"
SINCE, UNTIL = datetime.fromisoformat("2026-05-01"), datetime.fromisoformat("2026-06-01")
_TOP = frozenset({"base", *KINDS})
_CASE = frozenset(
    {
        "name",
        "base",
        "events",
        "since",
        "until",
        "t0",
        "params",
        "known",
        "own_accounts",
        "own_egress",
        "wrapping",
        "prices",
        "expect",
    }
    | {"expect_count", *ADDRESS_FILES}
)
#: One event of another log format, for queries that must not care.
_OTHERS = {
    "aws_cloudtrail": "iam_user",
    "openai_audit": "openai_audit",
    "anthropic_activity": "anthropic_activity",
}
_TIMES = (
    ("aws_event", "event_time"),
    ("ai_audit_event", "event_time"),
    ("ai_request", "event_time"),
    ("ai_usage", "bucket_start"),
    ("ai_cost", "period_start"),
)


class CaseError(Exception):
    """A case file that cannot be used, or a case that does not hold."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect `<name>.cases.toml`."""
    return CaseFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


@cache
def _empty_store() -> EmptyStore:
    from forensics.store.schema import statements

    return EmptyStore(statements())


@cache
def _sound() -> frozenset[str]:
    """What need not be judged again here: a test of the catalogue judges every file of the pack, and holds this list."""
    return known_sound(_empty_store())


class CaseFile(pytest.File):
    """`base` names the base event; `[[must_match]]` and `[[must_not_match]]` are cases.

    `places`, `tor` and `hosting` of a case make files about addresses (`tests.case_places`). A case has `name` and `events` (patches; `repeat`, `every`, `base`, `owner`, `organisation` and
    `received_at` steer one), and may have `since`, `until`, `t0`, `params`, `known`, `own_accounts`,
    `own_egress`, `wrapping`, `prices` (a price table as CSV), `expect` and `expect_count`. For a query of exposure what
    is held to be the intruder's is worked out from `known`, as exposure does.
    """

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the cases, the generic cases of a detection, and the check of its SQL subset."""
        sql = self.path.with_name(self.path.name.removesuffix(SUFFIX) + ".sql")
        root = next((p for p in self.path.parents if p.name == "queries"), self.path.parent)
        try:
            query, content = read_cases(self.path)
        except (CaseError, ForensicsError, tomllib.TOMLDecodeError) as error:
            raise self.CollectError(f"{self.path.name}: {error}") from error
        # Cases of one file share what is read: what shuffles the tests of modules shall not mix them with those of others.
        together = ModuleType(self.nodeid)
        yield PortableItem.from_parent(self, name="portable", sql=sql, root=root, module=together)
        cases = list(cases_of(query, content))
        beside = [case for _, _, case in cases]
        for name, kind, case in cases:
            yield CaseItem.from_parent(
                self, name=name, query=query, kind=kind, case=case, beside=beside, module=together
            )


def _check_file(content: dict[str, Any]) -> None:
    unknown = sorted(content.keys() - _TOP)
    if unknown:
        raise CaseError(f"unknown keys {unknown}")
    for kind in KINDS:
        cases = content.get(kind)
        if not isinstance(cases, list) or not cases:
            raise CaseError(f"there must be at least one [[{kind}]]")
        names = [case.get("name") for case in cases]
        if not all(names) or len(set(names)) < len(names):
            raise CaseError(f"every [[{kind}]] needs a name of its own")
        for case in cases:
            unknown = sorted(case.keys() - _CASE)
            if unknown:
                raise CaseError(f"case {case['name']!r}: unknown keys {unknown}")
            if not isinstance(case.get("events"), list) or (kind == "must_match" and not case["events"]):
                raise CaseError(f"case {case['name']!r} needs a list of events")
            if kind == "must_not_match" and case.keys() & {"expect", "expect_count"}:
                raise CaseError(f"case {case['name']!r} expects rows and forbids them")


class PortableItem(pytest.Item):
    """The query keeps to the portable subset, or says why not."""

    def __init__(self, *, sql: Path, root: Path, module: ModuleType, **rest: Any) -> None:
        super().__init__(**rest)
        self._sql, self._root, self.module = sql, root, module

    def runtest(self) -> None:
        """Lint the file."""
        faults = portability_faults(self._sql, self._root)
        if faults:
            raise CaseError("\n".join(faults))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the faults only."""
        return str(excinfo.value) if isinstance(excinfo.value, CaseError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the item by its file."""
        return self.path, 0, self.name


class CaseItem(pytest.Item):
    """One case: events in, rows out."""

    def __init__(
        self, *, query: Query, kind: str, case: Case, beside: Sequence[Case], module: ModuleType, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._query, self._kind, self._case, self._beside, self.module = query, kind, case, beside, module

    def runtest(self) -> None:
        """Run the case and judge its rows."""
        judge(self._query, self._kind, self._case, self._beside)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what was expected and what came, without a traceback through the plugin."""
        if isinstance(excinfo.value, CaseError | ForensicsError):
            return f"{self._query.id}, {self.name}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Name the item by its file."""
        return self.path, 0, self.name


def judge(query: Query, kind: str, case: Case, beside: Sequence[Case] = ()) -> None:
    """Run a case and judge its rows. `beside`: the cases of its file, which are read with it.

    Raises CaseError when it does not hold, ForensicsError when it cannot run."""
    if kind == "must_match":
        _judge_matches(run_case(query, case, beside), case)
        return
    case = dict(case)
    if kind == "event of another source":
        case["base"], case["events"] = _other_base(query), [{}]
    elif kind != "must_not_match":
        case["_side"] = kind
    rows = run_case(query, case, beside, keep=kind == "event of another source")
    if rows.rows:
        raise CaseError(f"no row was expected:\n{_shown(rows)}")


def cases_of(query: Query, content: dict[str, Any]) -> Iterator[tuple[str, str, Case]]:
    """Yield (name, kind, case) of a case file, the generic ones of a detection beside the first, whose events they read."""
    first = {"base": content.get("base", ""), **content["must_match"][0]}
    if query.kind == QueryKind.DETECTION:
        for kind in ("event of another source", "events before the window", BETWEEN, "events after the window"):
            yield f"always: {kind}", kind, first
    for kind in KINDS:
        for case in content[kind]:
            yield f"{kind}: {case['name']}", kind, {"base": content.get("base", ""), **case}


def read_cases(path: Path) -> tuple[Query, dict[str, Any]]:
    """Return the query and the content of a case file. Raises CaseError, ForensicsError or TOMLDecodeError."""
    root = next((p for p in path.parents if p.name == "queries"), path.parent)
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    _check_file(content)
    sql = path.with_name(path.name.removesuffix(SUFFIX) + ".sql")
    return load(sql, root=root, store=_empty_store(), sound=_sound()), content


def _other_base(query: Query) -> str:
    return next(base for source, base in _OTHERS.items() if source not in query.sources)


def _moment(value: Any, default: datetime | None) -> datetime | None:
    if value is None:
        return default
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


@cache
def _stores() -> Any:
    from tests.case_stores import CaseStores

    return CaseStores()


def run_case(query: Query, case: Case, beside: Sequence[Case] = (), *, keep: bool = False) -> CanonicalRows:
    """Read the events of a case into an empty store and run the query over it. `beside`: the cases of its file."""
    from forensics.store.duckdb_engine import DuckDBEngine
    from tests.case_stores import UnreadableCase, derive, views_computed

    try:
        connection = _stores().holding(case, beside, keep=keep)
    except UnreadableCase as error:
        raise CaseError(str(error)) from error
    if query.kind == QueryKind.EXPOSURE:
        derive(connection, case)
    since, until = _moment(case.get("since"), SINCE), _moment(case.get("until"), UNTIL)
    if "_side" in case:
        earliest, latest = _extent(connection)
        if case["_side"] in {"events before the window", BETWEEN}:
            since, until = latest + timedelta(seconds=1), latest + timedelta(days=1)
        else:
            since, until = earliest - timedelta(days=1), earliest
    t0 = _moment(case.get("t0"), None)
    types = {p.name: p.type for p in query.parameters}
    stated = case.get("params", {})
    if stated.keys() - types.keys():
        raise CaseError(f"the query has no parameters {sorted(stated.keys() - types.keys())}")
    values = {name: default_of(types[name], value) for name, value in stated.items()}
    baseline_until = t0 - GUARD if t0 else None
    if case.get("_side") == BETWEEN:
        baseline_until = earliest - timedelta(days=1)
    bound = bind(query, since=since, until=until, baseline_until=baseline_until, overrides=values)
    with views_computed(connection, query.sql):
        return DuckDBEngine(connection).run(query.sql, bound)


def _extent(connection: Any) -> tuple[datetime, datetime]:
    union = " UNION ALL ".join(f"SELECT {column} AS t FROM {table}" for table, column in _TIMES)
    earliest, latest = connection.execute(f"SELECT min(t), max(t) FROM ({union})").fetchone()
    if earliest is None:
        raise CaseError("no event of the case has a time")
    return earliest, latest


def _judge_matches(rows: CanonicalRows, case: dict[str, Any]) -> None:
    if not rows.rows:
        raise CaseError("a row was expected, none came")
    columns = set(rows.columns)
    found = rows.dicts()
    for expected in case.get("expect", []):
        if expected.keys() - columns:
            raise CaseError(f"the query has no columns {sorted(expected.keys() - columns)}; it has {sorted(columns)}")
        if not any(all(_equal(row[name], value) for name, value in expected.items()) for row in found):
            raise CaseError(f"no row has {expected}:\n{_shown(rows)}")
    count = case.get("expect_count")
    if count is not None and count != len(found):
        raise CaseError(f"{count} rows were expected, {len(found)} came:\n{_shown(rows)}")


def _equal(actual: Any, expected: Any) -> bool:
    if expected == "<null>":
        return actual is None
    if isinstance(actual, datetime):
        return actual == _moment(expected, None)
    if isinstance(actual, Decimal):
        return actual == Decimal(str(expected))
    return type(actual) is type(expected) and bool(actual == expected)


def _shown(rows: CanonicalRows) -> str:
    lines = []
    for row in rows.dicts()[:10]:
        lines.append("  " + ", ".join(f"{name}={value!r}" for name, value in row.items() if value is not None))
    more = [f"  and {len(rows.rows) - 10} more"] if len(rows.rows) > 10 else []
    return "\n".join([*lines, *more])
