"""The catalogue of queries as a page, made from their headers: `python -m forensics.analysis.reference`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from forensics.analysis.context import catalogue
from forensics.model.query import Query, QueryKind

_HEAD = """# Queries

Made by `make docs` from the headers of the query files below `queries/`; a test compares the two. Change a header,
never this page. `keytrail queries ID` prints the SQL of one; the report prints the SQL and hash of each that was run.

Severity says how bad a finding is if it is true, confidence how often one is. A detection ends as `finding`, `clear`,
`no_baseline`, `not_evaluable` or `failed`; it is `not_evaluable` when the evidence holds none of its log formats or
lacks what it needs.
"""

_KINDS: dict[QueryKind, tuple[str, str]] = {
    QueryKind.DETECTION: (
        "Detections",
        "Run by `keytrail hunt`: acts that an intruder leaves, one row a contributing event.",
    ),
    QueryKind.EXPOSURE: ("Exposure", "Run by `keytrail exposure`: the rows that verdicts rest on."),
    QueryKind.SUMMARY: ("Summaries", "Run by `keytrail summary NAME`: one overview each."),
    QueryKind.TIMELINE: ("Timelines", "Run by `keytrail timeline`."),
    QueryKind.IOC: ("Indicators", "Matches of known indicators."),
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(queries: Sequence[Query], kind: QueryKind) -> list[str]:
    if kind is not QueryKind.DETECTION:
        return [
            "| query | title |",
            "|---|---|",
            *(f"| [`{q.id}`](#{_anchor(q)}) | {_cell(q.title)} |" for q in queries),
            "",
        ]
    rows = (f"| [`{q.id}`](#{_anchor(q)}) | {q.severity.value} | {q.confidence} | {_cell(q.title)} |" for q in queries)
    return ["| query | severity | confidence | title |", "|---|---|---|---|", *rows, ""]


def _anchor(query: Query) -> str:
    return query.id.replace(".", "")


def _bullets(name: str, texts: Sequence[str]) -> list[str]:
    return [f"{name}:", "", *(f"- {_cell(text)}" for text in texts), ""] if texts else []


def _facts(query: Query) -> list[str]:
    techniques = ", ".join(query.attack)
    later = "" if query.attack_v19 == query.attack else f"; in version 19: {', '.join(query.attack_v19) or 'none'}"
    listed = {
        "Severity": f"{query.severity.value}, confidence {query.confidence}"
        if query.kind is QueryKind.DETECTION
        else "",
        "Log formats": ", ".join(query.sources),
        "Needs": ", ".join(query.needs),
        "Baseline": f"{query.baseline_days} days" if query.baseline_days else "",
        "ATT&CK": f"{techniques} (version {query.attack_version}{later})" if techniques else "",
        "ATLAS": ", ".join(query.atlas),
    }
    return [f"- {name}: {_cell(text)}" for name, text in listed.items() if text]


def _section(query: Query) -> list[str]:
    lines = [f"### {query.id}", "", f"**{_cell(query.title)}.**", "", *_facts(query), "", _cell(query.description), ""]
    if query.misses:
        lines += [f"Misses: {_cell(query.misses)}", ""]
    lines += _bullets("Innocent when", query.false_positives)
    lines += _bullets("Next steps", query.next_steps)
    lines += _bullets(
        "Parameters", [f"`{p.name}` ({p.type}, {p.default} unless given): {p.doc}" for p in query.parameters]
    )
    return lines + _bullets("References", [f"<{reference}>" for reference in query.references])


def queries_page() -> str:
    """Return docs/queries.md. Raises QueryFault for any fault of a query file."""
    every = catalogue()
    lines = [_HEAD]
    for kind, (title, meaning) in _KINDS.items():
        queries = every.of_kind(kind)
        if not queries:
            continue
        lines += [f"## {title}", "", meaning, "", *_table(queries, kind)]
        for query in queries:
            lines += _section(query)
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(queries_page())
