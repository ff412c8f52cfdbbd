"""The page of log formats says what the program reads."""

from __future__ import annotations

from pathlib import Path

from forensics.sources.catalogue import catalogue
from forensics.sources.reference import formats_page
from forensics.store.schema import EVENT_TABLES

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def test_the_page_is_what_the_formats_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == formats_page(), "run `make docs`"


def test_every_format_is_a_row_and_names_a_table_that_holds_evidence() -> None:
    page = formats_page()
    for source in catalogue().values():
        assert f"| `{source.id}` |" in page
        assert not source.table or source.table in EVENT_TABLES
