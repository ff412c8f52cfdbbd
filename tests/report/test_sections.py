"""Sections are found by their files, and a faulty one is named."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from forensics.model.errors import UsageFault
from forensics.report import words
from forensics.report.context import NAMES
from forensics.report.escape import defanged
from forensics.report.keys import verdict_table
from forensics.report.sections import find_sections
from forensics.resources import reports_folder


def section(folder: Path, name: str, text: str) -> None:
    (folder / "sections").mkdir(exist_ok=True)
    (folder / "sections" / name).write_text(text, encoding="utf-8")


def test_the_shipped_sections_stand_in_order() -> None:
    found = find_sections(reports_folder(), NAMES)
    assert [s.number for s in found] == list(range(1, len(found) + 1))
    assert found[0].anchor == "answer"
    assert found[1].title == "What could not be seen"


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    section(tmp_path, "01_a.html.j2", '{# ---\ntitle = "A"\nneeds = ["answer", "nothing"]\n--- #}\n')
    section(tmp_path, "02_b.html.j2", "<p>no header</p>")
    section(tmp_path, "3_c.html.j2", '{# ---\ntitle = "C"\nneeds = []\n--- #}\n')
    section(tmp_path, "04_d.html.j2", '{# ---\ntitle = "D"\nneeds = []\ncolour = "red"\n--- #}\n')
    section(tmp_path, "05_e.html.j2", "{# ---\ntitle = \n--- #}\n")
    with pytest.raises(UsageFault) as caught:
        find_sections(tmp_path, NAMES)
    for part in (
        "unknown name 'nothing'",
        "02_b.html.j2: no header",
        "3_c.html.j2: not named",
        "unknown key 'colour'",
        "not valid TOML",
    ):
        assert part in caught.value.message


def test_templates_quote_every_attribute() -> None:
    for path in sorted(reports_folder().rglob("*.j2")):
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text, path
        assert not re.search(r"[\w-]=\s*\{[{%]", text), path


@pytest.mark.parametrize(
    ("amount", "shown"), [("0.005", "0.00"), ("0.015", "0.02"), ("1234567.891", "1,234,567.89"), ("-3.1", "-3.10")]
)
def test_money_is_rounded_half_to_even(amount: str, shown: str) -> None:
    assert words.money(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [(0, "key", "no keys"), (1, "query", "one query"), (2, "query", "two queries"), (21, "address", "21 addresses")],
)
def test_counts_in_words(n: int, noun: str, text: str) -> None:
    assert words.count(n, noun) == text


def test_share_is_rounded_down() -> None:
    assert (words.share(999, 1000), words.share(1, 0), words.share(5, 5)) == (99, 0, 100)


def test_indicators_cannot_be_clicked() -> None:
    assert "hxxps[:]//198[.]51[.]100[.]77/a" in defanged("https://198.51.100.77/a")
    assert "2001[:]db8[:][:]1" in defanged("2001:db8::1")


def test_printed_table_covers_both_axes() -> None:
    table = verdict_table()
    assert len(table) == len(words.EXPOSURES)
    assert all(len(row.marks) == len(words.ABUSES) for row in table)
    assert table[0].marks[0] is words.VERDICTS["confirmed"]
