"""Small rules of our own and cases to run them over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from forensics.analysis.sigma_hunt import RuleOutcome, SigmaResult, sigma_case
from forensics.cli.main import run
from forensics.store.case_folder import CaseFolder
from tests.building import clock, delivery, new_case

HEAD = "title: {title}\nlogsource: {{product: aws, service: cloudtrail}}\n"


def rule(selection: Any, condition: str = "s", *, name: str = "own", **more: Any) -> str:
    """One rule as YAML; JSON is YAML."""
    detections = selection if condition != "s" else {"s": selection}
    body = {
        "title": name,
        "name": name,
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "detection": {**detections, "condition": condition},
        "level": "high",
    }
    return json.dumps(body | more)


def correlation(kind: str, rules: list[str], timespan: str = "5m", **more: Any) -> str:
    """One correlation as YAML."""
    inner = {"type": kind, "rules": rules, "timespan": timespan} | {k.replace("_", "-"): v for k, v in more.items()}
    return json.dumps({"title": "together", "name": "together", "correlation": inner, "level": "high"})


def filled(folder: Path, events: list[dict[str, Any]]) -> CaseFolder:
    """A case with these records."""
    case = new_case(folder)
    logs = folder / "logs.json"
    logs.write_bytes(delivery(events))
    assert run(["ingest", str(case.root), str(logs)]) == 0
    return case


def written(folder: Path, *files: str) -> Path:
    """A folder of rule files, in this order."""
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    for number, text in enumerate(files):
        (rules / f"r{number:02d}.yml").write_text(text, encoding="utf-8")
    return rules


def ran(case: CaseFolder, folder: Path, *files: str) -> SigmaResult:
    """Run rules over a case without storing."""
    return sigma_case(case, written(folder, *files), clock, store=False)


def numbers(outcome: RuleOutcome) -> list[int]:
    """The numbers of the events that a rule matched (see `tests.building.event`)."""
    return sorted(int(i.rpartition("-")[2]) for i in outcome.event_ids)


def of(result: SigmaResult, title: str) -> RuleOutcome:
    """The outcome of the rule with this title."""
    (found,) = [o for o in result.outcomes if o.rule.title == title]
    return found
