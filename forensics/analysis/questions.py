"""The questions that a report must answer, and how far this evidence lets it answer each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.analysis.coverage import Coverage
from forensics.model.case import Settings

if TYPE_CHECKING:
    import duckdb

#: What is needed, in the words of its absence.
LACKS = {
    "aws": "no CloudTrail event",
    "all_trails": "a trail, account or region that should be there is not",
    "unbroken": "logging was stopped or narrowed within the window",
    "whole": "a log file failed its check or is missing",
    "t0": "the time of the first act (T0) is not stated",
    "t0_before": "no event before T0 to compare with",
    "logins": "no sign-in event",
    "secrets": "no event of a secret or parameter store",
    "kms": "no KMS event",
    "s3_data": "no S3 data event",
    "bedrock": "no Bedrock call in CloudTrail",
    "invocations": "no Bedrock invocation log",
    "inventory": "no key inventory",
    "customers": "the inventory names no customer",
    "usage": "no usage by key",
    "all_usage": "usage of a customer in the inventory was not supplied",
    "costs": "no costs",
    "audit": "no audit log of a provider",
    "all_audit": "the audit log of a customer's provider was not supplied",
    "addresses": "no provider log with addresses",
    "gateway": "no gateway log or statement that explains usage",
    "revocations": "no provider log shows when a key was revoked",
    "checked": "the log files were not checked against digests",
    "network": "no file of networks or countries",
    "indicators": "no file of indicators",
    "contained": "the time of containment is not stated",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answerability: answered, partly, not; and what lacks, in words."""

    number: int
    text: str
    state: str
    lacks: tuple[str, ...]


#: (question, what a full answer needs, what must be there for any answer: the first of these).
_QUESTIONS: tuple[tuple[str, str, str], ...] = (
    ("Which data was there, for which time, and what is missing?", "checked", ""),
    ("When did unauthorised access begin: the earliest provable and the earliest possible time?", "aws all_trails t0_before checked", "aws"),
    ("How did they get in: by which credential, login or trust?", "aws all_trails logins", "aws"),
    ("From where: addresses, networks, countries, tools?", "aws network", "aws"),
    ("Which identities, keys and sessions did they use?", "aws all_trails", "aws"),
    ("Did they raise their privileges, and how?", "aws all_trails", "aws"),
    ("What did they leave behind to come back?", "aws all_trails all_audit", "aws"),
    ("Did they blind logging or detection, and when?", "aws all_trails checked", "aws"),
    ("What did they look at?", "aws all_trails s3_data", "aws"),
    ("Which secrets were read, by whom, when, and how certain is it?", "secrets kms all_trails checked", "secrets"),
    ("Which stores that hold keys were copied, shared or entered?", "aws all_trails s3_data", "aws"),
    ("Which provider keys were exposed?", "inventory secrets all_trails", "secrets"),
    ("Which customers do they belong to?", "inventory customers", "inventory"),
    ("Which exposed keys were abused, and what shows it?", "inventory secrets all_usage addresses gateway", "usage"),
    ("When did abuse of each key begin and end?", "all_usage secrets", "usage"),
    ("What were the keys used for: models, endpoints, volume, hours?", "all_usage", "usage"),
    ("What did it cost, by key and customer?", "costs all_usage", "costs"),
    ("Were the provider organisations themselves entered or changed?", "all_audit", "audit"),
    ("Is the intruder in AWS the one who used the keys?", "aws addresses", "addresses"),
    ("Is there abuse that this incident does not explain?", "all_usage gateway", "usage"),
    ("Was Bedrock in the own account abused?", "bedrock invocations", "bedrock"),
    ("Which keys are not rotated, or still in use?", "inventory all_usage revocations", "usage"),
    ("How long did rotation take, and was the old key used after it?", "all_usage revocations", "revocations"),
    ("Is the intruder out: last act, live sessions, attempts afterwards?", "aws all_trails contained revocations", "aws"),
    ("Which indicators were found, and which were looked for and not found?", "indicators aws addresses", "indicators"),
    ("Was customer data beyond keys reached: prompts, logs, files?", "s3_data invocations all_audit", "aws"),
    ("Was anything destroyed or changed?", "aws all_trails checked", "aws"),
    ("Who must be told what, on which evidence?", "inventory customers all_usage", "inventory"),
    ("What stays unknown, and which log would tell?", "", ""),
)  # fmt: skip
_BLINDING = frozenset({"StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors", "DeleteEventDataStore"})
_FAILED = "SELECT count(*) FROM log_integrity WHERE integrity = 'failed' OR state = 'missing'"
_COUNTS = {
    "aws": "SELECT count(*) FROM aws_event",
    "logins": "SELECT count(*) FROM aws_event WHERE event_source = 'signin.amazonaws.com'",
    "secrets": "SELECT count(*) FROM secret_access",
    "kms": "SELECT count(*) FROM aws_event WHERE event_source = 'kms.amazonaws.com'",
    "s3_data": "SELECT count(*) FROM aws_event WHERE event_source = 's3.amazonaws.com'"
    " AND (event_category = 'Data' OR coalesce(management_event, true) = false)",
    "bedrock": "SELECT count(*) FROM aws_event WHERE event_source LIKE 'bedrock%'",
    "invocations": "SELECT count(*) FROM ai_request WHERE source_id = 'bedrock_invocation'",
    "inventory": "SELECT count(*) FROM ai_key",
    "customers": "SELECT count(*) FROM ai_key WHERE coalesce(customer, '') <> ''",
    "usage": "SELECT count(*) FROM ai_usage WHERE key_id IS NOT NULL",
    "costs": "SELECT count(*) FROM ai_cost",
    "audit": "SELECT count(*) FROM ai_audit_event",
    "addresses": "SELECT count(*) FROM ai_request WHERE source_ip IS NOT NULL",
    "revocations": "SELECT count(*) FROM ai_audit_event WHERE action LIKE '%key%' AND outcome = 'success'",
    "network": "SELECT count(*) FROM address_fact WHERE fact IN ('country', 'asn')",
    "indicators": "SELECT count(*) FROM indicator WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)",
    "checked": "SELECT count(*) FROM result_basis WHERE kind = 'verify-logs'",
}


def questions_of(connection: duckdb.DuckDBPyConnection, settings: Settings, coverage: Coverage) -> list[Question]:
    """Return every question with what the evidence lacks for it."""
    has = {name: bool(connection.execute(sql).fetchall()[0][0]) for name, sql in _COUNTS.items()}
    streams = coverage.streams
    has |= {
        "unbroken": not any(c["action"] in _BLINDING and c["outcome"] == "success" for c in coverage.changes),
        "whole": not connection.execute(_FAILED).fetchall()[0][0],
        "t0": settings.t0 is not None,
        "t0_before": settings.t0 is not None
        and any(s.first and s.first < settings.t0 for s in streams if s.kind == "cloudtrail"),
        "all_trails": all(s.supplied for s in streams if s.kind == "cloudtrail") and has["aws"],
        "all_usage": has["usage"] and all(s.supplied for s in streams if s.kind == "usage"),
        "all_audit": has["audit"] and all(s.supplied for s in streams if s.kind == "audit"),
        "gateway": any(s.kind == "gateway_complete" for s in settings.statements),
        "contained": settings.contained is not None,
    }
    out = []
    for number, (text, stated, least) in enumerate(_QUESTIONS, start=1):
        needs = stated.replace("all_trails", "all_trails unbroken whole")
        lacks = tuple(LACKS[name] for name in needs.split() if not has[name])
        state = "answered" if not lacks else "partly" if not least or has[least] else "not"
        out.append(Question(number, text, state, lacks))
    return out
