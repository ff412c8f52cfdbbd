"""The custody log: a hash-chained JSON-lines file of every act on a case, failures too.

Each line carries `seq` and `prev`, the SHA-256 of the exact bytes of the line before (without its line end).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from forensics.model.clock import Clock, iso

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: number of records and hash of the last line (`GENESIS` when empty)."""

    records: int
    sha256: str


def check_chain(content: bytes) -> tuple[Head, list[str]]:
    """Return the head of a custody log and all faults of its chain (empty when it holds)."""
    faults: list[str] = []
    previous = GENESIS
    lines = content.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    elif content:
        faults.append(f"line {len(lines)}: no line end, the last act was cut off")
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            faults.append(f"line {number}: not a JSON object")
        elif record.get("seq") != number or record.get("prev") != previous:
            faults.append(f"line {number}: does not follow the line before it")
        previous = sha256(line).hexdigest()
    return Head(len(lines), previous), faults


def head_of(content: bytes) -> Head:
    """Return the head of a custody log without checking its chain: an act is put behind whatever stands last."""
    cut = content[:-1] if content.endswith(b"\n") else content
    if not content:
        return Head(0, GENESIS)
    return Head(cut.count(b"\n") + 1, sha256(cut[cut.rfind(b"\n") + 1 :]).hexdigest())


class CustodyLog:
    """Appends acts to `custody.jsonl`. The caller holds the case's lock."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    def head(self) -> Head:
        """Return where the chain ends now."""
        return head_of(self.path.read_bytes()) if self.path.exists() else Head(0, GENESIS)

    def append(self, act: str, by: str = "", **facts: Any) -> Head:
        """Add one act with its facts (JSON values; no absolute paths) and return the new head."""
        return self.extend([{"act": act, **facts}], by)

    def extend(self, acts: Sequence[dict[str, Any]], by: str = "") -> Head:
        """Add several acts, each a dict with `act`, and return the new head."""
        content = self.path.read_bytes() if self.path.exists() else b""
        mend = b"" if content.endswith(b"\n") or not content else b"\n"
        head = head_of(content)
        lines, at = [], iso(self._clock())
        for act in acts:
            record = {"seq": head.records + 1, "prev": head.sha256, "at": at, "by": by, **act}
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
            head = Head(head.records + 1, sha256(line).hexdigest())
            lines.append(line + b"\n")
        with self.path.open("ab") as stream:
            stream.write(mend + b"".join(lines))
            stream.flush()
        return head
