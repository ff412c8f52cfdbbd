"""What a query's statement may do: judged on the tree of DuckDB's own parser, so on what would really run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Tree = dict[str, Any]

#: Functions that reach files, the network, the environment or the engine's own state.
_REFUSED = re.compile(
    r"read_.*|write_.*|glob|sniff_.*|parquet_.*|.*_scan|.*_scan_.*|st_read.*|http_.*|load_.*"
    r"|getenv|getvariable|current_setting|current_(user|database|schema|schemas|query)|version|txid_current"
    r"|duckdb_.*|pragma_.*|which_secret|force_checkpoint|checkpoint|enable_.*|disable_.*|nextval|currval"
    r"|query|query_table|json_execute_.*|json_serialize_.*|json_deserialize_.*|sql_auto_complete|summary"
    r"|test_.*|repeat_row"
)
_TABLE_FUNCTIONS = frozenset({"unnest", "generate_series", "range", "json_each"})
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_CATALOGUES = re.compile(r"(duckdb|pragma|sqlite|pg)_.*|information_schema")


@dataclass(frozen=True, slots=True)
class StatementFault:
    """Something a statement may not do; `offset` in bytes of the SQL, None when it concerns the whole."""

    message: str
    offset: int | None = None


def nodes(tree: object) -> Iterator[Tree]:
    """Yield every object of a parse tree, outermost first."""
    stack: list[Any] = [tree]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            yield value
            stack.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            stack.extend(reversed(value))


def tables(tree: Tree) -> frozenset[str]:
    """Return the names of the tables, views and common table expressions that a statement reads."""
    return frozenset(str(n.get("table_name", "")) for n in nodes(tree) if n.get("type") == "BASE_TABLE")


def _offset(node: Tree) -> int | None:
    place = node.get("query_location")
    return place if isinstance(place, int) and place < 2**63 else None


def check(tree: Tree, *, detection: bool) -> list[StatementFault]:
    """Return the faults of one parsed SELECT: files, functions, tables, missing order."""
    faults: list[StatementFault] = []
    last = None
    for node in nodes(tree):
        last = _offset(node) if _offset(node) is not None else last
        name = str(node.get("function_name", "")).lower()
        if _REFUSED.fullmatch(name):
            faults.append(StatementFault(f"function {name} is refused: a query reads the store only", last))
        kind = node.get("type")
        if kind == "TABLE_FUNCTION":
            called = str(node.get("function", {}).get("function_name", "")).lower()
            if called not in _TABLE_FUNCTIONS and not _REFUSED.fullmatch(called):
                faults.append(StatementFault(f"table function {called} is refused", last))
        elif kind == "SHOW_REF":
            faults.append(StatementFault("SHOW, DESCRIBE and SUMMARIZE are refused", last))
        elif kind == "BASE_TABLE":
            faults += [StatementFault(message, last) for message in _table_faults(node)]
    return faults + _order_faults(tree, detection=detection)


def _table_faults(node: Tree) -> list[str]:
    name = str(node.get("table_name", ""))
    if node.get("schema_name") or node.get("catalog_name"):
        return [f"table {name} is named with a schema or database; only tables of the store may be named"]
    if not _NAME.fullmatch(name) or _CATALOGUES.fullmatch(name):
        return [f"{name!r} is no table of the store"]
    return []


def _order_faults(tree: Tree, *, detection: bool) -> list[StatementFault]:
    node = tree.get("node", {})
    orders = [o for m in node.get("modifiers", []) if m.get("type") == "ORDER_MODIFIER" for o in m["orders"]]
    if not orders:
        return [StatementFault("no ORDER BY: rows would come in any order")]
    if not detection:
        return []
    last = orders[-1].get("expression", {})
    if _is_event_key(last):
        return []
    return [StatementFault("the last key of the final ORDER BY must be event_key or MIN(event_key)", _offset(last))]


def _is_event_key(expression: Tree) -> bool:
    if expression.get("class") == "COLUMN_REF":
        return bool(expression.get("column_names", [""])[-1] == "event_key")
    if str(expression.get("function_name", "")).lower() != "min":
        return False
    return any(
        n.get("class") == "COLUMN_REF" and n.get("column_names", [""])[-1] == "event_key" for n in nodes(expression)
    )
