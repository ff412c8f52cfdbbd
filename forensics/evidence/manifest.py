"""Text files of a bag and canonical JSON: what is written is read back by the same, strict, rules.

BagIt 1.0: https://www.rfc-editor.org/rfc/rfc8493 ; canonical JSON: https://www.rfc-editor.org/rfc/rfc8785
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from forensics import __version__
from forensics.model.clock import iso
from forensics.model.text import visible

SCHEMA = "keytrail-evidence-package/1"
DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
PAYLOAD_MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
#: What the tag manifest covers. Its own SHA-256 is the package digest.
TAG_FILES = (DECLARATION, INFO, PAYLOAD_MANIFEST)
PACKAGE = "data/package.json"
DECLARATION_BYTES = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

_LINE = re.compile(r"([0-9a-f]{64})  ([\x21-\x7e]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the package: SHA-256 and size in bytes."""

    sha256: str
    size: int


def canonical(value: object) -> bytes:
    """Return `value` as RFC 8785 JSON and a line end; times become ISO text with Z, integers beyond 2**53 text.

    Raises ValueError for floats that are no numbers and text that is no Unicode.
    """
    return rfc8785.dumps(_plain(value)) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, int) and abs(value) >= 2**53:
        return str(value)  # JSON numbers are doubles by that standard
    return value


def canonical_lines(rows: Iterable[object]) -> bytes:
    """Return one RFC 8785 line a row."""
    return b"".join(canonical(row) for row in rows)


def _no_float(text: str) -> Any:
    raise ValueError(f"a floating number: {text[:40]}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name occurs twice in one object")
    return dict(pairs)


def read_json(content: bytes) -> Any:
    """Return the value of a JSON text.

    Raises ValueError for anything but UTF-8 JSON without floats, repeated names and NaN.
    """
    try:
        return json.loads(
            content.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_once
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def read_lines(content: bytes) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines text. Raises ValueError naming the first line that is none."""
    if content and not content.endswith(b"\n"):
        raise ValueError("the last line has no line end")
    rows = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            row = read_json(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        if not isinstance(row, dict):
            raise ValueError(f"line {number}: not an object")  # noqa: TRY004 - a fault of the text, not of a call
        rows.append(row)
    return rows


def manifest(entries: Mapping[str, Entry]) -> bytes:
    """Return a BagIt manifest, sorted by path. Paths are ASCII without blanks, CR, LF and %, by `structure`."""
    return "".join(f"{entries[name].sha256}  {name}\n" for name in sorted(entries)).encode("ascii")


def read_manifest(content: bytes) -> dict[str, str]:
    """Return path -> SHA-256 of a manifest that is exactly in the form `manifest` writes.

    Raises ValueError naming the first line that is not: another form, a repeated path, another order.
    """
    if not content.endswith(b"\n"):
        raise ValueError("the last line has no line end")
    found: dict[str, str] = {}
    last = ""
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n")[:-1], start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is not a SHA-256, two blanks and a path")
        if match[2] <= last:
            raise ValueError(f"line {number}: {match[2]} is repeated or out of order")
        last = match[2]
        found[last] = match[1]
    return found


def one_line(text: str) -> str:
    """Return text that cannot begin a new line or a new label of bag-info.txt."""
    return visible(" ".join(text.split()))[:500]


def bag_info(*, package_id: str, organisation: str, created: datetime, size: int, files: int) -> bytes:
    """Return bag-info.txt; `size` and `files` are the payload's bytes and number of files."""
    moment = created.astimezone(UTC) if created.tzinfo else created
    labels = [
        ("Bag-Software-Agent", f"keytrail {__version__}"),
        ("Bagging-Date", f"{moment:%Y-%m-%d}"),
        ("External-Identifier", one_line(package_id)),
        ("Payload-Oxum", f"{size}.{files}"),
        ("Source-Organization", one_line(organisation)),
    ]
    return "".join(f"{label}: {value}\n" for label, value in labels if value).encode("utf-8")


def read_oxum(content: bytes) -> tuple[int, int] | None:
    """Return (bytes, files) of the one Payload-Oxum in bag-info.txt; None when it is missing, repeated or misformed."""
    found = re.findall(rb"(?m)^Payload-Oxum: (\d{1,18})\.(\d{1,9})$", content)
    return (int(found[0][0]), int(found[0][1])) if len(found) == 1 else None
