"""docs/fields.md is the definition of the tables, no more and no less."""

from __future__ import annotations

import duckdb

from forensics.model.columns import table
from forensics.store.reference import VIEW_MEANING, _section, fields_page, view_names
from forensics.store.schema import TABLES, statements
from tests.paths import REPOSITORY


def test_committed_page_is_the_generated_one():
    page = (REPOSITORY / "docs" / "fields.md").read_text(encoding="utf-8")
    assert page == fields_page(), "docs/fields.md is out of date: run `make docs`"


def test_page_names_every_column_the_store_has():
    connection = duckdb.connect()
    for statement in statements():
        connection.execute(statement)
    page = fields_page()
    held = connection.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    connection.close()
    columns = {(t, c) for t, c in held if t in TABLES}
    assert columns
    for name in {t for t, _ in columns}:
        section = page.split(f"### {name}\n", 1)[1].split("\n### ", 1)[0]
        for column in (c for t, c in columns if t == name):
            assert f"| `{column}` |" in section


def test_every_view_is_described():
    assert sorted(view_names()) == sorted(VIEW_MEANING)


def test_a_bar_in_a_meaning_does_not_break_the_row():
    section = _section(table("example", "A table.", "kind VARCHAR one of a|b"))
    assert "| `kind` | VARCHAR | one of a\\|b |" in section
