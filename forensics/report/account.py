"""View of the evidence: every exhibit with its account of records, and what of it could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from forensics.analysis.owners import InferredOwner
from forensics.report import words
from forensics.report.reading import CaseReading, Row, read_json, texts
from forensics.report.words import Mark

COUNTS = ("seen", "accepted", "duplicate", "defect", "out_of_scope")
#: Rows of the exhibit list and of the lists of what could not be read.
EXHIBITS_SHOWN = 3_000
FAULTS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Records:
    """Records seen = accepted + duplicate + defect + out of scope."""

    seen: int
    accepted: int
    duplicate: int
    defect: int
    out_of_scope: int

    @property
    def adds_up(self) -> bool:
        """Whether the account holds."""
        return self.seen == self.accepted + self.duplicate + self.defect + self.out_of_scope


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A received file with its account."""

    exhibit: str
    path: str
    owner: str
    owner_basis: str
    is_inferred: bool
    source: str
    from_whom: str
    received_at: datetime | None
    size: int | None
    sha256: str
    records: Records
    first: datetime | None
    last: datetime | None
    mark: Mark
    reason: str
    notes: tuple[str, ...]
    keys: int
    contents: int
    withdrawn: str
    purged: bool


@dataclass(frozen=True, slots=True)
class ExhibitGroup:
    """The files of one owner, log format and state together."""

    owner: str
    source: str
    mark: Mark
    files: int
    octets: int
    records: Records
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be read: exhibit, path, record (None for the file) and reason."""

    exhibit: str
    path: str
    record: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """All exhibits, their totals by owner, format and state, and what could not be read or placed."""

    exhibits: tuple[Exhibit, ...]
    exhibits_cut: int
    groups: tuple[ExhibitGroup, ...]
    files: int
    states: tuple[tuple[Mark, int], ...]
    total: Records
    defects: tuple[Fault, ...]
    defects_cut: int
    skipped: tuple[Fault, ...]
    skipped_cut: int
    unassigned: int
    inferred: int
    id_conflicts: int
    remarks: tuple[Fault, ...]
    remarks_cut: int
    disagreeing: int
    red: int
    withdrawn: int


def read_account(case: CaseReading) -> Account:
    """Return the account of the evidence in order of receipt."""
    rows = case.rows(
        """SELECT r.*, f.exhibit, f.size_bytes, f.source_id, f.reason, f.first_event, f.last_event, f.notes,
                  CASE WHEN f.file_sha256 IS NULL THEN 'defective' ELSE f.state END AS state,
                  m.keys, m.contents, w.reason AS withdrawn, p.file_sha256 IS NOT NULL AS purged
           FROM receipt r LEFT JOIN evidence_file f USING (file_sha256)
           LEFT JOIN withdrawal w ON w.file_sha256 = r.file_sha256
           LEFT JOIN purge p ON p.file_sha256 = r.file_sha256
           LEFT JOIN (SELECT file_sha256, count(*) FILTER (kind <> 'content') AS keys,
                             count(*) FILTER (kind = 'content') AS contents
                      FROM key_material GROUP BY file_sha256) AS m ON m.file_sha256 = r.file_sha256
           ORDER BY r.receipt_id"""
    )
    exhibits = [_exhibit(row, case.inferred_owners.get(row["receipt_id"])) for row in rows]
    states = Counter(x.mark for x in exhibits)
    remarks = [Fault(x.exhibit, x.path, None, note) for x in exhibits for note in x.notes]
    skipped = [
        Fault(x.exhibit, x.path, None, x.reason)
        for x, row in zip(exhibits, rows, strict=True)
        if row["state"] in {"skipped", "defective"}
    ]
    defects = _defects(case)
    return Account(
        exhibits=tuple(exhibits[:EXHIBITS_SHOWN]),
        exhibits_cut=max(0, len(exhibits) - EXHIBITS_SHOWN),
        groups=_groups(exhibits),
        files=len(exhibits),
        states=tuple((mark, states[mark]) for mark in (*words.FILE_STATES.values(), words.UNKNOWN) if states[mark]),
        total=_sum([x.records for x in exhibits]),
        defects=tuple(defects[:FAULTS_SHOWN]),
        defects_cut=max(0, len(defects) - FAULTS_SHOWN),
        skipped=tuple(skipped[:FAULTS_SHOWN]),
        skipped_cut=max(0, len(skipped) - FAULTS_SHOWN),
        unassigned=sum(not x.owner for x in exhibits),
        inferred=sum(x.is_inferred for x in exhibits),
        id_conflicts=case.value("SELECT count(*) FROM aws_event WHERE id_conflict"),
        remarks=tuple(remarks[:FAULTS_SHOWN]),
        remarks_cut=max(0, len(remarks) - FAULTS_SHOWN),
        disagreeing=sum(row["sender_agrees"] is False for row in rows),
        red=len({x.sha256 for x in exhibits if x.keys or x.contents}),
        withdrawn=len({x.sha256 for x in exhibits if x.withdrawn}),
    )


def _basis(stated: str, inferred: InferredOwner | None) -> str:
    """Return in words from where the owner is known, or who it may be."""
    if inferred is None:
        return stated
    if inferred.owner:
        return f"inferred from {inferred.why}: {inferred.owner}"
    return f"by {inferred.why} perhaps of {' or '.join(inferred.candidates)}"


def _exhibit(row: Row, inferred: InferredOwner | None) -> Exhibit:
    return Exhibit(
        exhibit=row["exhibit"] or "",
        path=row["path"] or "",
        owner=row["owner"] or "",
        owner_basis=_basis(row["owner_basis"] or "", inferred),
        is_inferred=bool(inferred and inferred.owner),
        source=row["source_id"] or "",
        from_whom=row["from_whom"] or "",
        received_at=row["received_at"],
        size=row["size_bytes"],
        sha256=row["file_sha256"] or "",
        records=Records(*(row[name] or 0 for name in COUNTS)),
        first=row["first_event"],
        last=row["last_event"],
        mark=words.FILE_STATES.get(row["state"], words.UNKNOWN),
        reason=row["reason"] or "",
        notes=texts(read_json(row["notes"], [])),
        keys=row["keys"] or 0,
        contents=row["contents"] or 0,
        withdrawn=row["withdrawn"] or "",
        purged=bool(row["purged"]),
    )


def _sum(records: list[Records]) -> Records:
    return Records(*(sum(getattr(r, name) for r in records) for name in COUNTS))


def _groups(exhibits: list[Exhibit]) -> tuple[ExhibitGroup, ...]:
    found: dict[tuple[str, str, Mark], list[Exhibit]] = {}
    for exhibit in exhibits:
        found.setdefault((exhibit.owner, exhibit.source, exhibit.mark), []).append(exhibit)
    groups = []
    for (owner, source, mark), members in sorted(
        found.items(), key=lambda item: (item[0][0], item[0][1], item[0][2].word)
    ):
        firsts, lasts = [m.first for m in members if m.first], [m.last for m in members if m.last]
        octets = sum(m.size or 0 for m in members)
        groups.append(
            ExhibitGroup(
                owner,
                source,
                mark,
                len(members),
                octets,
                _sum([m.records for m in members]),
                min(firsts, default=None),
                max(lasts, default=None),
            )
        )
    return tuple(groups)


def _defects(case: CaseReading) -> list[Fault]:
    rows = case.rows(
        """SELECT f.exhibit, r.path, d.record_no, d.reason FROM defect d
           LEFT JOIN receipt r USING (receipt_id) LEFT JOIN evidence_file f ON f.file_sha256 = d.file_sha256
           ORDER BY r.receipt_id NULLS LAST, d.record_no NULLS FIRST, d.byte_offset NULLS FIRST, d.reason"""
    )
    return [Fault(r["exhibit"] or "", r["path"] or "", r["record_no"], r["reason"] or "") for r in rows]
