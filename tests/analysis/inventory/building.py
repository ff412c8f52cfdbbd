"""A small incident with several versions of an inventory: an intruder reads two secrets, one of them is given a new value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from forensics.analysis.context import catalogue
from forensics.analysis.inventory.book import Book
from forensics.analysis.verdicts import compute, prepare
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.usage import AI_USAGE, blank
from forensics.store.case_folder import CaseFolder
from forensics.store.eventstore import EventStore
from tests.building import delivery, event, new_case

T0 = datetime(2026, 5, 5, 2)
SETTINGS = b"""
[case]
id = "INV-1"
[window]
since = 2026-05-01T00:00:00Z
until = 2026-05-08T00:00:00Z
[times]
t0 = 2026-05-05T02:00:00Z
detected = 2026-05-05T08:00:00Z
contained = 2026-05-05T10:00:00Z
[[known]]
kind = "access_key"
value = "AKIAINTRUDER22222222"
reason = "notice"
by = "R. Lind"
"""
HEADER = "customer,provider,provider_key_id,key_name,hint,location,created_at,rotated_at,revoked_at,as_of"
FIRST = (
    "Acorn,openai,key_A,a-main,sk-proj-...aaaa,secret:us-east-1:prod/a,2026-01-01T00:00:00Z,,,2026-05-06T09:00:00Z",
    "Birch,openai,key_B,b-main,sk-proj-...bbbb,secret:us-east-1:prod/b,2026-01-01T00:00:00Z,,,2026-05-06T09:00:00Z",
    "Cedar,openai,key_C,c-main,sk-proj-...cccc,secret:us-east-1:prod/c,2026-01-01T00:00:00Z,,,2026-05-06T09:00:00Z",
)
#: Gives key_A to another customer, moves key_C into the place that was read, and leaves out key_B.
SECOND = (
    "Aspen,openai,key_A,a-main,sk-proj-...aaaa,secret:us-east-1:prod/a,2026-01-01T00:00:00Z,,,2026-05-07T09:00:00Z",
    "Cedar,openai,key_C,c-main,sk-proj-...cccc,secret:us-east-1:prod/a,2026-01-01T00:00:00Z,,,2026-05-07T09:00:00Z",
)
INTRUDER = {
    "type": "IAMUser",
    "arn": "arn:aws:iam::111122223333:user/ci",
    "accountId": "111122223333",
    "accessKeyId": "AKIAINTRUDER22222222",
    "userName": "ci",
}


def secret_event(number: int, time: str, name: str, secret: str, *, intruder: bool = False) -> dict[str, Any]:
    """A call to Secrets Manager on 2026-05-05."""
    who = {"userIdentity": INTRUDER, "sourceIPAddress": "203.0.113.9"} if intruder else {}
    return event(
        number,
        eventTime=f"2026-05-05T{time}Z",
        eventSource="secretsmanager.amazonaws.com",
        eventName=name,
        requestParameters={"secretId": secret},
        **who,
    )


EVENTS = (
    secret_event(1, "02:26:00", "GetSecretValue", "prod/a", intruder=True),
    secret_event(2, "02:27:00", "GetSecretValue", "prod/b", intruder=True),
    secret_event(3, "05:00:00", "PutSecretValue", "prod/b"),
    secret_event(4, "11:05:00", "PutSecretValue", "prod/a"),
    secret_event(5, "07:30:00", "GetSecretValue", "prod/c"),
)


def usage(key: str, owner: str, hours: range, start: datetime = T0) -> list[dict[str, Any]]:
    """Hourly buckets with use of a key, `hours` counted from `start`."""
    out = []
    for hour in hours:
        low = start + timedelta(hours=hour)
        out.append(
            {
                **blank(AI_USAGE), "event_key": f"u-{key}-{hour}", "source_id": "openai_usage", "provider": "openai", "owner": owner,
                "organisation": "", "native_id": f"{key}-{hour}", "bucket_start": low, "bucket_end": low + timedelta(hours=1),
                "granularity_s": 3600, "endpoint": "chat", "key_id": key, "model": "gpt-5", "requests": 5,
                "input_tokens_total": 1000, "output_tokens": 10, "grouped_by": "api_key_id,model", "raw": "{}",
            }
        )  # fmt: skip
    return out


def covered(owner: str) -> dict[str, Any]:
    """A stretch of usage by key over the whole window."""
    return {
        "source_id": "openai_usage", "provider": "openai", "owner": owner, "organisation": "", "endpoint": "chat", "granularity_s": 3600,
        "grouped_by": "api_key_id,model", "covered_from": datetime(2026, 5, 1), "covered_until": datetime(2026, 5, 8),
        "truncated": False, "received_at": datetime(2026, 5, 8, 9), "file_sha256": "f" * 64,
    }  # fmt: skip


def audit(key: str, owner: str, action: str, at: datetime, actor: str = "", **more: Any) -> dict[str, Any]:
    """An act at the provider on a key, by a key when `actor` is given."""
    return {
        "event_key": f"a-{key}-{action}-{actor}", "source_id": "openai_audit", "provider": "openai", "owner": owner, "organisation": "",
        "event_time": at, "event_id": f"a-{key}-{action}", "action": action, "outcome": "success", "actor_type": "api_key" if actor else "session",
        "actor_key_id": actor or None, "target_key_id": key, "details": "{}", "raw": "{}",
    } | more  # fmt: skip


def listed(key: str, owner: str, **more: Any) -> dict[str, Any]:
    """A key as a provider lists it."""
    return {
        "event_key": f"l-{owner}-{key}", "source_id": "anthropic_keys", "provider": "openai", "owner": owner, "organisation": "",
        "key_id": key, "received_at": datetime(2026, 5, 8, 9), "raw": "{}",
    } | more  # fmt: skip


def make_case(
    folder: Path,
    inventories: Mapping[str, tuple[str, ...]],
    receipts: str = "",
    events: tuple[dict[str, Any], ...] = EVENTS,
    settings: bytes = SETTINGS,
    header: str = HEADER,
    **rows: list[dict[str, Any]],
) -> CaseFolder:
    """A case with these CloudTrail events, inventories by file name, in the order given, and rows by table."""
    case = new_case(folder, settings)
    logs = folder / "logs"
    logs.mkdir()
    (logs / "t.json").write_bytes(delivery(events))
    ingest(case, [logs], IngestOptions())
    for name, lines in inventories.items():
        place = folder / name.partition(".")[0]
        place.mkdir()
        (place / name).write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
        if receipts:
            (place / "receipts.csv").write_text(receipts.replace("PATH", name), encoding="utf-8")
        ingest(case, [place], IngestOptions())
    with case.writer("test") as connection:
        for table, values in rows.items():
            EventStore(connection).insert(table, values)
    return case


def book_of(case: CaseFolder) -> Book:
    """The key book of a case, computed and not stored."""
    prepare(case)
    return compute(case, catalogue()).book


def texts(book: Book, kind: str) -> list[str]:
    """What the remarks of a kind say."""
    return [remark.text for remark in book.remarks if remark.kind == kind]


def states(book: Book) -> dict[str, str]:
    """State of the rotation check by key."""
    return {life.key.key_id: life.rotation.state for life in book.lives}
