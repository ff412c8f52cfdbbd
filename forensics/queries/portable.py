"""The portable subset of SQL: an allow list over the syntax tree, so that other engines give the same rows.

What stands here was chosen because DuckDB (https://duckdb.org/docs/stable/sql/introduction) and Spark SQL
(https://spark.apache.org/docs/latest/sql-ref.html) agree on it, NULLs, ties and types included. A transpiler passes
functions it does not know through unchanged; therefore nothing is allowed that is not named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp, parse
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError

from forensics.queries.header import MARK

_RANKING = frozenset({"RowNumber", "Rank", "DenseRank"})
_SHIFTING = frozenset({"Lag", "Lead"})
_EDGES = frozenset({"FirstValue", "LastValue"})
_AGGREGATES = frozenset({"Count", "Sum", "Min", "Max"})
_FUNCTIONS = _RANKING | _SHIFTING | _EDGES | _AGGREGATES | frozenset(
    """And Or Case If Coalesce Nullif Cast TryCast Exists Greatest Least Abs Lower Upper Trim Length Substring Left Right
    Replace StrPosition StartsWith EndsWith Contains SplitPart TimestampTrunc TimeToStr UnixToTime Extract
    RegexpLike RegexpExtract RegexpReplace JSONExtractScalar""".split()
)  # fmt: skip
#: Functions the parser has no class for.
_NAMED_FUNCTIONS = frozenset({"epoch_ms"})
_NODES = frozenset(
    """Select With CTE From Where Group Having Order Ordered Join Union Except Intersect Subquery Table TableAlias Alias
    Column Identifier Star Literal Boolean Null Parameter Placeholder Paren Not EQ NEQ GT GTE LT LTE Is In Between Like
    ILike NullSafeEQ NullSafeNEQ Escape Add Sub Mul IntDiv Mod Neg DPipe DataType DataTypeParam Window WindowSpec Distinct
    Qualify Filter Values Tuple Limit Var JSONPath JSONPathRoot JSONPathKey JSONPathSubscript Anonymous Interval Div""".split()
)  # fmt: skip
_TYPES = frozenset({"BOOLEAN", "BIGINT", "DECIMAL", "VARCHAR", "TEXT", "DATE", "TIMESTAMP", "TIMESTAMPNTZ"})
_UNITS = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"})
_PARTS = frozenset({"HOUR", "MINUTE", "DAY", "MONTH", "YEAR"})
_FORMAT = re.compile(r"(%[YmdHMS]|[^%])*")
#: What RE2 and Java read differently or not at all: look-around, atomic and named groups, back-references, possessive
#: quantifiers, POSIX classes, class operators, quoting, and Java's or RE2's own escapes.
_FOREIGN_PATTERN = re.compile(
    r"\(\?(?![:ims]+[:)]|:)|\\[1-9kgQEhRXGZzACpP]|[*+?}]\+|\[\[:|&&|\[\^?[^\]\\]*\["
)
#: Why some things a writer is likely to reach for are not there.
_INSTEAD = {
    "Interval": "use whole seconds and event_epoch",
    "Div": "use // on integers; decimals are not divided",
    "Avg": "keep sum and count apart",
    "CurrentTimestamp": "bind $since and $until",
    "Rand": "results must repeat",
    "AnyValue": "use min or max",
    "First": "use min, max or row_number",
    "Concat": "use ||, which treats NULL alike everywhere",
    "GroupConcat": "return rows instead",
    "Array": "return rows, or join a relation",
    "Bracket": "lists and structs are not portable",
    "List": "lists are not portable",
    "ApproxDistinct": "count(DISTINCT ...) is exact",
    "DateDiff": "subtract event_epoch",
    "DayOfWeekIso": "use (event_epoch // 86400 + 4) % 7",
    "DayOfWeek": "use (event_epoch // 86400 + 4) % 7",
}


class _NullsSmall(DuckDB):
    """DuckDB's language, in which an ascending key without NULLS LAST shows as NULLS FIRST."""

    NULL_ORDERING = "nulls_are_small"


class _NullsLarge(DuckDB):
    """DuckDB's language, in which a descending key without NULLS LAST shows as NULLS FIRST."""

    NULL_ORDERING = "nulls_are_large"


@dataclass(frozen=True, slots=True)
class PortabilityFault:
    """Something outside the portable subset, and its line in the file (from 1)."""

    line: int
    message: str


def lint(text: str) -> list[PortabilityFault]:
    """Return what in a query file (or bare SQL) leaves the portable subset, in the order of lines.

    A header with `portable = false` opts out; the loader sees to it that it gives a reason.
    """
    lines = text.splitlines()
    end = 0
    if lines and lines[0].rstrip() == MARK:
        end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == MARK), 0) + 1
        if any(re.fullmatch(r"--\s*portable\s*=\s*false\s*(#.*)?", line) for line in lines[:end]):
            return []
    sql = "\n" * end + "\n".join(lines[end:])
    try:
        trees = [t for t in parse(sql, dialect=_NullsSmall) if t is not None]
        others = [t for t in parse(sql, dialect=_NullsLarge) if t is not None]
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        reason = found[0].get("description") or str(error).splitlines()[0]
        return [PortabilityFault(found[0].get("line") or end + 1, f"no portable SQL: {reason}")]
    faults = [
        f
        for tree, other in zip(trees, others, strict=True)
        for f in _Lint(sql, tree, other, end + 1).faults()
    ]
    return sorted(set(faults), key=lambda f: (f.line, f.message))


def _name(node: exp.Expr) -> str:
    return type(node).__name__


def _is_event_key(node: exp.Expr) -> bool:
    if isinstance(node, exp.Min):
        node = node.this
    return isinstance(node, exp.Column) and (node.name == "event_key" or node.name.endswith("_event_key"))


class _Lint:
    """One walk over one statement. `other` is the same tree, read with the opposite default for NULLs."""

    def __init__(self, sql: str, tree: exp.Expr, other: exp.Expr, first_line: int) -> None:
        self._tree = tree
        for node in tree.find_all(exp.Func):  # messages speak of a function as it is written
            written = sql[node.meta.get("start", 0) : node.meta.get("end", -1) + 1]
            if re.fullmatch(r"\w+", written):
                node.meta["name"] = written
        self._first = first_line
        self._no_nulls_last = {
            id(a)
            for a, b in zip(tree.find_all(exp.Ordered), other.find_all(exp.Ordered), strict=True)
            if a.args.get("nulls_first") or b.args.get("nulls_first")
        }

    def faults(self) -> Iterator[PortabilityFault]:
        for node in self._tree.walk():
            for message in self._judge(node):
                yield PortabilityFault(self._line(node), message)
        order = self._tree.args.get("order")
        if order is None:
            yield PortabilityFault(self._first, "the final ORDER BY is missing")
        else:
            yield from (PortabilityFault(self._line(order), m) for m in self._key_faults(order.expressions))

    def _line(self, node: exp.Expr) -> int:
        """Return the line of a node: its own, its first descendant's, else its nearest ancestor's."""
        current: exp.Expr | None = node
        while current is not None:
            for inner in current.walk(bfs=False):
                if inner.meta.get("line"):
                    return int(inner.meta["line"])
            current = current.parent
        return self._first

    def _judge(self, node: exp.Expr) -> Iterator[str]:
        name = _name(node)
        special = _SPECIAL.get(name)
        if isinstance(node, exp.Anonymous):
            if node.name.lower() not in _NAMED_FUNCTIONS:
                yield f"function {node.name.lower()} is not in the portable subset"
        elif name in _INSTEAD:
            yield f"{_written(node)} is not in the portable subset: {_INSTEAD[name]}"
        elif name not in _FUNCTIONS and (isinstance(node, exp.Func) or name not in _NODES):
            yield f"{_written(node)} is not in the portable subset"
        if special:
            yield from special(node)
        if isinstance(node, exp.Window):
            yield from self._window_faults(node)
        elif name in _RANKING | _SHIFTING | _EDGES and not isinstance(node.parent, exp.Window):
            yield f"{_written(node)} needs OVER with a total order"

    def _key_faults(self, keys: list[exp.Expr]) -> Iterator[str]:
        for key in keys:
            if id(key) in self._no_nulls_last and not _is_event_key(key.this):
                yield f"ORDER BY {key.this.sql('duckdb')} needs NULLS LAST"

    def _window_faults(self, window: exp.Window) -> Iterator[str]:
        if window.args.get("alias") is not None:
            yield "a named window is not in the portable subset: write it out"
            return
        inner = window.this.this if isinstance(window.this, exp.Filter) else window.this
        name, spec, order = _name(inner), window.args.get("spec"), window.args.get("order")
        keys = order.expressions if order is not None else []
        yield from self._key_faults(keys)
        if inner.find(exp.Distinct):
            yield "DISTINCT in a window is not in the portable subset"
        by_rows = spec is not None and spec.args.get("kind") == "ROWS"
        tie_breaks = name in _SHIFTING | _EDGES | {"RowNumber"} or by_rows
        if (tie_breaks or name in _RANKING) and not keys:
            yield f"the window of {_written(inner)} has no order"
        elif tie_breaks and not _is_event_key(keys[-1].this):
            yield f"the window of {_written(inner)} has no total order: its last key must be event_key"
        if name in _RANKING | _SHIFTING:
            if spec is not None:
                yield f"{_written(inner)} takes no frame"
        elif keys and spec is None:
            yield f"the window of {_written(inner)} needs an explicit frame"
        if spec is not None and (spec.args.get("kind") == "GROUPS" or spec.args.get("exclude")):
            yield "frames by GROUPS or with EXCLUDE are not in the portable subset"


def _written(node: exp.Expr) -> str:
    if isinstance(node, exp.Func):
        return str(node.meta.get("name") or node.sql_names()[0]).lower()
    return _name(node).upper()


def _literal(node: exp.Expr | None) -> str | None:
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _cast(node: exp.Expr) -> Iterator[str]:
    kind = node.args["to"]
    name = kind.this.value if isinstance(kind.this, exp.DataType.Type) else str(kind.this)
    if name not in _TYPES or kind.args.get("nested"):
        yield f"a cast to {name} is not in the portable subset: {', '.join(sorted(_TYPES - {'TEXT', 'TIMESTAMPNTZ'}))}"
    elif name == "DECIMAL" and len(kind.expressions) != 2:
        yield "a cast to DECIMAL needs precision and scale"


def _sum(node: exp.Expr) -> Iterator[str]:
    outer = node.parent
    while isinstance(outer, exp.Filter | exp.Window | exp.Coalesce | exp.Paren):
        outer = outer.parent
    if not isinstance(outer, exp.Cast):
        yield "sum must stand in CAST(... AS BIGINT) or CAST(... AS DECIMAL(p, s)): engines widen it differently"


def _multiplication(node: exp.Expr) -> Iterator[str]:
    digits = 0
    for side in (node.this, node.expression):
        kind = side.unnest().args.get("to") if isinstance(side.unnest(), exp.Cast) else None
        if kind is None or kind.this != exp.DataType.Type.DECIMAL or not kind.expressions:
            return
        digits += int(kind.expressions[0].name)
    if digits > 37:
        yield f"the precisions of a product of decimals add to {digits}; at most 37"


def _number(node: exp.Expr) -> Iterator[str]:
    if not node.args.get("is_string") and "e" in str(node.this).lower():
        yield f"{node.this} is a floating number"


def _pattern(node: exp.Expr) -> Iterator[str]:
    pattern = _literal(node.args.get("expression"))
    if pattern is None:
        yield f"the pattern of {_written(node)} must be literal text"
    elif _FOREIGN_PATTERN.search(pattern):
        yield f"the pattern {pattern!r} is not common to RE2 and Java"
    if isinstance(node, exp.RegexpReplace) and _literal(node.args.get("modifiers")) != "g":
        yield "regexp_replace needs the option 'g': the default differs"
    if isinstance(node, exp.RegexpLike) and "line" not in node.meta:
        yield "~ is not in the portable subset: it matches the whole text here; write regexp_matches"
    if isinstance(node, exp.RegexpLike) and node.args.get("flag") is not None:
        yield "options of regexp_matches are not in the portable subset: write (?i) into the pattern"


def _json_path(node: exp.Expr) -> Iterator[str]:
    path = node.args.get("expression")
    if not isinstance(path, exp.JSONPath):
        yield "JSON is read by json_extract_string with a literal path"
        return
    for part in path.expressions:
        plain = isinstance(part, exp.JSONPathRoot) or (
            isinstance(part, exp.JSONPathKey | exp.JSONPathSubscript) and isinstance(part.this, str | int)
        )
        if not plain:
            yield "wildcards in JSON paths are not in the portable subset"


def _unit(node: exp.Expr) -> Iterator[str]:
    unit = node.args.get("unit")
    if unit is None or unit.name.upper() not in _UNITS:
        yield f"date_trunc takes one of {', '.join(sorted(u.lower() for u in _UNITS))}"


def _part(node: exp.Expr) -> Iterator[str]:
    if node.this.name.upper() not in _PARTS:
        yield f"extract takes one of {', '.join(sorted(p.lower() for p in _PARTS))}"


def _format(node: exp.Expr) -> Iterator[str]:
    text = _literal(node.args.get("format"))
    if text is None or not _FORMAT.fullmatch(text):
        yield "strftime takes a literal format of %Y %m %d %H %M %S"


def _epoch(node: exp.Expr) -> Iterator[str]:
    scale = node.args.get("scale")
    if scale is None or scale.name != "3":
        yield "of the conversions from and to unix time only epoch_ms is in the portable subset"


def _join(node: exp.Expr) -> Iterator[str]:
    method = str(node.args.get("method") or "").upper()
    side, kind = str(node.args.get("side") or "").upper(), str(node.args.get("kind") or "").upper()
    if method:
        yield f"a {method} join is not in the portable subset"
    if side not in {"", "LEFT", "RIGHT", "FULL"} or kind not in {"", "INNER", "OUTER", "CROSS"}:
        yield f"a {side} {kind} join is not in the portable subset: use EXISTS"
    if node.args.get("using"):
        yield "USING is not in the portable subset: write ON"
    on = node.args.get("on")
    networks = isinstance(node.this, exp.Table) and node.this.name == "case_network"
    if on is not None and not networks and not any(on.find_all(exp.EQ, exp.NullSafeEQ)):
        yield "a join by range alone is not in the portable subset: bucket by event_epoch // n and join on equality"


def _table(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.this, exp.Identifier):
        yield "a table function is not in the portable subset"
    for key in ("sample", "pivots", "joins", "ordinality", "when", "version"):
        if node.args.get(key):
            yield f"{'PIVOT' if key == 'pivots' else key} on a table is not in the portable subset"


def _with(node: exp.Expr) -> Iterator[str]:
    if node.args.get("recursive"):
        yield "WITH RECURSIVE is not in the portable subset"


def _star(node: exp.Expr) -> Iterator[str]:
    if (
        node.args.get("except_")
        or node.args.get("except")
        or node.args.get("replace")
        or node.args.get("rename")
    ):
        yield "EXCLUDE, REPLACE and RENAME after * are not in the portable subset: name the columns"


def _select(node: exp.Expr) -> Iterator[str]:
    for key in ("sample", "windows", "laterals", "pivots", "offset"):
        if node.args.get(key):
            yield f"{key.upper()} is not in the portable subset"
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        yield "DISTINCT ON is not in the portable subset: use QUALIFY row_number() ... = 1"
    if node.args.get("limit") is not None and node.args.get("order") is None:
        yield "LIMIT without ORDER BY takes any rows"


def _group(node: exp.Expr) -> Iterator[str]:
    if any(node.args.get(key) for key in ("all", "cube", "rollup", "grouping_sets", "totals")):
        yield "GROUP BY ALL, CUBE, ROLLUP and GROUPING SETS are not in the portable subset"


def _union(node: exp.Expr) -> Iterator[str]:
    if node.args.get("by_name"):
        yield "UNION BY NAME is not in the portable subset"


_SPECIAL: dict[str, Callable[[exp.Expr], Iterator[str]]] = {
    "Cast": _cast,
    "TryCast": _cast,
    "Sum": _sum,
    "Mul": _multiplication,
    "Literal": _number,
    "RegexpLike": _pattern,
    "RegexpExtract": _pattern,
    "RegexpReplace": _pattern,
    "JSONExtractScalar": _json_path,
    "TimestampTrunc": _unit,
    "Extract": _part,
    "TimeToStr": _format,
    "UnixToTime": _epoch,
    "Join": _join,
    "Table": _table,
    "With": _with,
    "Star": _star,
    "Select": _select,
    "Group": _group,
    "Union": _union,
}
