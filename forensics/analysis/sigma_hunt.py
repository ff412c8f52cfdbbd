"""Run Sigma rules over the CloudTrail events of a case, and say of each rule what came or why nothing could."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.analysis.context import Window, catalogue, catalogue_sha256, window_of
from forensics.analysis.findings import Finding, finding_event_rows, finding_row, group, in_order
from forensics.analysis.hunt import event_ids
from forensics.model.errors import QueryFault
from forensics.model.outcome import CanonicalRows
from forensics.model.query import Query, QueryKind
from forensics.queries.engine import QueryEngine
from forensics.sigma.compile import Compiled, compile_rule
from forensics.sigma.load import Rule, load_rules
from forensics.store.basis import components, fingerprint
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.eventstore import EventStore, text_json

if TYPE_CHECKING:
    from forensics.model.clock import Clock
    from forensics.store.case_folder import CaseFolder

_SEARCHED = (
    "SELECT count(*) AS n FROM aws_event WHERE event_time IS NULL OR (event_time >= $since AND event_time < $until)"
)
_ATTACK = re.compile(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?|[a-z][a-z_-]{2,40})", re.IGNORECASE)
_CONFIDENCE = {"stable": "high", "test": "medium"}


class RuleState(StrEnum):
    """What came of a rule. `none_seen` is said only of records that were there to be searched."""

    HIT = "hit"
    NONE_SEEN = "none_seen"
    NOT_CONVERTIBLE = "not_convertible"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule, what came of it, and why. Times are naive UTC."""

    rule: Rule
    state: RuleState
    reason: str
    records_searched: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    event_keys: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    sql: str = ""
    rows: CanonicalRows | None = None


@dataclass(frozen=True, slots=True)
class SigmaResult:
    """Outcomes in the order of rule ids; findings, gravest first; `rules_sha256` over all rule files."""

    outcomes: tuple[RuleOutcome, ...]
    findings: tuple[Finding, ...]
    rules_sha256: str


def attack_ids(tags: Sequence[str]) -> list[str]:
    """Return the ids of ATT&CK among a rule's tags: techniques in capitals, tactics by name."""
    found = [m.group(1) for m in (_ATTACK.fullmatch(tag) for tag in tags) if m]
    return [f.upper() if re.match(r"[tT][0-9]", f) else f.lower() for f in found]


def run_rules(engine: QueryEngine, rules: Sequence[Rule], window: Window) -> SigmaResult:
    """Run every rule; one that cannot be converted or fails does not stop the others."""
    bounds = {"since": window.since, "until": window.until}
    searched = int(engine.run(_SEARCHED, bounds).rows[0][0])
    by_name = {name: rule for rule in reversed(rules) for name in rule.names}
    compiled, faults = _compiled(rules, by_name)
    silent = _silent(rules, compiled)
    outcomes: list[RuleOutcome] = []
    findings: list[Finding] = []
    for rule in sorted(rules, key=lambda r: r.id):
        if rule.id in faults:
            state = RuleState.NOT_EVALUABLE if rule.other_log else RuleState.NOT_CONVERTIBLE
            outcomes.append(RuleOutcome(rule, state, faults[rule.id], searched))
            continue
        if not searched:
            reason = "the case holds no CloudTrail event in the window"
            outcomes.append(RuleOutcome(rule, RuleState.NOT_EVALUABLE, reason))
            continue
        outcome, found = _run_one(engine, rule, compiled[rule.id], bounds, searched, silent=rule.id in silent)
        outcomes.append(outcome)
        findings += found
    ids = event_ids(engine, {key for o in outcomes for key in o.event_keys})
    named = tuple(_with_ids(o, ids) for o in outcomes)
    digest = sha256("\n".join(f"{r.place} {r.sha256}" for r in rules).encode()).hexdigest()
    return SigmaResult(named, in_order(findings), digest)


def _compiled(rules: Sequence[Rule], by_name: dict[str, Rule]) -> tuple[dict[str, Compiled], dict[str, str]]:
    compiled: dict[str, Compiled] = {}
    faults: dict[str, str] = {}
    for rule in rules:
        if rule.other_log and not rule.fault:
            faults[rule.id] = f"written for {rule.other_log}; Sigma rules are run over CloudTrail"
            continue
        try:
            compiled[rule.id] = compile_rule(rule, by_name)
        except QueryFault as fault:
            faults[rule.id] = fault.message
    return compiled, faults


def _silent(rules: Sequence[Rule], compiled: dict[str, Compiled]) -> set[str]:
    """Return the rules that only feed correlations: Sigma shows their own matches where `generate` says so."""
    spoken: set[str] = set()
    used: set[str] = set()
    for rule in rules:
        if rule.correlation is not None and rule.id in compiled:
            used |= set(compiled[rule.id].uses)
            spoken |= set(compiled[rule.id].uses) if rule.correlation.generate else set()
    return used - spoken


def _run_one(
    engine: QueryEngine,
    rule: Rule,
    made: Compiled,
    bounds: dict[str, datetime],
    searched: int,
    *,
    silent: bool,
) -> tuple[RuleOutcome, list[Finding]]:
    try:
        rows = engine.run(made.sql, {**bounds, **made.parameters})
        findings = group(_query(rule, made.sql), rows, baseline=True)
    except QueryFault as fault:
        reason = f"its SQL could not be run: {fault.message}"
        return RuleOutcome(rule, RuleState.NOT_EVALUABLE, reason, searched, sql=made.sql), []
    notes = [f"{searched} records searched"]
    if made.foreign:
        notes.append(f"not fields of CloudTrail: {', '.join(made.foreign)}")
    keys = tuple(dict.fromkeys(key for f in findings for key in f.event_keys))
    times = [t for f in findings for t in (f.first_seen, f.last_seen) if t is not None]
    first = f"{len(keys)} events in {len(findings)} findings" if findings else "no record fits"
    if silent and findings:
        first = f"{len(keys)} events, used by a correlation only (it does not say generate)"
    outcome = RuleOutcome(
        rule,
        RuleState.HIT if findings else RuleState.NONE_SEEN,
        "; ".join([first, *notes]),
        searched,
        min(times, default=None),
        max(times, default=None),
        keys,
        sql=made.sql,
        rows=rows,
    )
    return outcome, [] if silent else findings


def _query(rule: Rule, sql: str) -> Query:
    return Query(
        id=rule.id,
        kind=QueryKind.DETECTION,
        title=rule.title,
        severity=rule.severity,
        confidence=_CONFIDENCE.get(rule.status.lower(), "low"),
        sources=("aws_event",),
        description="",
        sql=sql,
        sha256=rule.sha256,
        place=rule.place,
        false_positives=rule.false_positives,
    )


def _with_ids(outcome: RuleOutcome, ids: dict[str, str]) -> RuleOutcome:
    return replace(outcome, event_ids=tuple(ids.get(k, k) for k in outcome.event_keys))


def rule_row(outcome: RuleOutcome) -> dict[str, Any]:
    """Return the row of table sigma_rule."""
    rule = outcome.rule
    return {
        "rule_id": rule.id,
        "place": rule.place,
        "file_sha256": rule.sha256,
        "title": rule.title,
        "severity": str(rule.severity),
        "status": rule.status or None,
        "author": rule.author or None,
        "licence": rule.licence or None,
        "tags": json.dumps(rule.tags, ensure_ascii=False),
        "false_positives": json.dumps(rule.false_positives, ensure_ascii=False),
        "attack": json.dumps(attack_ids(rule.tags)),
        "state": str(outcome.state),
        "reason": outcome.reason,
        "count": len(outcome.event_keys),
        "records_searched": outcome.records_searched,
        "sql_sha256": sha256(outcome.sql.encode()).hexdigest() if outcome.sql else None,
        "result_sha256": outcome.rows.sha256 if outcome.rows else None,
    }


def sigma_case(
    folder: CaseFolder,
    rules_folder: Path,
    clock: Clock,
    *,
    by: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    store: bool = True,
) -> SigmaResult:
    """Run the rules of a folder over a case; with `store` keep what came in place of the last such run.

    Raises UsageFault when the folder holds no rule file, or the case no record with a time.
    """
    rules = load_rules(rules_folder)
    connection = folder.reader()
    try:
        window = window_of(connection, folder.settings(), since, until)
        result = run_rules(DuckDBEngine(connection), rules, window)
    finally:
        connection.close()
    if store:
        _keep(folder, result, clock, by)
    return result


def _keep(folder: CaseFolder, result: SigmaResult, clock: Clock, by: str) -> None:
    with folder.writer("hunt") as connection:
        into, now = EventStore(connection), clock().replace(tzinfo=None)
        parts = components(connection, folder, catalogue_sha256(catalogue())) | {"rules": result.rules_sha256}

        def work() -> None:
            into.replace("sigma_rule", [rule_row(o) for o in result.outcomes])
            into.replace("sigma_finding", [finding_row(f) for f in result.findings])
            into.replace("sigma_finding_event", [r for f in result.findings for r in finding_event_rows(f)])
            connection.execute("DELETE FROM result_basis WHERE kind = 'sigma'")
            into.insert(
                "result_basis",
                [
                    {
                        "kind": "sigma",
                        "fingerprint": fingerprint(parts),
                        "components": text_json(parts),
                        "computed_at": now,
                    }
                ],
            )

        into.transact(work)
        states = {s.value: sum(o.state == s for o in result.outcomes) for s in RuleState}
        folder.custody.append("hunt", by, fingerprint=fingerprint(parts), rules=len(result.outcomes), states=states)
