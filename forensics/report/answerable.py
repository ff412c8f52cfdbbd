"""View of what the evidence can answer: sources that should be there and are not, classes never seen, questions."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.analysis.coverage import Class, Stream
from forensics.analysis.questions import Question
from forensics.report.reading import CaseReading

MISSING_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Answerable:
    """Missing sources, sources with their horizon, classes of events never seen, and all questions."""

    missing: tuple[Stream, ...]
    missing_cut: int
    sources: tuple[Stream, ...]
    sources_cut: int
    unseen: tuple[Class, ...]
    remarks: tuple[str, ...]
    questions: tuple[Question, ...]


def read_answerable(case: CaseReading) -> Answerable | None:
    """Return what the evidence can answer; None for a case without a window."""
    found = case.coverage
    if found is None:
        return None
    missing = [s for s in found.streams if not s.supplied]
    there = [s for s in found.streams if s.supplied]
    return Answerable(
        missing=tuple(missing[:MISSING_SHOWN]),
        missing_cut=max(0, len(missing) - MISSING_SHOWN),
        sources=tuple(there[:MISSING_SHOWN]),
        sources_cut=max(0, len(there) - MISSING_SHOWN),
        unseen=tuple(c for c in found.classes if not c.events),
        remarks=(*found.clocks, *found.left_out),
        questions=tuple(case.questions),
    )
