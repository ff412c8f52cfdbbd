"""A query pack to write in a temporary folder: one sound detection, and changes to it."""

from __future__ import annotations

from pathlib import Path

HEADER = """\
id = "aws.trail_stopped"
kind = "detection"
title = "A trail was stopped"
severity = "high"
confidence = "high"
sources = ["aws_cloudtrail"]
attack = ["T1562.008"]
attack_v19 = ["T1685.002"]
attack_version = "18.1"
description = "A trail was stopped. Denied attempts count."
misses = "Selectors made narrower."
false_positives = ["A planned move of the trail"]
next_steps = ["Find the call that starts it again"]
references = ["https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html"]
needs = ["aws_events"]

[params]
verb = { type = "text", doc = "Name of the call", default = "StopLogging" }
"""

SQL = """\
SELECT coalesce(e.actor, '') || ' ' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
       e.event_time,
       e.actor,
       e.event_source || ':' || e.event_name_base AS action,
       e.resource,
       e.source_ip,
       e.credential_id,
       e.account_id,
       e.region,
       e.outcome,
       e.event_key,
       e.evidence,
       e.user_agent
FROM aws_event AS e
WHERE e.event_source = 'cloudtrail.amazonaws.com'
  AND e.event_name_base = $verb
  AND e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
"""

CASES = """\
base = "iam_user"

[[must_match]]
name = "stopped"
events = [
  { eventSource = "cloudtrail.amazonaws.com", eventName = "StopLogging", requestParameters.name = "org" },
]
expect = [{ action = "cloudtrail.amazonaws.com:StopLogging", resource = "org", outcome = "success" }]
expect_count = 1

[[must_match]]
name = "refused"
events = [{ eventSource = "cloudtrail.amazonaws.com", eventName = "StopLogging", errorCode = "AccessDenied" }]
expect = [{ outcome = "denied", event_time = 2026-05-05T03:00:00Z, source_ip = "203.0.113.45" }]

[[must_not_match]]
name = "started"
events = [{ eventSource = "cloudtrail.amazonaws.com", eventName = "StartLogging" }]

[[must_not_match]]
name = "another service"
events = [{ eventSource = "codebuild.amazonaws.com", eventName = "StopLogging" }]
"""


def text(header: str = HEADER, sql: str = SQL) -> str:
    """Return the content of a query file."""
    commented = "".join(f"-- {line}".rstrip() + "\n" for line in header.splitlines())
    return f"-- ---\n{commented}-- ---\n{sql}"


def write(folder: Path, header: str = HEADER, sql: str = SQL, name: str = "trail_stopped") -> Path:
    """Write a query file at `<folder>/queries/detections/aws/<name>.sql` and return its path."""
    path = folder / "queries" / "detections" / "aws" / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(header, sql), encoding="utf-8")
    return path


def header_with(key: str, line: str) -> str:
    """Return the header with the line of `key` replaced by `line` ("" drops it)."""
    kept = [line if old.startswith(f"{key} =") else old for old in HEADER.splitlines()]
    return "\n".join(k for k in kept if k or not line) + "\n"
