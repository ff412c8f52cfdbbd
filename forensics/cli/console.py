"""stdout is data, stderr is talk. Everything that may come from a log passes `term_safe`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forensics.model.clock import iso
from forensics.model.text import term_safe


def talk_console() -> Console:
    """Return the console for talk: stderr."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def say(text: str) -> None:
    """Write one line of talk to stderr."""
    _console(stderr=True).print(Text(term_safe(text)))


def out(text: str = "") -> None:
    """Write one line of data to stdout."""
    _console(stderr=False).print(Text(term_safe(text)))


def plain(value: object) -> object:
    """Return the JSON form of a value: times ISO with Z, money as decimal text."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value


def json_text(value: object) -> str:
    """Return JSON, control characters escaped, ASCII only: safe in any terminal and pipe."""
    return json.dumps(plain(value), indent=2, ensure_ascii=True) + "\n"


def out_json(value: object) -> None:
    """Write JSON to stdout."""
    sys.stdout.write(json_text(value))


def out_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: frozenset[int] = frozenset(),
    width: int = 160,
) -> None:
    """Write a table to stdout, where that is no terminal `width` wide; cells are text that may be hostile."""
    console = Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else width)
    table = Table(
        title=Text(term_safe(title)) if title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        show_edge=False,
    )
    for number, name in enumerate(columns):
        table.add_column(Text(name, style="bold"), justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(term_safe(cell_text(cell))) for cell in row))
    console.print(table)


def cell_text(value: object) -> str:
    """Return a value as people read it in a table; nothing is a dash."""
    if value is None or value == "":
        return "-"
    shown = plain(value)
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
