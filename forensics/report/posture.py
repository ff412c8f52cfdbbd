"""View of posture: whether advised mitigations were in place, from the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.report.reading import CaseReading, read_json, texts


@dataclass(frozen=True, slots=True)
class PostureLine:
    """A question with its answer, why, its queries with their anchors, and how many rows stand behind it."""

    text: str
    answer: str
    why: str
    queries: tuple[tuple[str, str], ...]
    rows: int
    event_keys: tuple[str, ...]


def read_posture(case: CaseReading) -> tuple[PostureLine, ...]:
    """Return the answers that the last exposure run stored, in their order."""
    out = []
    for row in case.rows("SELECT * FROM posture ORDER BY place, question"):
        detail = read_json(row["detail"], {})
        count = str(detail.get("rows") or 0)
        out.append(
            PostureLine(
                str(detail.get("text") or row["question"] or ""),
                row["answer"] or "",
                str(detail.get("why") or ""),
                tuple((q, case.query_anchor(q)) for q in texts(detail.get("query_ids"))),
                int(count) if count.isdigit() else 0,
                texts(detail.get("event_keys"))[:3],
            )
        )
    return tuple(out)
