"""The section of the inventory: versions, the check of each key with its latency, what was made, moves and remarks."""

from __future__ import annotations

import json
import re

import pytest

from forensics.report.inventory import duration
from tests.report.case import fill, render
from tests.report.rows import LIFE


def section(page: str) -> str:
    text = page.split('id="h-inventory"', 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_what_is_stored_is_shown(plain_page):
    text = section(plain_page)
    for part in (
        "S0009", "S. Nakagawa", "not effective", "still used after a new value was stored", "8 h 39 min after", "delete it first",
        "Made with openai key_A since its exposure", "key_M", "not seen", "in usage, by its id", "Yarrowdene: suspicious",
        "read twice by vm", "not known",
    ):  # fmt: skip
        assert part in text, part


def test_without_a_run_the_section_says_so(tmp_path):
    case = fill(tmp_path / "case")
    with case.writer("test") as connection:
        connection.execute("DELETE FROM key_book")
    assert "No key is known of this case" in section(render(case).html.decode())


@pytest.mark.parametrize(
    "body", ["[]", "{}", '{"rotation":7,"events":[1],"horizons":{},"aliases":"x","made_with":[null]}']
)
def test_objects_of_another_shape_do_not_break_the_page(tmp_path, body):
    case = fill(tmp_path / "case")
    with case.writer("test") as connection:
        connection.execute("UPDATE key_book SET body = ?", [body])
    assert "not known" in section(render(case).html.decode())


def test_the_least_safe_key_stands_first(tmp_path):
    case = fill(tmp_path / "case")
    safe = {**LIFE, "key_id": "key_0", "customer": "Acorn", "rotation": {"state": "effective", "why": []}}
    with case.writer("test") as connection:
        connection.execute("INSERT INTO key_book VALUES ('life', 2, 'openai', 'key_0', 'Acorn', ?)", [json.dumps(safe)])
    text = section(render(case).html.decode())
    assert text.index("Brindlewick") < text.index("Acorn")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 min"),
        (3599, "59 min"),
        (31140, "8 h 39 min"),
        (190_000, "2 days 4 h"),
        (-5, ""),
        (None, ""),
        (True, ""),
        ("x", ""),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words
