"""Keep the original bytes of what was received."""

from __future__ import annotations

import shutil
from pathlib import Path

_SUFFIXES = (
    *(".json.gz", ".jsonl.gz", ".csv.gz", ".json", ".jsonl", ".ndjson", ".csv", ".gz", ".txt", ".toml"),
    *(".zip", ".tar", ".tgz", ".bz2", ".xz", ".zst"),
)
NO_ROOM = "originals are no longer copied: they do not fit twice into the free disk space"


def copy_original(evidence: Path, exhibit: str, name: str, data: bytes) -> str | None:
    """Write the bytes of the file `name` under its exhibit number; return the file's name.

    None when they do not fit twice into the free disk space: then nothing is written.
    """
    suffix = next((s for s in _SUFFIXES if name.lower().endswith(s)), "")
    target = evidence / f"{exhibit}{suffix}"
    if shutil.disk_usage(evidence).free < 2 * len(data):
        return None
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.replace(target)
    return target.name
