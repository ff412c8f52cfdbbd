"""docs/queries.md is what the query files say, no more and no less."""

from __future__ import annotations

import re

from forensics.analysis.context import catalogue
from forensics.analysis.reference import queries_page
from forensics.queries.catalogue import query_paths
from forensics.resources import queries_folder
from tests.paths import REPOSITORY


def test_committed_page_is_the_generated_one():
    page = (REPOSITORY / "docs" / "queries.md").read_text(encoding="utf-8")
    assert page == queries_page(), "docs/queries.md is out of date: run `make docs`"


def test_every_query_file_has_a_section():
    sections = re.findall(r"(?m)^### (\S+)$", queries_page())
    assert sorted(sections) == sorted(query.id for query in catalogue())
    assert len(sections) == len(query_paths(queries_folder()))


def test_links_of_the_tables_lead_to_sections():
    page = queries_page()
    anchors = {identity.replace(".", "") for identity in re.findall(r"(?m)^### (\S+)$", page)}
    links = set(re.findall(r"\]\(#([a-z0-9_]+)\)", page))
    assert links == anchors
