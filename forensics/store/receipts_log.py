"""receipts.jsonl and the custody entries of received files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from forensics.model.clock import iso
from forensics.store.case_folder import CaseFolder


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: iso(value) if isinstance(value, datetime) else value
        for name, value in row.items()
        if value not in (None, "")
    }


def append_receipts(folder: CaseFolder, rows: Sequence[dict[str, Any]], by: str, *, late: bool = False) -> None:
    """Append receipt lines and one custody entry a file; `late` marks those of a run that was killed."""
    if not rows:
        return
    plain = [_plain(row) for row in rows]
    with folder.receipts_path.open("ab") as stream:
        for row in plain:
            stream.write(
                json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"
            )
    acts: list[dict[str, Any]] = []
    for row in plain:
        act = "received" if row.get("file_sha256") else "could not be read"
        facts = {
            n: row[n]
            for n in ("exhibit", "file_sha256", "path", "owner", "state", "reason", "sender_agrees")
            if n in row
        }
        entry: dict[str, Any] = {"act": act} | facts
        if late:
            entry["late"] = True
        acts.append(entry)
    folder.custody.extend(acts, by)
