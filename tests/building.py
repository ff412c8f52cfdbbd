"""Small CloudTrail files for tests."""

from __future__ import annotations

import atexit
import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import filelock
import pytest

from forensics.model.clock import Clock
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


def lines(events: Sequence[dict[str, Any]]) -> bytes:
    """The same records, one a line."""
    return b"".join(json.dumps(e, separators=(",", ":")).encode() + b"\n" for e in events)


def packed(data: bytes) -> bytes:
    """One gzip member without time."""
    return gzip.compress(data, mtime=0)


def _fixed() -> Clock:
    return clock


@cache
def _made_case(settings: bytes | None, clock_of: Callable[[], Clock]) -> CaseFolder:
    folder = Path(tempfile.mkdtemp(prefix="keytrail-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return init_case(folder / "case", clock_of(), settings)


def new_case(
    folder: Path, settings: bytes | None = None, clock_of: Callable[[], Clock] = _fixed, *, name: str = "case"
) -> CaseFolder:
    """A new case below `folder`: a copy of the one that `init_case` made of these settings, at the same time.

    `clock_of` makes its clock, which goes on from where `init_case` left it.
    """
    made = _made_case(settings, clock_of)
    shutil.copytree(made.root, folder / name)
    return CaseFolder(folder / name, copy(made.clock))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills once in a test run, by whichever worker needs it first; no test changes it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"once-{name}"
    with filelock.FileLock(f"{folder}.lock"):
        if not (folder / ".made").exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a worker that died left
            folder.mkdir()
            make(folder)
            (folder / ".made").touch()
    return folder
