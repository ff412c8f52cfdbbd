"""Writes the whole folder; the one place that knows all its parts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from forensics.sample import documents
from forensics.sample.aws_side_files import write_invocations, write_lookup
from forensics.sample.customer_files import CustomerFiles
from forensics.sample.digests import write_digests
from forensics.sample.ground_truth import ground_truth
from forensics.sample.story import Settings
from forensics.sample.trail_files import write_trail
from forensics.sample.trail_plan import make_plan


@dataclass(frozen=True)
class Written:
    """What was written: log files, their records, how many of those are repeats, and the other rows."""

    log_files: int
    records: int
    repeats: int
    invocations: int
    gateway_requests: int


def generate(folder: Path, settings: Settings) -> Written:
    """Write the sample below `folder`; TooFewEventsError where the settings cannot hold the story."""
    plan = make_plan(settings)
    aws = folder / "aws"
    aws.mkdir(parents=True, exist_ok=True)
    logs = write_trail(aws, plan)
    write_digests(aws, settings, logs)
    invocations = write_invocations(aws / "bedrock_invocations", settings)
    lookup = aws / "lookup_events_eu-central-1.json"
    write_lookup(lookup, plan)

    receipts = documents.Receipts(settings)
    receipts.add_aws(hashlib.sha256(lookup.read_bytes()).hexdigest())
    exports = CustomerFiles(folder, settings, receipts)
    exports.write_all()

    truth = ground_truth(settings, {**plan.steps, **exports.steps})
    for name, text in (
        ("case.toml", documents.case_toml(settings)),
        ("key_inventory.csv", documents.key_inventory(settings)),
        ("receipts.csv", receipts.text()),
        ("ground_truth.json", json.dumps(truth, indent=1) + "\n"),
        ("README.md", documents.readme(settings)),
    ):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return Written(
        len(logs),
        sum(log.records for log in logs),
        sum(log.repeats for log in logs),
        invocations,
        exports.gateway_requests,
    )
