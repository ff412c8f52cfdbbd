"""Evidence that must be asked for: from whom, what, why, whether what came is enough, and until when it can be had.

The list follows from the case alone (keys and their verdicts, exports and their bounds, trails, digests), so that it is
the same whenever it is made; what people add (asked when, by whom, a note) is kept in work.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from forensics.analysis.coverage import Coverage, Stream
from forensics.model.clock import iso
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

    from forensics.model.case import Settings

#: Step of the collection guide, by provider and kind of evidence.
_STEPS = {
    ("openai", "usage"): "openai_usage",
    ("openai", "audit"): "openai_audit",
    ("openai", "keys"): "openai_keys",
    ("openai", "costs"): "openai_costs",
    ("anthropic", "usage"): "anthropic_usage",
    ("anthropic", "audit"): "anthropic_activity",
    ("anthropic", "keys"): "anthropic_keys",
    ("anthropic", "costs"): "anthropic_costs",
    ("openrouter", "usage"): "openrouter_activity",
    ("azure_openai", "usage"): "azure_openai",
    ("google", "usage"): "vertex_audit",
    ("litellm", "usage"): "litellm",
    ("aws_bedrock", "usage"): "bedrock_invocations",
}
_WHAT = {
    "usage": "usage of the key by hour, grouped by key and model",
    "audit": "the provider's audit log: keys made and deleted, members, limits",
    "explanation": "what explains the usage: a launch, a batch job, another application, from a person who can say it",
    "digests": "digest files with their S3 metadata, and the public keys",
    "logs": "log files that a digest lists and that are missing or false",
    "trail": "log files of CloudTrail",
    "s3_data": "S3 data events of buckets that hold keys, if they were logged",
    "inventory": "a list of keys: customer, provider, key id, hint, where it was stored, since when",
}
#: Days after which a source loses data, by kind and provider; see the collection guide for where that is from.
_KEPT = {("usage", "openrouter"): 30, ("usage", "azure_openai"): 30, ("usage", "google"): 30, ("trail", ""): 90}

#: Ways to write that an export's own dates are UTC; no zone stated counts as it, as the providers' exports are.
_UTC = frozenset({"", "Z", "z", "UTC", "utc", "Etc/UTC", "GMT", "+00:00", "+0000"})


@dataclass(slots=True)
class Request:
    """One thing to ask for. Times naive UTC; `state`: open, asked, received, adequate.

    `why` names the keys or questions that it decides; `why_not` says what is wrong with what came; `step` is the entry of
    the collection guide with the commands.
    """

    id: str
    from_whom: str
    provider: str
    kind: str
    what: str
    why: str
    keys: tuple[str, ...]
    window_from: datetime
    window_until: datetime
    grouping: str
    step: str
    state: str = "open"
    why_not: tuple[str, ...] = ()
    expires_on: datetime | None = None
    asked_at: str = ""
    asked_by: str = ""
    received_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What people noted of a request."""

    asked_at: str = ""
    asked_by: str = ""
    note: str = ""


def requests_of(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    coverage: Coverage,
    noted: Mapping[str, Noted],
) -> list[Request]:
    """Return what must be asked for and what was, in the order of urgency and name."""
    answers = [
        json.loads(row["answer"])
        for row in rows_of(connection, "SELECT answer FROM verdict ORDER BY CAST(answer AS VARCHAR)")
    ]
    streams = {(s.kind, s.who, s.what): s for s in coverage.streams}
    found = [
        *_of_customers(connection, answers, streams, coverage),
        *_of_trails(settings, coverage),
        *_of_integrity(connection, settings, coverage),
    ]
    if not connection.execute("SELECT count(*) FROM ai_key").fetchall()[0][0]:
        found.append(
            _request("inventory", settings.organisation, "", coverage, "no key can be joined to its customer", ())
        )
    for request in found:
        said = noted.get(request.id, Noted())
        request.asked_at, request.asked_by, request.note = said.asked_at, said.asked_by, said.note
        if request.state == "open" and request.asked_at:
            request.state = "asked"
    return sorted(found, key=lambda r: (r.expires_on or datetime.max, r.from_whom, r.provider, r.kind, r.id))  # noqa: DTZ901 - naive UTC


def request_id(kind: str, who: str, provider: str, detail: str = "") -> str:
    """Return the number of a request: the same whenever the list is made."""
    return "R" + sha256(f"{kind}\n{who}\n{provider}\n{detail}".encode()).hexdigest()[:8]


def _request(
    kind: str,
    who: str,
    provider: str,
    coverage: Coverage,
    why: str,
    keys: tuple[str, ...],
    detail: str = "",
    step: str = "",
) -> Request:
    kept = _KEPT.get((kind, provider))
    return Request(
        id=request_id(kind, who, provider, detail),
        from_whom=who,
        provider=provider,
        kind=kind,
        what=_WHAT[kind] + (f" ({detail})" if detail else ""),
        why=why,
        keys=keys,
        window_from=coverage.since,
        window_until=coverage.until,
        grouping="api_key_id, model, by hour" if kind == "usage" else "",
        step=step or _STEPS.get((provider, kind), ""),
        expires_on=coverage.since + timedelta(days=kept) if kept else None,
    )


def _of_customers(
    connection: Any, answers: list[dict[str, Any]], streams: dict[tuple[str, str, str], Stream], coverage: Coverage
) -> list[Request]:
    by_owner: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for answer in answers:
        if answer.get("customer"):
            by_owner.setdefault((answer["customer"], answer["provider"]), []).append(answer)
    exports = rows_of(
        connection,
        "SELECT coalesce(c.owner, '') AS who, c.provider AS what, c.endpoint, c.grouped_by, c.granularity_s, c.covered_from,"
        " c.covered_until, coalesce(c.truncated, false) AS truncated, c.received_at, coalesce(r.zone, '') AS zone"
        " FROM ai_coverage AS c LEFT JOIN (SELECT file_sha256, owner, max(zone) AS zone FROM receipt GROUP BY ALL) AS r"
        " ON r.file_sha256 = c.file_sha256 AND r.owner IS NOT DISTINCT FROM c.owner ORDER BY ALL",
    )
    out = []
    for (customer, provider), keys in sorted(by_owner.items()):
        names = tuple(sorted(k["hint"] or k["key_id"] for k in keys))
        exposed = [k for k in keys if k["exposure"] not in ("none_seen",)]
        why = "decides what can be said of the use of " + ", ".join(names)
        usage = _request("usage", customer, provider, coverage, why, names)
        here = [
            e
            for e in exports
            if e["who"] == customer and e["what"] == provider and e["endpoint"] not in ("costs", "audit")
        ]
        _judge_usage(usage, here, coverage)
        out.append(usage)
        if provider in ("openai", "anthropic") and exposed:
            audit = _request(
                "audit", customer, provider, coverage, "shows keys made, members and limits after the exposure", names
            )
            stream = streams.get(("audit", customer, provider))
            if stream and stream.supplied:
                audit.received_at, late = (
                    stream.exported_at,
                    stream.last is not None and stream.last < coverage.until - timedelta(days=2),
                )
                audit.state = "adequate"
                if late and stream.last:
                    audit.state, audit.why_not = "received", (f"its last record is of {iso(stream.last)}",)
            out.append(audit)
        unexplained = [k for k in keys if k["abuse"] == "unexplained"]
        if unexplained:
            asked = sorted({a["result"] for k in unexplained for a in k["alternatives"] if not a["tested"]})
            names = tuple(sorted(k["hint"] or k["key_id"] for k in unexplained))
            out.append(_request("explanation", customer, provider, coverage, "; ".join(asked), names))
    return out


def _judge_usage(request: Request, exports: list[dict[str, Any]], coverage: Coverage) -> None:
    """Say whether what came is enough, and why not: window, grouping, width of buckets, cut pages, zone."""
    if not exports:
        request.why_not = ("nothing was received",)
        return
    request.received_at = max((e["received_at"] for e in exports if e["received_at"]), default=None)
    grouped = [
        e
        for e in exports
        if {"api_key_id", "key"} & set((e["grouped_by"] or "").split(",")) or e["endpoint"] == "requests"
    ]
    faults = []
    if not grouped:
        faults.append("not grouped by key")
    bounds = [
        (e["covered_from"], e["covered_until"]) for e in grouped or exports if e["covered_from"] and e["covered_until"]
    ]
    if not bounds:
        faults.append("it states no bounds")
    else:
        first, last = min(b[0] for b in bounds), max(b[1] for b in bounds)
        if first > coverage.since:
            faults.append(f"begins {iso(first)}, needed from {iso(coverage.since)}")
        if last < coverage.until:
            faults.append(f"ends {iso(last)}, needed until {iso(coverage.until)}")
        if any(e["truncated"] for e in grouped or exports if e["covered_until"] == last):
            faults.append("its last page says that more follows")
    if grouped and all((e["granularity_s"] or 0) > 3600 for e in grouped):
        faults.append("buckets are longer than an hour: one that straddles the exposure is neither before nor after")
    zones = sorted({e["zone"] for e in grouped or exports} - _UTC)
    if zones:
        faults.append(
            f"its receipt states the zone {', '.join(zones)}: buckets were read as UTC, so days and hours are moved"
        )
    request.why_not = tuple(faults)
    request.state = "received" if faults else "adequate"


def _of_trails(settings: Settings, coverage: Coverage) -> list[Request]:
    out = []
    for stream in coverage.streams:
        if stream.kind == "cloudtrail" and not stream.supplied:
            detail = " ".join(filter(None, (stream.who, stream.what)))
            why = "this account or region should have a trail, and nothing of it is in the evidence: " + ", ".join(
                stream.basis
            )
            out.append(_request("trail", settings.organisation, "", coverage, why, (), detail, "trail_files"))
    if not next(c.events for c in coverage.classes if c.name == "S3 data events"):
        why = "without them nobody can say which objects were read"
        out.append(_request("s3_data", settings.organisation, "", coverage, why, (), "", "trail_files"))
    return out


def _of_integrity(connection: Any, settings: Settings, coverage: Coverage) -> list[Request]:
    out = []
    if not connection.execute("SELECT count(*) FROM log_digest").fetchall()[0][0]:
        why = "without digests nobody can prove that the log files are unchanged"
        out.append(_request("digests", settings.organisation, "", coverage, why, (), "", "digest_signatures"))
    rows = rows_of(
        connection,
        "SELECT object, state FROM log_integrity WHERE integrity = 'failed' OR state = 'missing' ORDER BY object, state",
    )
    if rows:
        why = f"{len(rows)} log files failed or are missing, e.g. {rows[0]['object']} ({rows[0]['state']})"
        out.append(_request("logs", settings.organisation, "", coverage, why, (), "", "trail_files"))
    missing = connection.execute("SELECT coalesce(sum(missing), 0) FROM log_chain").fetchall()[0][0]
    if missing:
        why = f"{missing} digests are missing in their chains"
        out.append(
            _request("digests", settings.organisation, "", coverage, why, (), "missing ones", "digest_signatures")
        )
    return out
