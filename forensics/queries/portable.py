"""The portable subset of SQL: an allow list over the syntax tree, so that other engines give the same rows.

A transpiler passes functions it does not know through unchanged; therefore nothing is allowed that
`subset` does not name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp, parse
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError

from forensics.queries.header import MARK
from forensics.queries.subset import (
    EDGES,
    FUNCTIONS,
    INSTEAD,
    NAMED_FUNCTIONS,
    NODES,
    RANKING,
    RULES,
    SHIFTING,
    node_name,
    written,
)


def is_event_key(node: exp.Expr) -> bool:
    """Return whether an order key tells every event apart: a column (of_)event_key, or its minimum."""
    if isinstance(node, exp.Min):
        node = node.this
    return isinstance(node, exp.Column) and (node.name == "event_key" or node.name.endswith("_event_key"))


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
    faults = [f for tree, other in zip(trees, others, strict=True) for f in _Lint(sql, tree, other, end + 1).faults()]
    return sorted(set(faults), key=lambda f: (f.line, f.message))


class _Lint:
    """One walk over one statement. `other` is the same tree, read with the opposite default for NULLs."""

    def __init__(self, sql: str, tree: exp.Expr, other: exp.Expr, first_line: int) -> None:
        self._tree = tree
        for node in tree.find_all(exp.Func):  # messages speak of a function as it is written
            text = sql[node.meta.get("start", 0) : node.meta.get("end", -1) + 1]
            if re.fullmatch(r"\w+", text):
                node.meta["name"] = text
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
        name = node_name(node)
        special = RULES.get(name)
        if isinstance(node, exp.Anonymous):
            if node.name.lower() not in NAMED_FUNCTIONS:
                yield f"function {node.name.lower()} is not in the portable subset"
        elif name in INSTEAD:
            yield f"{written(node)} is not in the portable subset: {INSTEAD[name]}"
        elif name not in FUNCTIONS and (isinstance(node, exp.Func) or name not in NODES):
            yield f"{written(node)} is not in the portable subset"
        if special:
            yield from special(node)
        if isinstance(node, exp.Window):
            yield from self._window_faults(node)
        elif name in RANKING | SHIFTING | EDGES and not isinstance(node.parent, exp.Window):
            yield f"{written(node)} needs OVER with a total order"

    def _key_faults(self, keys: list[exp.Expr]) -> Iterator[str]:
        for key in keys:
            if id(key) in self._no_nulls_last and not is_event_key(key.this):
                yield f"ORDER BY {key.this.sql('duckdb')} needs NULLS LAST"

    def _window_faults(self, window: exp.Window) -> Iterator[str]:
        if window.args.get("alias") is not None:
            yield "a named window is not in the portable subset: write it out"
            return
        inner = window.this.this if isinstance(window.this, exp.Filter) else window.this
        name, spec, order = node_name(inner), window.args.get("spec"), window.args.get("order")
        keys = order.expressions if order is not None else []
        yield from self._key_faults(keys)
        if inner.find(exp.Distinct):
            yield "DISTINCT in a window is not in the portable subset"
        by_rows = spec is not None and spec.args.get("kind") == "ROWS"
        tie_breaks = name in SHIFTING | EDGES | {"RowNumber"} or by_rows
        if (tie_breaks or name in RANKING) and not keys:
            yield f"the window of {written(inner)} has no order"
        elif tie_breaks and not is_event_key(keys[-1].this):
            yield f"the window of {written(inner)} has no total order: its last key must be event_key"
        if name in RANKING | SHIFTING:
            if spec is not None:
                yield f"{written(inner)} takes no frame"
        elif keys and spec is None:
            yield f"the window of {written(inner)} needs an explicit frame"
        if spec is not None and (spec.args.get("kind") == "GROUPS" or spec.args.get("exclude")):
            yield "frames by GROUPS or with EXCLUDE are not in the portable subset"
