"""The part of a custody log that a package carries: up to the last act on the evidence or on its results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from forensics.model.errors import VerificationFault
from forensics.model.times import parse_time
from forensics.store.custody import Head, check_chain

#: First words of acts that change neither evidence nor results. At the end of the log they stay out of a
#: package, so that packing, reporting or verifying an unchanged case again gives the same package.
_AFTER = frozenset(
    {
        "package", "packaged", "packaging", "report", "reported", "rendered", "verify", "verified",
        "export", "exported", "shown", "changes",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extract:
    """Lines of the log as they stand, where their chain ends, and when the last act was (naive UTC)."""

    content: bytes
    head: Head
    at: datetime


def _first_word(record: dict[str, object]) -> str:
    words = str(record.get("act", "")).split()
    return words[0].lower() if words else ""


def extract(content: bytes) -> Extract:
    """Return the log up to its last act on the evidence.

    Raises VerificationFault when the chain is broken or holds no such act: a broken log is not sealed.
    """
    _, faults = check_chain(content)
    if faults:
        raise VerificationFault(
            f"the custody log does not hold together: {faults[0]}",
            place="custody.jsonl",
            hint="it was changed outside of keytrail; keep it and find out how",
        )
    lines = content.split(b"\n")[:-1]
    records = [json.loads(line) for line in lines]
    while records and _first_word(records[-1]) in _AFTER:
        records.pop()
    moment = parse_time(str(records[-1].get("at", ""))) if records else None
    if moment is None:
        raise VerificationFault("the custody log names no act with a time", place="custody.jsonl")
    kept = b"".join(line + b"\n" for line in lines[: len(records)])
    return Extract(kept, check_chain(kept)[0], moment)
