"""What the portable subset holds: allowed functions and nodes, and the rules of those that have conditions.

What stands here was chosen because DuckDB (https://duckdb.org/docs/stable/sql/introduction) and Spark SQL
(https://spark.apache.org/docs/latest/sql-ref.html) agree on it, NULLs, ties and types included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sqlglot import exp

RANKING = frozenset({"RowNumber", "Rank", "DenseRank"})
SHIFTING = frozenset({"Lag", "Lead"})
EDGES = frozenset({"FirstValue", "LastValue"})
_FUNCTION_NAMES = """
RowNumber Rank DenseRank Lag Lead FirstValue LastValue Count Sum Min Max And Or Case If Coalesce
Nullif Cast TryCast Exists Greatest Least Abs Lower Upper Trim Length Substring Left Right Replace
StrPosition StartsWith EndsWith Contains SplitPart TimestampTrunc TimeToStr UnixToTime Extract
RegexpLike RegexpExtract RegexpReplace JSONExtractScalar
"""
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
#: Functions the parser has no class for.
NAMED_FUNCTIONS = frozenset({"epoch_ms"})
_NODE_NAMES = """
Select With CTE From Where Group Having Order Ordered Join Union Except Intersect Subquery Table
TableAlias Alias Column Identifier Star Literal Boolean Null Parameter Placeholder Paren Not EQ NEQ
GT GTE LT LTE Is In Between Like ILike NullSafeEQ NullSafeNEQ Escape Add Sub Mul IntDiv Mod Neg
DPipe DataType DataTypeParam Window WindowSpec Distinct Qualify Filter Values Tuple Limit Var
JSONPath JSONPathRoot JSONPathKey JSONPathSubscript Anonymous
"""
NODES = frozenset(_NODE_NAMES.split())
_TYPES = frozenset({"BOOLEAN", "BIGINT", "DECIMAL", "VARCHAR", "TEXT", "DATE", "TIMESTAMP", "TIMESTAMPNTZ"})
_TYPES_WRITTEN = "BIGINT, BOOLEAN, DATE, DECIMAL, TIMESTAMP, VARCHAR"
_UNITS = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"})
_PARTS = frozenset({"HOUR", "MINUTE", "DAY", "MONTH", "YEAR"})
_FORMAT = re.compile(r"(%[YmdHMS]|[^%])*")
#: What RE2 and Java read differently or not at all: look-around, atomic and named groups, back-references,
#: possessive quantifiers, POSIX classes, class operators, quoting, and Java's or RE2's own escapes.
_FOREIGN_PATTERN = re.compile(r"\(\?(?![:ims]+[:)]|:)|\\[1-9kgQEhRXGZzACpP]|[*+?}]\+|\[\[:|&&|\[\^?[^\]\\]*\[")
#: Why some things a writer is likely to reach for are not there.
INSTEAD = {
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


def node_name(node: exp.Expr) -> str:
    """Return the name of a node's kind, as the allow lists hold it."""
    return type(node).__name__


def written(node: exp.Expr) -> str:
    """Return how messages name a node: a function as it was written, anything else by its kind."""
    if isinstance(node, exp.Func):
        return str(node.meta.get("name") or node.sql_names()[0]).lower()
    return node_name(node).upper()


def _literal(node: exp.Expr | None) -> str | None:
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _cast(node: exp.Expr) -> Iterator[str]:
    kind = node.args["to"]
    name = kind.this.value if isinstance(kind.this, exp.DataType.Type) else str(kind.this)
    if name not in _TYPES or kind.args.get("nested"):
        yield f"a cast to {name} is not in the portable subset; types are {_TYPES_WRITTEN}"


def _sum(node: exp.Expr) -> Iterator[str]:
    outer = node.parent
    while isinstance(outer, exp.Filter | exp.Window | exp.Coalesce | exp.Paren):
        outer = outer.parent
    if not isinstance(outer, exp.Cast):
        yield "sum must stand in CAST(... AS BIGINT) or CAST(... AS DECIMAL(p, s)): engines widen it"


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
        yield f"the pattern of {written(node)} must be literal text"
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
        yield "json_extract_string takes a literal path, names with signs in quotes: '$.a.\"b-c\"'"
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
        yield "a join by range alone is not in the portable subset: join event_epoch // n on equality"


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
    if node.args.get("except_") or node.args.get("except") or node.args.get("replace") or node.args.get("rename"):
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


RULES: dict[str, Callable[[exp.Expr], Iterator[str]]] = {
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
