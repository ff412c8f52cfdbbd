"""The page as a whole: complete, self-contained, deterministic, honest about what is stale."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from forensics.model.errors import UsageFault
from forensics.model.text import term_safe
from forensics.report.render import render_report
from forensics.store.case_folder import CaseFolder, init_case
from tests.report.case import QUERIES, clock, fill, render, same, settings_text
from tests.report.parsing import Page


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", "".join(t for t, _ in Page(text).texts))


def assert_policy_holds(text: str) -> None:
    page = Page(text)
    policies = [
        n.attributes["content"] for n in page.all("meta") if n.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(blocks) == 1 == len(page.all(tag))
        digest = base64.b64encode(sha256(blocks[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policies[0]
    assert policies[0].startswith("default-src 'none'; ")
    for node in page.nodes:
        assert not [
            name
            for name in node.attributes
            if name.startswith("on") or name in {"style", "src", "srcset", "action", "xlink:href"}
        ], node
        assert node.attributes.get("href", "#").startswith("#"), node
    assert not page.faults
    assert page.comments == 0


def test_page_is_self_contained_and_follows_its_policy(plain_page: str) -> None:
    assert_policy_holds(plain_page)
    assert plain_page.index("Content-Security-Policy") < plain_page.index("<title>")
    assert "\r" not in plain_page
    assert plain_page.endswith("\n")


def test_twice_rendered_is_the_same_to_the_byte(plain_case: CaseFolder) -> None:
    assert render(plain_case).html == render(plain_case).html


def test_the_order_of_rows_in_the_store_does_not_matter(plain_page: str, tmp_path: Path) -> None:
    folder = fill(tmp_path / "case")
    with folder.writer("test") as connection:
        for table in ("finding_event", "verdict", "query_run", "tainted", "receipt", "ai_usage"):
            connection.execute(f"CREATE TABLE turned AS SELECT * FROM {table} ORDER BY hash({table}::VARCHAR)")
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} SELECT * FROM turned")
            connection.execute("DROP TABLE turned")
    assert render(folder).html.decode() == plain_page


def test_no_path_of_this_machine_is_written(plain_case: CaseFolder, plain_page: str) -> None:
    assert str(plain_case.root) not in plain_page


def test_only_the_clock_given_tells_the_time(plain_case: CaseFolder, plain_page: str) -> None:
    later = render_report(plain_case, lambda: datetime(2027, 1, 2, tzinfo=UTC), queries=QUERIES).html.decode()
    assert "2 January 2027" in later
    assert (
        later.replace("2 January 2027, 00:00 UTC", "9 May 2026, 09:00 UTC").replace(
            "2027-01-02T00:00:00Z", "2026-05-09T09:00:00Z"
        )
        == plain_page
    )


def test_structure_for_readers_who_do_not_see(plain_page: str) -> None:
    page = Page(plain_page)
    assert page.all("html")[0].attributes["lang"] == "en"
    for tag in ("h1", "main", "nav", "header", "footer"):
        assert page.all(tag)
    assert len(page.all("h1")) == 1
    assert plain_page.count("<table") == plain_page.count("<caption")
    assert all(n.attributes.get("scope") in {"col", "row", "rowgroup"} for n in page.all("th"))
    assert all(n.attributes.get("role") == "img" and n.attributes.get("aria-labelledby") for n in page.all("svg"))
    anchors = [n.attributes["id"] for n in page.nodes if "id" in n.attributes]
    assert len(anchors) == len(set(anchors))
    assert {n.attributes["href"][1:] for n in page.all("a")} <= set(anchors)
    named = " ".join(n.attributes.get("aria-labelledby", "") for n in page.nodes).split()
    assert set(named) <= set(anchors)


def test_every_number_of_the_answer_names_its_source(plain_page: str) -> None:
    numbers = 0
    for text, around in Page(plain_page).texts:
        if any(n.attributes.get("id") == "answer" for n in around) and re.search(r"\d", text):
            numbers += 1
            assert any(n.attributes.get("data-q") for n in around), text
    assert numbers >= 10


def test_figures_and_sentences_come_from_the_rows(plain_case: CaseFolder, plain_page: str) -> None:
    text = words_of(plain_page)
    assert "2 of 3" in text  # keys read of keys known
    assert "USD 6,950.50 to 11,032.35" in text  # 6950.005 + 0.50 and 11030.10 + 2.25
    assert "2 findings" not in text
    assert "findings, 1 of them critical or high" in text
    assert "Nothing found in 345 records" in text
    assert "an older run" not in text
    sentences = render(plain_case).sentences
    assert sentences[0] == "One provider key was misused; use of one more is not explained."
    assert sentences[1].startswith("Two of three known keys were read from 5 May 2026, 02:26 UTC, with two credentials")
    assert "logging was stopped once" in sentences[2]
    assert all(s == term_safe(s) for s in sentences)


def test_share_of_the_window_is_of_hours_with_records_rounded_down(plain_page: str) -> None:
    # Two of 432 hours hold a CloudTrail event: less than one per cent.
    assert "Nothing found in 345 records covering 0 % of the window" in words_of(plain_page)


def test_account_adds_up_and_names_what_was_not_read(plain_page: str) -> None:
    text = words_of(plain_page)
    assert "Of 412 records seen, 409 became rows, 1 were known already, 1 could not be read and 1 are of kinds" in text
    assert "The four add up to the records seen." in text
    assert "unknown format" in text
    assert "no event time" in text
    assert "S0001 record 7" in text


def test_an_account_that_does_not_add_up_is_said(tmp_path: Path) -> None:
    folder = fill(tmp_path / "case")
    with folder.writer("test") as connection:
        connection.execute("UPDATE receipt SET accepted = accepted - 1 WHERE receipt_id = 2")
    assert "The four do not add up to the records seen." in words_of(render(folder).html.decode())


def test_rows_of_a_finding_are_cut_with_a_plain_statement(plain_page: str) -> None:
    text = words_of(plain_page)
    assert "Records: 60" in text
    assert "Ten records are not shown here." in text
    assert text.count("GetSecretValue success") == 51


def test_fresh_results_carry_no_mark(plain_page: str) -> None:
    assert 'class="banner"' not in plain_page
    assert 'class="stale"' not in plain_page


def test_changed_settings_make_a_banner_and_mark_every_figure(tmp_path: Path) -> None:
    folder = fill(tmp_path / "case")
    folder.settings_path.write_bytes(settings_text(same) + b"\n# changed\n")
    text = render(folder).html.decode()
    assert "the settings changed" in words_of(text)
    assert text.count('<div class="banner" role="alert">') == 1
    figures = re.search(r'<dl class="figures">(.*?)</dl>', text, re.DOTALL)
    assert figures and figures[1].count('class="stale"') == 5  # all but the window


def test_results_never_computed_are_said_to_be_missing(tmp_path: Path) -> None:
    text = render(fill(tmp_path / "case", basis=False)).html.decode()
    assert "never run" in words_of(text)
    assert 'class="stale">never run' in text


def test_draft_until_final_and_marking_on_every_page(plain_case: CaseFolder, plain_page: str) -> None:
    assert "DRAFT" in plain_page and "FINAL" not in plain_page
    final = render(plain_case, final=True).html.decode()
    assert "FINAL" in final and "DRAFT" not in final
    assert '@top-right{content:"TLP:AMBER"' in plain_page
    assert_policy_holds(final)


def test_t0_is_stated_or_marked_assumed(tmp_path: Path, plain_page: str) -> None:
    assert "T0 ASSUMED" not in plain_page
    text = words_of(render(fill(tmp_path / "case", t0=False)).html.decode())
    assert "T0 ASSUMED" in text
    assert "from the first exposure of a key, 5 May 2026, 02:26 UTC" in text


def test_an_empty_case_renders(tmp_path: Path) -> None:
    rendered = render(init_case(tmp_path / "case", clock))
    text = rendered.html.decode()
    assert_policy_holds(text)
    assert "no verdict on a key has been made" in words_of(text)
    assert rendered.sentences[0].startswith("No findings; no verdict")


def test_another_audience_is_refused(plain_case: CaseFolder) -> None:
    with pytest.raises(UsageFault, match="no report for the audience"):
        render(plain_case, audience="customer")


def test_verdicts_stand_in_order_of_severity_with_word_and_shape(plain_page: str) -> None:
    text = words_of(plain_page)
    places = [
        text.index(f"{shape} {word}")
        for shape, word in (("■", "abuse confirmed"), ("▲", "suspicious, open"), ("○", "not exposed"))
    ]
    assert places == sorted(places)
