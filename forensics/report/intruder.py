"""View of what is held to be the intruder's: credentials, principals, addresses, sessions, and indicators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.analysis.credentials.attribution import Member
from forensics.report.reading import CaseReading, Row

METHODS = {
    "known": "stated in the settings",
    "issued": "issued by",
    "created": "created by",
    "address": "used by",
}
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Taint:
    """A credential, principal or address with how and from which independent root it is held to be the intruder's."""

    kind: str
    value: str
    since: datetime | None
    method: str
    parent: str
    root: str
    acts: int
    denied: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Issue:
    """A credential that one of the intruder's handed out."""

    credential: str
    principal: str
    method: str
    parent: str
    issued_at: datetime | None


@dataclass(frozen=True, slots=True)
class Intruder:
    """Everything held to be the intruder's."""

    taints: tuple[Taint, ...]
    cut: int
    sessions: tuple[Issue, ...]
    reached: tuple[Member, ...]
    too_common: tuple[tuple[str, str, int], ...]
    addresses: tuple[str, ...]
    credentials: tuple[str, ...]
    principals: tuple[str, ...]


def read_intruder(case: CaseReading) -> Intruder:
    """Return what the last exposure run held to be the intruder's, in order of time."""
    rows = case.rows(
        "SELECT DISTINCT kind, value, since, method, parent, root FROM tainted ORDER BY since NULLS LAST, kind, value, root, method, parent"
    )
    acts = _acts(case)
    taints = [_taint(row, acts) for row in rows]
    sessions = case.rows(
        """SELECT DISTINCT credential_id, principal, method, parent_credential_id, issued_at FROM credential
           WHERE credential_id IN (SELECT value FROM tainted WHERE kind = 'credential')
             AND parent_credential_id IN (SELECT value FROM tainted WHERE kind = 'credential')
           ORDER BY issued_at NULLS LAST, credential_id, parent_credential_id LIMIT 300"""
    )
    held = {t.value for t in taints if t.kind == "credential"}
    return Intruder(
        reached=tuple(m for m in case.attribution.members if m.credential not in held)[:_SHOWN],
        too_common=case.attribution.too_common[:_SHOWN],
        taints=tuple(taints[:_SHOWN]),
        cut=max(0, len(taints) - _SHOWN),
        sessions=tuple(
            Issue(
                r["credential_id"] or "",
                r["principal"] or "",
                r["method"] or "",
                r["parent_credential_id"] or "",
                r["issued_at"],
            )
            for r in sessions
        ),
        addresses=_of_kind(taints, "address"),
        credentials=_of_kind(taints, "credential"),
        principals=_of_kind(taints, "principal"),
    )


def _of_kind(taints: list[Taint], kind: str) -> tuple[str, ...]:
    return tuple(sorted({t.value for t in taints if t.kind == kind}))


def _acts(case: CaseReading) -> dict[tuple[str, str], Row]:
    """Acts in CloudTrail from the moment of the taint on, by kind and value."""
    found: dict[tuple[str, str], Row] = {}
    for kind, column in (("credential", "credential_id"), ("principal", "actor"), ("address", "source_ip")):
        rows = case.rows(
            f"""SELECT t.value, count(*) AS acts, count(*) FILTER (WHERE e.is_denied) AS denied,
                       min(e.event_time) AS first, max(e.event_time) AS last
                FROM aws_event e JOIN (SELECT value, min(since) AS since FROM tainted WHERE kind = ? GROUP BY value) t
                  ON e.{column} = t.value AND (t.since IS NULL OR e.event_time >= t.since)
                GROUP BY t.value ORDER BY t.value""",  # noqa: S608 - one of three names above
            [kind],
        )
        found.update({(kind, row["value"]): row for row in rows})
    return found


def _taint(row: Row, acts: dict[tuple[str, str], Row]) -> Taint:
    done = acts.get((row["kind"], row["value"]), {})
    return Taint(
        kind=row["kind"] or "",
        value=row["value"] or "",
        since=row["since"],
        method=METHODS.get(row["method"], row["method"] or ""),
        parent=row["parent"] or "",
        root=row["root"] or "",
        acts=done.get("acts", 0),
        denied=done.get("denied", 0),
        first=done.get("first"),
        last=done.get("last"),
    )
