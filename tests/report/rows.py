"""A small case for the report, row by row: three keys, two findings, an intruder, usage, a defect, a skipped file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
Change = Callable[[str], str]

CONTENT = {n: str(n) * 64 for n in range(1, 6)}
DAY = datetime(2026, 5, 5)
READ_AT = datetime(2026, 5, 5, 2, 26)


def _pointer(content: int, record: int) -> str:
    return f"{CONTENT[content]}#{record:09d}"


def _answer(**fields: Any) -> Row:
    base: Row = {
        "provider": "openai", "kind": "project", "hint": "sk-proj-...f2Kd", "location": "secret:us-east-1:prod/a", "decision": "open",
        "exposed_at": None, "first_use_unexplained": None, "excess_cost": None, "rotated_at": None, "revoked_at": None,
        "still_active": None, "last_use": None, "as_of": "2026-05-08T00:00:00Z", "reasons": [], "alternatives": [], "reads": [],
        "notes": ["the export carries no address"],
    }  # fmt: skip
    return base | fields


ANSWERS = (
    _answer(
        key_id="key_A", customer="Brindlewick", exposure="read", abuse="established", verdict="confirmed",
        exposed_at={"from": "2026-05-05T02:26:00Z", "to": "2026-05-05T02:26:10Z"},
        first_use_unexplained={"from": "2026-05-05T03:00:00Z", "to": "2026-05-05T04:00:00Z"},
        excess_cost={"low": "6950.005", "mid": "8412.00", "high": "11030.10", "currency": "USD", "basis": "billed by day"},
        still_active=True, last_use="2026-05-07T23:00:00Z", rotated_at="2026-05-05T11:05:00Z",
        reasons=[{"axis": "exposure", "text": "read once by the intruder", "root": "settings: access_key",
                  "query_id": "exposure.location_reads", "event_keys": ["e1", "e2"]}],
        alternatives=[{"text": "Ordinary work of the reader", "tested": True, "result": "had not read it before"}],
        reads=[{"event_key": "e1", "event_time": "2026-05-05T02:26:00Z", "access": "read", "actor": "role/vm", "credential_id": "ASIAEXAMPLE1",
                "source_ip": "203.0.113.45", "outcome": "success", "evidence": _pointer(1, 7)}],
    ),
    _answer(
        key_id="key_B", customer="Oskelund", exposure="read", abuse="unexplained", verdict="suspicious",
        exposed_at={"from": "2026-05-05T02:27:00Z", "to": "2026-05-05T02:27:00Z"},
        first_use_unexplained={"from": "2026-05-05T05:00:00Z", "to": "2026-05-05T06:00:00Z"}, still_active=False,
        excess_cost={"low": "0.50", "mid": "1.00", "high": "2.25", "currency": "USD", "basis": "billed by day"},
    ),
    _answer(key_id="key_C", customer="Yarrowdene", exposure="none_seen", abuse="none_seen", verdict="not_exposed", still_active=True),
)  # fmt: skip


VERSION: Row = {
    "number": 1,
    "exhibit": "S0009",
    "author": "S. Nakagawa",
    "as_of": "2026-05-07T09:00:00Z",
    "as_of_basis": "rows",
    "rows": 3,
}
LIFE: Row = {
    "provider": "openai", "key_id": "key_A", "customer": "Brindlewick", "kind": "admin", "kind_title": "administration key",
    "consequence": "its holder can make keys", "action": "delete it first", "last_seen": "2026-05-07T23:00:00Z",
    "aliases": [{"kind": "id", "value": "key_A", "basis": "inventory"}], "horizons": [{"source": "usage", "until": "2026-05-08T00:00:00Z"}],
    "events": [{"step": "read", "from": "2026-05-05T02:26:00Z", "to": "2026-05-05T02:26:10Z", "basis": "store log", "text": "read twice by vm"}],
    "rotation": {
        "state": "not_effective", "why": ["still used after a new value was stored"], "rotated_at": "2026-05-05T11:05:00Z",
        "rotated_basis": "store log", "revoked_at": None, "revoked_basis": "",
        "latency_seconds": {"exposed_to_rotated": 31140, "exposed_to_revoked": None},
    },
    "made_with": [{"target": "key_M", "action": "api_key.created", "at": "2026-05-05T03:00:00Z", "by_key": "key_A", "revoked_at": None,
                   "last_use": "2026-05-07T01:00:00Z"}],
}  # fmt: skip
REMARK: Row = {
    "kind": "not_in_inventory", "provider": "openai", "keys": ["key_Z"], "customers": ["Oskelund"], "text": "in usage, by its id",
    "rows": [], "event_keys": ["e1"],
}  # fmt: skip
MOVE: Row = {
    "version": 2, "provider": "openai", "key_id": "key_C", "before": None,
    "after": {"customer": "Yarrowdene", "location": "secret:us-east-1:prod/c", "exposure": "read", "abuse": "none_seen", "verdict": "suspicious"},
}  # fmt: skip


def _book(kind: str, place: int, body: Row) -> Row:
    return {
        "kind": kind,
        "place": place,
        "provider": body.get("provider", ""),
        "key_id": body.get("key_id", ""),
        "body": json.dumps(body),
    }


def _evidence_file(n: int, state: str, source: str | None, **more: Any) -> Row:
    return {
        "file_sha256": CONTENT[n], "content_sha256": CONTENT[n], "exhibit": f"S000{n}", "size_bytes": 1000 * n, "content_bytes": 5000 * n,
        "stored_as": f"evidence/S000{n}", "source_id": source, "state": state, "reader_version": "1" if source else None,
        "first_event": DAY if source else None, "last_event": DAY + timedelta(days=2) if source else None, "notes": "[]",
    } | more  # fmt: skip


def _receipt(
    n: int, path: str, owner: str, seen: int, accepted: int, duplicate: int = 0, defect: int = 0, scope: int = 0
) -> Row:
    return {
        "receipt_id": n, "file_sha256": CONTENT[n], "path": path, "owner": owner, "owner_basis": "stated" if owner else "unassigned",
        "organisation": "org-1", "from_whom": "M. Ferrand", "received_at": DAY + timedelta(days=3), "means": "mail", "sender_agrees": None,
        "seen": seen, "accepted": accepted, "duplicate": duplicate, "defect": defect, "out_of_scope": scope,
    }  # fmt: skip


def _aws(key: str, when: datetime, name: str, **more: Any) -> Row:
    return {
        "event_key": key, "event_id": f"id-{key}", "event_time": when, "event_epoch": int((when - datetime(1970, 1, 1)).total_seconds()),
        "event_source": "secretsmanager.amazonaws.com", "event_name": name, "event_name_base": name, "region": "us-east-1",
        "account_id": "111122223333", "actor": "arn:aws:iam::111122223333:role/vm", "credential_id": "ASIAEXAMPLE1",
        "source_ip": "203.0.113.45", "source_class": "public", "outcome": "success", "is_denied": False, "id_conflict": False,
        "resource": "prod/a", "user_agent": "Boto3", "source_id": "aws_cloudtrail", "owner": "Lanternfish", "evidence": _pointer(1, 7),
    } | more  # fmt: skip


def _usage(hour: int, tokens: int, key: str = "key_A") -> Row:
    start = datetime(2026, 4, 20) + timedelta(hours=hour)
    return {
        "event_key": f"u{key}{hour}", "source_id": "openai_usage", "provider": "openai", "owner": "Brindlewick", "organisation": "org-1",
        "bucket_start": start, "bucket_end": start + timedelta(hours=1), "granularity_s": 3600, "endpoint": "chat", "key_id": key,
        "model": "gpt-5", "requests": tokens // 100, "input_tokens_total": tokens, "output_tokens": 0, "grouped_by": "key,model",
        "evidence": _pointer(2, hour),
    }  # fmt: skip


def _run(n: int, query_id: str, state: str, **more: Any) -> Row:
    return {
        "run_id": n, "basis": "b" * 64, "query_id": query_id, "query_sha256": "q" * 64, "parameters": '{"since":"2026-04-20"}',
        "engine": "duckdb 2.0.0", "state": state, "reason": "", "row_count": 0, "records_searched": 345, "result_sha256": "r" * 64,
        "milliseconds": 3, "run_at": DAY,
    } | more  # fmt: skip


def _finding(n: int, severity: str, **more: Any) -> Row:
    return {
        "finding_id": f"F-0000000{n}", "query_id": "aws.secrets_read_in_bulk", "finding_key": f"role/vm|{n}", "severity": severity,
        "confidence": "high", "title": "One principal read many secrets", "first_seen": READ_AT, "last_seen": READ_AT + timedelta(minutes=4),
        "event_count": 1, "actor": "role/vm", "resource_count": 1, "state": "finding",
    } | more  # fmt: skip


def _event_of(finding: str, n: int) -> Row:
    return {
        "finding_id": finding, "event_key": f"{finding}-{n:03d}", "event_time": READ_AT + timedelta(seconds=n),
        "actor": "arn:aws:iam::111122223333:role/vm", "action": "GetSecretValue", "resource": f"prod/{n}", "source_ip": "203.0.113.45",
        "credential_id": "ASIAEXAMPLE1", "account_id": "111122223333", "region": "us-east-1", "outcome": "success",
        "evidence": _pointer(1, n), "details": '{"session_name":"vm-1"}',
    }  # fmt: skip


def tables() -> dict[str, list[Row]]:
    """Rows by table."""
    return {
        "evidence_file": [
            _evidence_file(1, "read", "aws_cloudtrail", notes='["trailing bytes"]'),
            _evidence_file(2, "read", "openai_usage"),
            _evidence_file(3, "skipped", None, reason="unknown format"),
            _evidence_file(4, "registered", "cloudtrail_digest"),
        ],
        "receipt": [
            _receipt(1, "aws/log.json.gz", "Lanternfish", 12, 9, 1, 1, 1),
            _receipt(2, "customers/usage.json", "Brindlewick", 400, 400),
            _receipt(3, "notes.bin", "", 0, 0),
            _receipt(4, "aws/digest.json.gz", "Lanternfish", 0, 0),
        ],
        "defect": [{"file_sha256": CONTENT[1], "receipt_id": 1, "record_no": 4, "reason": "no event time", "is_record": True}],
        "aws_event": [
            _aws("e1", READ_AT, "GetSecretValue"),
            _aws("e2", READ_AT + timedelta(seconds=10), "GetSecretValue", outcome="denied", is_denied=True),
            _aws("e3", DAY + timedelta(hours=2, minutes=50), "StopLogging", event_source="cloudtrail.amazonaws.com", resource="trail/main"),
            _aws("e4", DAY + timedelta(hours=3, minutes=20), "StartLogging", event_source="cloudtrail.amazonaws.com", resource="trail/main"),
        ],
        "credential": [
            {"credential_id": "ASIAEXAMPLE1", "issued_at": READ_AT, "parent_credential_id": "AKIAEXAMPLE1", "parent_actor": "user/ci",
             "principal": "role/vm", "method": "AssumeRole", "confidence": "exact", "event_key": "e0"},
        ],
        "ai_usage": [_usage(h, 1000 + h % 24) for h in range(17 * 24)] + [_usage(15 * 24 + 3, 900_000, "key_B")],
        "ai_cost": [
            {"event_key": "c1", "source_id": "openai_costs", "provider": "openai", "owner": "Brindlewick", "organisation": "org-1",
             "period_start": DAY, "period_end": DAY + timedelta(days=1), "line_item": "gpt-5", "currency": "USD", "evidence": _pointer(2, 3)},
        ],
        "ai_coverage": [
            {"source_id": "openai_usage", "provider": "openai", "owner": "Brindlewick", "organisation": "org-1", "endpoint": "usage",
             "granularity_s": 3600, "grouped_by": "model", "covered_from": datetime(2026, 4, 20), "covered_until": datetime(2026, 5, 8),
             "truncated": True, "file_sha256": CONTENT[2]},
        ],
        "key_book": [_book("version", 1, VERSION), _book("life", 1, LIFE), _book("remark", 1, REMARK), _book("move", 1, MOVE)],
        "tainted": [
            {"kind": "credential", "value": "AKIAEXAMPLE1", "since": DAY, "method": "known", "parent": "", "root": "settings: access_key"},
            {"kind": "credential", "value": "ASIAEXAMPLE1", "since": DAY, "method": "issued", "parent": "AKIAEXAMPLE1", "root": "settings"},
            {"kind": "address", "value": "203.0.113.45", "since": DAY, "method": "address", "parent": "ASIAEXAMPLE1", "root": "settings"},
        ],
        "finding": [_finding(1, "critical", event_count=60, resource_count=60), _finding(2, "low", query_id="usage.volume_spike")],
        "finding_event": [_event_of("F-00000001", n) for n in range(60)] + [_event_of("F-00000002", 1)],
        "query_run": [
            _run(1, "aws.secrets_read_in_bulk", "failed", reason="an older run"),
            _run(2, "aws.secrets_read_in_bulk", "finding", row_count=60),
            _run(3, "usage.volume_spike", "no_baseline", row_count=1, reason="too few days"),
            _run(4, "aws.root_activity", "clear"),
            _run(5, "aws.secret_object_read", "not_evaluable", reason="no data events of S3 objects"),
            _run(6, "exposure.location_reads", "finding", row_count=2),
        ],
        "verdict": [
            {"provider": a["provider"], "key_id": a["key_id"], "customer": a["customer"], "exposure": a["exposure"], "abuse": a["abuse"],
             "verdict": a["verdict"], "answer": json.dumps(a)}
            for a in ANSWERS
        ],
    }  # fmt: skip


def leaves(value: Any, change: Change) -> Any:
    """Apply `change` to every text of a JSON value, names left alone."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [leaves(v, change) for v in value]
    return {k: leaves(v, change) for k, v in value.items()} if isinstance(value, dict) else value
