"""View of method and limits: versions, settings, fingerprints and the statements of persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.model.case import Settings
from forensics.report.reading import CaseReading, read_json


@dataclass(frozen=True, slots=True)
class Basis:
    """What a kind of result rests on."""

    kind: str
    fingerprint: str
    computed_at: datetime | None
    components: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Method:
    """Versions, settings and what persons stated."""

    facts: tuple[tuple[str, str], ...]
    bases: tuple[Basis, ...]
    settings: Settings
    readers: tuple[tuple[str, str, int], ...]


def read_method(case: CaseReading) -> Method:
    """Return how the results were made."""
    facts = [
        (r["name"] or "", r["value"] or "") for r in case.rows("SELECT name, value FROM meta ORDER BY name, value")
    ]
    rows = case.rows("SELECT * FROM result_basis ORDER BY kind, fingerprint")
    bases = [
        Basis(
            r["kind"] or "", r["fingerprint"] or "", r["computed_at"],
            tuple(sorted((str(k), str(v)) for k, v in read_json(r["components"], {}).items())),
        )
        for r in rows
    ]  # fmt: skip
    readers = case.rows(
        """SELECT coalesce(source_id, '') AS source, coalesce(reader_version, '') AS version, count(*) AS files FROM evidence_file
           WHERE source_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    return Method(
        tuple(facts), tuple(bases), case.settings, tuple((r["source"], r["version"], r["files"]) for r in readers)
    )
