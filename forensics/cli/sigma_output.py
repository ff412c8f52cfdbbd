"""What `hunt --sigma` prints: every rule of the folder with its state, then the findings."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forensics.analysis.context import window_of
from forensics.analysis.horizon import horizons_of, reach_words
from forensics.analysis.sigma_hunt import RuleOutcome, RuleState, SigmaResult, attack_ids, sigma_case
from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.window import bound
from forensics.model.clock import system_clock
from forensics.model.errors import ExitCode, first_of
from forensics.store.case_folder import CaseFolder

_CODES = {
    RuleState.HIT: ExitCode.FINDINGS,
    RuleState.NONE_SEEN: ExitCode.DONE,
    RuleState.NOT_CONVERTIBLE: ExitCode.UNDECIDED,
    RuleState.NOT_EVALUABLE: ExitCode.UNDECIDED,
}


def hunt_sigma(
    folder: CaseFolder, rules: Path, since: str, until: str, by: str, *, dry_run: bool, as_json: bool
) -> int:
    """Run the rules, print what came, return the exit code: 10 with hits, 6 with a rule that could not be run, else 0."""
    low, high = bound(since, "--since"), bound(until, "--until")
    stored = not (low or high or dry_run)
    started = time.monotonic()
    result = sigma_case(folder, rules, system_clock, by=by, since=low, until=high, store=stored)
    seconds = round(time.monotonic() - started, 1)
    connection = folder.reader()
    try:
        window = window_of(connection, folder.settings(), low, high)
        horizons = horizons_of(connection, window.since, window.until)
    finally:
        connection.close()
    if not stored:
        say("another window or a dry run: shown, not stored")
    if as_json:
        findings = [_finding(f) for f in result.findings]
        rules_found, reach = [_rule(o) for o in result.outcomes], [asdict(h) for h in horizons]
        out_json({"rules": rules_found, "findings": findings, "horizons": reach, "seconds": seconds})
    else:
        _print(result, seconds)
        say(f"last seen is as of the horizon: {reach_words(horizons)}")
    return int(first_of({_CODES[o.state] for o in result.outcomes}))


def _rule(outcome: RuleOutcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "rule_id": rule.id,
        "title": rule.title,
        "state": str(outcome.state),
        "severity": str(rule.severity),
        "status": rule.status,
        "attack": attack_ids(rule.tags),
        "false_positives": list(rule.false_positives),
        "author": rule.author,
        "licence": rule.licence,
        "place": rule.place,
        "reason": outcome.reason,
        "count": len(outcome.event_keys),
        "first_seen": outcome.first_seen,
        "last_seen": outcome.last_seen,
        "event_ids": list(outcome.event_ids),
    }


def _finding(finding: Any) -> dict[str, Any]:
    names = ("finding_id", "query_id", "severity", "confidence", "title", "actor", "first_seen", "last_seen")
    events = [{n: e[n] for n in ("event_key", "event_time", "action", "evidence")} for e in finding.events]
    return {**{n: getattr(finding, n) for n in names}, "events": events}


def _print(result: SigmaResult, seconds: float) -> None:
    out_table(
        "",
        ("finding", "severity", "rule", "title", "actor", "events", "first seen", "last seen"),
        [
            (f.finding_id, str(f.severity), f.query_id, f.title, f.actor, f.event_count, f.first_seen, f.last_seen)
            for f in result.findings
        ],
        right=frozenset({5}),
    )
    out()
    for o in result.outcomes:
        if o.state == RuleState.HIT:
            told = [
                ("ATT&CK", ", ".join(attack_ids(o.rule.tags))),
                ("by", o.rule.author),
                ("licence", o.rule.licence or "not stated in the rule"),
                ("innocent where", "; ".join(o.rule.false_positives)),
            ]
            say(f"hit: {o.rule.id} {o.rule.title}: " + "; ".join([o.reason, *(f"{n}: {t}" for n, t in told if t)]))
        elif o.state != RuleState.NONE_SEEN:
            say(f"{o.state}: {o.rule.place}: {o.rule.title}: {o.reason}")
    states = Counter(str(o.state) for o in result.outcomes)
    noun = "rule" if len(result.outcomes) == 1 else "rules"
    say(f"{len(result.outcomes)} {noun} in {seconds} s: " + ", ".join(f"{n} {s}" for s, n in sorted(states.items())))
