"""View of what could not be seen: silent hours, stopped logging, cut exports, and questions nothing could answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.model.money import money_text
from forensics.report import words
from forensics.report.ledger import Run
from forensics.report.log_integrity import LogIntegrity
from forensics.report.reading import CaseReading, from_hour, hour_numbers

#: Silent stretches shown of one region.
STRETCHES = 3
_STOPPING = ("StopLogging", "DeleteTrail", "StopEventDataStoreIngestion", "DeleteEventDataStore")
_REDUCING = ("PutEventSelectors", "UpdateTrail", "DeleteModelInvocationLoggingConfiguration")
_STARTING = ("StartLogging", "CreateTrail", "StartEventDataStoreIngestion", "PutModelInvocationLoggingConfiguration")


@dataclass(frozen=True, slots=True)
class Silence:
    """Hours of the window without a CloudTrail event of an account and region, with the longest runs of them."""

    account: str
    region: str
    hours: int
    silent: int
    stretches: tuple[tuple[datetime, datetime, int], ...]


@dataclass(frozen=True, slots=True)
class LoggingChange:
    """An act that stopped, reduced or started logging."""

    time: datetime | None
    kind: str
    action: str
    resource: str
    actor: str
    account: str
    region: str
    outcome: str
    by_intruder: bool


@dataclass(frozen=True, slots=True)
class Export:
    """An export that ends early or is not grouped by key."""

    owner: str
    source: str
    endpoint: str
    since: datetime | None
    until: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """A figure that a later export reports otherwise than an earlier one."""

    owner: str
    source: str
    endpoint: str
    bucket: datetime | None
    key_id: str
    model: str
    measure: str
    earlier: int | None
    later: int | None
    difference: int


@dataclass(frozen=True, slots=True)
class Rebilled:
    """An amount that a later export bills otherwise than an earlier one, to the last digit."""

    owner: str
    source: str
    period: datetime | None
    payer: str
    line_item: str
    earlier: str
    later: str
    difference: str


@dataclass(frozen=True, slots=True)
class Gaps:
    """Everything the evidence could not show."""

    not_evaluable: tuple[Run, ...]
    no_baseline: tuple[Run, ...]
    failed: tuple[Run, ...]
    silences: tuple[Silence, ...]
    silences_cut: int
    logging: tuple[LoggingChange, ...]
    stops: int
    exports: tuple[Export, ...]
    exports_cut: int
    keys_open: int
    sources: tuple[str, ...]
    superseded: tuple[Superseded, ...] = ()
    superseded_cut: int = 0
    rebilled: tuple[Rebilled, ...] = ()
    rebilled_cut: int = 0


def read_gaps(case: CaseReading, runs: tuple[Run, ...], keys_open: int) -> Gaps:
    """Return the gaps of the case; `keys_open` is the number of keys one axis of which is not evaluable."""
    silences, exports, logging = _silences(case), _exports(case), _logging(case)
    superseded, rebilled = _superseded(case), _rebilled(case)
    return Gaps(
        not_evaluable=tuple(r for r in runs if r.state == "not_evaluable"),
        no_baseline=tuple(r for r in runs if r.state == "no_baseline"),
        failed=tuple(r for r in runs if r.state == "failed"),
        silences=tuple(silences[:40]),
        silences_cut=max(0, len(silences) - 40),
        logging=tuple(logging),
        stops=sum(c.kind == "stopped" and c.outcome == "success" for c in logging),
        exports=tuple(exports[:60]),
        exports_cut=max(0, len(exports) - 60),
        keys_open=keys_open,
        sources=tuple(case.hours_by_source),
        superseded=tuple(superseded[:60]),
        superseded_cut=max(0, len(superseded) - 60),
        rebilled=tuple(rebilled[:60]),
        rebilled_cut=max(0, len(rebilled) - 60),
    )


def _silences(case: CaseReading) -> list[Silence]:
    if not case.window:
        return []
    window = hour_numbers(*case.window)
    rows = case.rows(
        """SELECT DISTINCT coalesce(account_id, '') AS account, coalesce(region, '') AS region, event_epoch // 3600 AS hour
           FROM aws_event WHERE event_epoch IS NOT NULL ORDER BY account, region, hour"""
    )
    heard: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        heard.setdefault((row["account"], row["region"]), set()).add(row["hour"])
    found = []
    for (account, region), hours in sorted(heard.items()):
        silent = [h for h in window if h not in hours]
        if silent:
            found.append(Silence(account, region, len(window), len(silent), _longest(silent)))
    return found


def _longest(silent: list[int]) -> tuple[tuple[datetime, datetime, int], ...]:
    runs: list[list[int]] = []
    for hour in silent:
        if runs and hour == runs[-1][1] + 1:
            runs[-1][1] = hour
        else:
            runs.append([hour, hour])
    chosen = sorted(runs, key=lambda r: (r[0] - r[1], r[0]))[:STRETCHES]
    return tuple((from_hour(a), from_hour(b + 1), b - a + 1) for a, b in sorted(chosen))


def _logging(case: CaseReading) -> list[LoggingChange]:
    names = (*_STOPPING, *_REDUCING, *_STARTING)
    marks = ", ".join("?" for _ in names)
    rows = case.rows(
        f"""SELECT event_time, event_name_base, resource, actor, account_id, region, outcome,
                   coalesce(credential_id IN (SELECT value FROM tainted WHERE kind = 'credential')
                     OR source_ip IN (SELECT value FROM tainted WHERE kind = 'address'), FALSE) AS intruder
            FROM aws_event WHERE event_name_base IN ({marks}) ORDER BY event_time NULLS LAST, event_key LIMIT 60""",  # noqa: S608 - marks only
        names,
    )
    return [
        LoggingChange(
            r["event_time"], _kind(r["event_name_base"]), r["event_name_base"], r["resource"] or "", r["actor"] or "",
            r["account_id"] or "", r["region"] or "", r["outcome"] or "", bool(r["intruder"]),
        )
        for r in rows
    ]  # fmt: skip


def _kind(name: str) -> str:
    return "stopped" if name in _STOPPING else "changed" if name in _REDUCING else "started"


def _exports(case: CaseReading) -> list[Export]:
    rows = case.rows(
        """SELECT owner, source_id, endpoint, covered_from, covered_until, truncated,
                  endpoint NOT IN ('audit', 'requests') AND NOT contains(',' || coalesce(grouped_by, '') || ',', 'key') AS ungrouped,
                  EXISTS (FROM ai_coverage AS n WHERE n.source_id = c.source_id AND n.owner = c.owner
                          AND n.organisation = c.organisation AND n.endpoint = c.endpoint AND n.granularity_s = c.granularity_s
                          AND n.covered_from <= c.covered_until AND n.covered_until > c.covered_until) AS goes_on,
                  EXISTS (FROM ai_coverage AS n WHERE n.source_id = c.source_id AND n.owner = c.owner
                          AND n.organisation = c.organisation AND n.endpoint = c.endpoint AND n.granularity_s IS NULL
                          AND n.covered_from < c.covered_from) AS earlier_page
           FROM ai_coverage AS c ORDER BY owner, source_id, endpoint, covered_from NULLS LAST, covered_until NULLS LAST, grouped_by, file_sha256"""
    )
    found: dict[Export, None] = {}
    for row in rows:
        head = (
            row["owner"] or "",
            row["source_id"] or "",
            row["endpoint"] or "",
            row["covered_from"],
            row["covered_until"],
        )
        if row["truncated"] and row["earlier_page"]:
            # Pages of events carry no bounds that would show whether one between them is missing.
            found[Export(*head, "its page says that more follows; a page of earlier events was supplied too")] = None
        elif row["truncated"] and not row["goes_on"]:
            found[Export(*head, "cut: its last page says that more follows")] = None
        if row["ungrouped"]:
            found[Export(*head, "not grouped by key: shows no single key")] = None
    return list(found)


def _superseded(case: CaseReading) -> list[Superseded]:
    rows = case.rows(
        """SELECT owner, source_id, endpoint, bucket_start, key_id, model, measure, earlier, later, difference
           FROM ai_usage_superseded ORDER BY owner, source_id, bucket_start, endpoint, key_id NULLS LAST,
             model NULLS LAST, measure, earlier_event_key, event_key"""
    )
    return [
        Superseded(
            r["owner"] or "", r["source_id"] or "", r["endpoint"] or "", r["bucket_start"], r["key_id"] or "",
            r["model"] or "", r["measure"], r["earlier"], r["later"], r["difference"],
        )
        for r in rows
    ]  # fmt: skip


def _rebilled(case: CaseReading) -> list[Rebilled]:
    rows = case.rows(
        """SELECT owner, source_id, period_start, coalesce(key_id, key_name, project_id, workspace_id, user_id, '') AS payer,
                  coalesce(line_item, model, '') AS line_item, earlier_currency, currency, earlier, later, difference
           FROM ai_cost_superseded ORDER BY owner, source_id, period_start, payer, line_item, earlier_event_key, event_key"""
    )
    return [
        Rebilled(
            r["owner"] or "", r["source_id"] or "", r["period_start"], r["payer"], r["line_item"],
            money_text(r["earlier"], r["earlier_currency"]), money_text(r["later"], r["currency"]),
            money_text(r["difference"]),
        )
        for r in rows
    ]  # fmt: skip


def gap_sentence(gaps: Gaps, integrity: LogIntegrity) -> str:
    """Return the most important gap as one sentence in words."""
    parts = []
    failed = len(integrity.faults) + integrity.faults_cut
    if failed:
        parts.append(
            f"{words.count(failed, 'log file')} failed the check of digests or {'is' if failed == 1 else 'are'} missing"
        )
    if gaps.stops:
        parts.append(f"logging was stopped {words.times(gaps.stops)}")
    if gaps.not_evaluable:
        n = len(gaps.not_evaluable)
        parts.append(f"{words.count(n, 'query')} could not be evaluated")
    if gaps.keys_open:
        parts.append(f"for {words.count(gaps.keys_open, 'key')} one question stays open")
    if not parts:
        return integrity.sentence
    return f"Not seen: {words.listed(parts)}."
