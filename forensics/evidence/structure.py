"""What may lie in a package: safe and allowed names, regular files only. Judged with lstat, before any read."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from forensics.evidence.manifest import DECLARATION, INFO, PAYLOAD_MANIFEST, TAG_MANIFEST

#: Endings that a packaged original keeps, longest first.
SOURCE_SUFFIXES = (
    ".json.gz", ".jsonl.gz", ".csv.gz", ".ndjson", ".jsonl", ".json", ".csv", ".toml", ".txt", ".gz", ".zip",
)  # fmt: skip
ROOT_FILES = frozenset({DECLARATION, INFO, PAYLOAD_MANIFEST, TAG_MANIFEST})
#: Payload files that every full package has.
FIXED = (
    "data/START-HERE.html",
    "data/custody/custody.jsonl",
    "data/env/tool.json",
    "data/findings/findings.json",
    "data/findings/verdicts.json",
    "data/inventory/defects.jsonl",
    "data/inventory/ledger.jsonl",
    "data/inventory/sources.jsonl",
    "data/package.json",
    "data/queries/params.json",
    "data/report/report.html",
    "data/settings/case.toml",
    "data/settings/receipts.jsonl",
    "data/settings/work.jsonl",
)
#: Public keys that were obtained apart from the evidence, where some were given.
PINNED_KEYS = "data/settings/pinned_keys.json"
#: The case's own price table, where there is one.
PRICES = ("data/settings/prices.toml", "data/settings/prices.csv")
_QUERY_ID = r"[a-z][a-z0-9_]{0,79}\.[a-z][a-z0-9_]{0,79}"
_SUFFIX = "|".join(re.escape(s) for s in SOURCE_SUFFIXES)
_ALLOWED = re.compile(
    rf"data/sources/S[0-9]{{4,9}}({_SUFFIX})?|data/queries/{_QUERY_ID}\.sql|data/results/{_QUERY_ID}\.jsonl"
)
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_LONGEST = 240
#: More entries than this are not looked at: no package comes near it.
MAX_ENTRIES = 1_000_000


@dataclass(slots=True)
class Listing:
    """Regular files of a package (path from its root -> size in bytes) and what must not be there."""

    files: dict[str, int] = field(default_factory=dict)
    unsafe_names: list[str] = field(default_factory=list)
    irregular: list[str] = field(default_factory=list)


def is_allowed(path: str) -> bool:
    """Return whether the layout knows a file of this path."""
    return path in ROOT_FILES or path in FIXED or path in (PINNED_KEYS, *PRICES) or _ALLOWED.fullmatch(path) is not None


def is_query_id(text: str) -> bool:
    """Return whether `text` is an id that a packaged query can have."""
    return re.fullmatch(_QUERY_ID, text) is not None and _DEVICES.fullmatch(text) is None


def name_fault(path: str) -> str:
    """Return why a path with `/` is not safe on every file system, or ""."""
    if not path or path.startswith("/") or "\\" in path or ":" in path:
        return "absolute, or with a drive or backslash"
    if len(path) > _LONGEST:
        return f"longer than {_LONGEST} characters"
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            return "has an empty, . or .. part"
        if part.endswith((".", " ")) or part.startswith(" "):
            return "a part begins or ends with a blank or ends with a dot"
        if _DEVICES.fullmatch(part):
            return "a device name"
        if any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF for c in part):
            return "has a control character or is no Unicode"
    return ""


def collisions(paths: Iterable[str]) -> list[str]:
    """Return the paths that equal an earlier one once normalised (NFC) and case-folded."""
    seen: set[str] = set()
    doubled = []
    for path in paths:
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in seen:
            doubled.append(path)
        seen.add(folded)
    return doubled


def walk(root: Path) -> Listing:
    """List a package without following a link and without opening a file.

    Folders that hold nothing are irregular: no manifest covers them.
    """
    listing = Listing()
    pending = [""]
    names: list[str] = []
    while pending:
        folder = pending.pop()
        with os.scandir(root / folder if folder else root) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        if not found and folder:
            listing.irregular.append(f"{folder}: an empty folder")
        for entry in found:
            path = f"{folder}/{entry.name}" if folder else entry.name
            names.append(path)
            if len(names) > MAX_ENTRIES:
                listing.irregular.append(f"more than {MAX_ENTRIES} entries")
                return listing
            mode = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(mode.st_mode):
                pending.append(path)
            elif stat.S_ISREG(mode.st_mode):
                listing.files[path] = mode.st_size
            else:
                kind = "a link" if stat.S_ISLNK(mode.st_mode) else "not a regular file"
                listing.irregular.append(f"{path}: {kind}")
    listing.unsafe_names = [f"{n}: {name_fault(n)}" for n in names if name_fault(n)]
    listing.unsafe_names += [f"{n}: equals another name in NFC and folded case" for n in collisions(sorted(names))]
    return listing
