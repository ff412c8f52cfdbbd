"""Small CloudTrail files for tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.store.case_folder import CaseFolder, init_case


def clock() -> datetime:
    """A fixed time."""
    return datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def event(number: int, **changes: Any) -> dict[str, Any]:
    """A CloudTrail record with its own id."""
    base = {
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::111122223333:user/ada",
            "accountId": "111122223333",
            "accessKeyId": "AKIAADA2222222222222",
            "userName": "ada",
        },
        "eventTime": f"2026-05-01T00:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2",
        "requestParameters": None,
        "responseElements": None,
        "eventID": f"00000000-0000-4000-8000-{number:012d}",
        "recipientAccountId": "111122223333",
    }
    return base | changes


def delivery(events: Sequence[dict[str, Any]]) -> bytes:
    """An S3 delivery file, not compressed."""
    return json.dumps({"Records": list(events)}, separators=(",", ":")).encode()


def packed(data: bytes) -> bytes:
    """One gzip member without time."""
    return gzip.compress(data, mtime=0)


def new_case(folder: Path, settings: bytes | None = None) -> CaseFolder:
    """A new case below `folder`."""
    return init_case(folder / "case", clock, settings)
