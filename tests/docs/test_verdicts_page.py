"""docs/verdicts.md has the thresholds and the headline table of the program."""

from __future__ import annotations

import dataclasses
import re

import pytest

from forensics.analysis.policy import DEFAULT, WEIGHTS
from forensics.model.verdict import SEEN, Abuse, Exposure, Verdict, headline
from tests.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "verdicts.md").read_text(encoding="utf-8")
TABLE = [
    [re.findall(r"`(\w+)`", cell) or [cell.strip()] for cell in line.strip("|").split("|")]
    for line in PAGE.split("| abuse | exposure | headline |\n|---|---|---|\n", 1)[1].split("\n\n", 1)[0].splitlines()
]


def by_page(exposure: Exposure, abuse: Abuse) -> str:
    """The headline that a reader of the page finds: the first row that fits."""
    for acts, places, heads in TABLE:
        fits = {"any": True, "": True, "seen": exposure in SEEN, "not seen": exposure not in SEEN}
        if acts[0] in {abuse, "anything else"} and fits.get(places[0], places[0] == exposure):
            return heads[0]
    raise AssertionError("no row fits")


@pytest.mark.parametrize("exposure", list(Exposure))
@pytest.mark.parametrize("abuse", list(Abuse))
def test_headline_table(exposure, abuse):
    assert by_page(exposure, abuse) == headline(exposure, abuse)


def test_every_headline_is_reached_by_the_table():
    assert {row[2][0] for row in TABLE} == {str(v) for v in Verdict}


def test_thresholds():
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (\d+) \| ", PAGE.split("## Thresholds", 1)[1]))
    assert {name: int(value) for name, value in rows.items()} == dataclasses.asdict(DEFAULT)


def test_weights():
    rows = re.findall(r"(?m)^\| `(\w+)` \| (\d) \| ", PAGE.split("| sign | weight |", 1)[1].split("\n\n", 1)[0])
    assert {name: int(value) for name, value in rows} == dict(WEIGHTS)


def test_every_value_of_both_axes_is_explained():
    for value in (*Exposure, *Abuse):
        assert f"`{value}`" in PAGE
