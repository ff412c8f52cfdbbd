"""Whatever stands in a log, the page keeps its elements, its policy and its visible characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from forensics.model.text import INVISIBLE
from tests.report.case import fill, render
from tests.report.hostile import HOSTILE
from tests.report.parsing import Page
from tests.report.test_render import assert_policy_holds

#: Columns whose words the report knows; with them spared, free text meets every branch of the templates.
VOCABULARY = frozenset(
    {
        *(
            "state",
            "severity",
            "confidence",
            "kind",
            "method",
            "exposure",
            "abuse",
            "verdict",
            "decision",
            "outcome",
            "access",
        ),
        *(
            "query_id",
            "provider",
            "event_name_base",
            "endpoint",
            "grouped_by",
            "source_id",
            "evidence",
            "content_sha256",
            "owner_basis",
        ),
        *(
            "event_time",
            "from",
            "to",
            "rotated_at",
            "revoked_at",
            "last_use",
            "as_of",
            "low",
            "mid",
            "high",
            "credential_id",
            "value",
        ),
    }
)


def replacing(strings: tuple[str, ...]) -> Callable[[str], str]:
    """Give every distinct text another one, always the same for the same text, so that joins still hold."""
    given: dict[str, str] = {}
    numbers = count()

    def change(text: str) -> str:
        if not text:
            return text
        if text not in given:
            given[text] = f"{strings[next(numbers) % len(strings)]}{text}"
        return given[text]

    return change


@pytest.mark.parametrize("spare", [frozenset(), VOCABULARY], ids=["every column", "free text"])
def test_elements_and_attributes_are_those_of_the_benign_case(spare: frozenset[str], tmp_path: Path) -> None:
    benign = render(fill(tmp_path / "benign", replacing(("plain text ",)), spare=spare)).html.decode()
    attacked = render(fill(tmp_path / "attacked", replacing(HOSTILE), spare=spare)).html.decode()
    assert Page(attacked).shape == Page(benign).shape
    assert_policy_holds(attacked)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_one_string_in_every_free_text(text: str, tmp_path: Path, free_text_shape: object) -> None:
    attacked = render(fill(tmp_path / "case", replacing((text,)), spare=VOCABULARY)).html.decode()
    assert Page(attacked).shape == free_text_shape
    assert_policy_holds(attacked)


@pytest.fixture(scope="module")
def free_text_shape(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = fill(tmp_path_factory.mktemp("free") / "case", replacing(("plain text ",)), spare=VOCABULARY)
    return Page(render(folder).html.decode()).shape


def test_invisible_characters_are_shown_as_marks(tmp_path: Path) -> None:
    attacked = render(fill(tmp_path / "case", replacing(HOSTILE), spare=VOCABULARY)).html.decode()
    unsafe = {c for c in attacked if ord(c) in INVISIBLE or (ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) <= 0x9F}
    assert not unsafe
    assert "[U+202E]gpj.exe[U+202C]" in attacked
    assert "nul[U+0000]byte" in attacked


def test_templates_of_evidence_are_not_evaluated(tmp_path: Path) -> None:
    attacked = render(fill(tmp_path / "case", replacing(("{{7*7}}",)), spare=VOCABULARY)).html.decode()
    assert "{{7*7}}" in attacked
    assert not re.search(r"\b49(prod|role|LF|Brindlewick)", attacked)


def test_very_long_text_is_cut_and_said_to_be(tmp_path: Path) -> None:
    attacked = render(fill(tmp_path / "case", replacing(("A" * 20_000,)), spare=VOCABULARY)).html.decode()
    assert "A" * 1_001 not in attacked
    assert re.search(r"cut; 20,\d\d\d characters in the evidence", attacked)


def test_the_comparison_sees_a_missing_escape(tmp_path: Path) -> None:
    """The negative control: a page with one unescaped value has another shape."""
    text = render(fill(tmp_path / "case")).html.decode()
    leaky = text.replace("Brindlewick", "<img src=x onerror=alert(1)>", 1)
    assert leaky != text
    assert Page(leaky).shape != Page(text).shape
    with pytest.raises(AssertionError):
        assert_policy_holds(leaky)
