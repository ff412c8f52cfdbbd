"""The TOML header of a query file: where it stands, which keys it has, what each may hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from forensics.model.query import CASE_PARAMETERS, CONFIDENCES, Parameter, QueryKind, Severity
from forensics.queries.binding import default_of
from forensics.queries.techniques import ATLAS_TECHNIQUES, ATTACK_VERSION, TECHNIQUES, in_version_19
from forensics.queries.vocabulary import FACTS, SOURCES

MARK = "-- ---"
_TEXTS = frozenset(
    {
        "id",
        "kind",
        "title",
        "severity",
        "confidence",
        "attack_version",
        "description",
        "misses",
        "portable_reason",
    }
)
_LISTS = frozenset({"sources", "attack", "attack_v19", "atlas", "false_positives", "next_steps", "references", "needs"})
_REQUIRED = ("id", "kind", "title", "description", "sources")
_REQUIRED_OF_DETECTION = ("severity", "confidence", "misses", "false_positives", "next_steps")
_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_ATTACK = re.compile(r"T\d{4}(\.\d{3})?")
_ATLAS = re.compile(r"AML\.T\d{4}(\.\d{3})?")
_TOML_LINE = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)")

Report = Callable[[int, str], None]


@dataclass(slots=True)
class Header:
    """A header as read: its values, its parameters and the file's line where each key stands (from 1)."""

    values: dict[str, Any] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)
    end: int = 0

    def line(self, key: str) -> int:
        """Return the line of `key`, or of the opening mark for a key that is not there."""
        return self.lines.get(key, 1)

    def text(self, key: str, default: str = "") -> str:
        """Return a text value, or `default` where it is missing or of another type."""
        value = self.values.get(key)
        return value if isinstance(value, str) else default

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty where it is missing or of another type."""
        value = self.values.get(key)
        return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def read(text: str, report: Report) -> Header:
    """Read the header at the top of `text`; each fault goes to `report(line, message)`.

    Form: TOML (https://toml.io/en/v1.0.0) in `-- ` comments between two lines `-- ---`.
    """
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != MARK:
        report(1, f"no header: the first line must be {MARK!r}")
        return Header()
    end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == MARK), 0)
    if not end:
        report(1, f"the header has no closing line {MARK!r}")
        return Header()
    header = Header(end=end + 1)
    toml: list[str] = []
    for number, line in enumerate(lines[1:end], 2):
        if not line.startswith("-- ") and line.rstrip() != "--":
            report(number, "a header line must begin with '-- '")
        toml.append(line[3:] if line.startswith("-- ") else "")
        key = re.match(r"([a-z0-9_]+)\s*=", toml[-1])
        if key:
            header.lines.setdefault(key[1], number)
    try:
        header.values = tomllib.loads("\n".join(toml) + "\n")
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        number = int(found[1]) + 1 if found and found[1] else end
        report(number, f"the header is not TOML: {_TOML_LINE.sub('', str(error)).strip()}")
        return header
    _check_keys(header, report)
    _check_vocabulary(header, report)
    _check_techniques(header, report)
    header.parameters = _parameters(header, report)
    return header


def _check_keys(header: Header, report: Report) -> None:
    values = header.values
    for key in sorted(values.keys() - _TEXTS - _LISTS - {"baseline_days", "portable", "by_key", "params"}):
        report(header.line(key), f"unknown key {key!r}")
    detection = values.get("kind") == QueryKind.DETECTION
    for key in (*_REQUIRED, *(_REQUIRED_OF_DETECTION if detection else ())):
        if key not in values:
            report(1, f"missing key {key!r}")
        elif not values[key] and (detection or key != "sources"):
            report(header.line(key), f"{key} is empty")
    for key in sorted(values.keys() & _TEXTS):
        if not isinstance(values[key], str):
            report(header.line(key), f"{key} must be text")
        elif values[key] and not values[key].strip():
            report(header.line(key), f"{key} is empty")
    for key in sorted(values.keys() & _LISTS):
        if not isinstance(values[key], list) or not all(isinstance(v, str) and v.strip() for v in values[key]):
            report(header.line(key), f"{key} must be a list of texts, none of them empty")
    _check_switches(header, report)


def _check_switches(header: Header, report: Report) -> None:
    values = header.values
    days = values.get("baseline_days", 0)
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= 366:
        report(header.line("baseline_days"), "baseline_days must be a whole number from 0 to 366")
    if not isinstance(values.get("by_key", False), bool):
        report(header.line("by_key"), "by_key must be true or false")
    portable = values.get("portable", True)
    if not isinstance(portable, bool):
        report(header.line("portable"), "portable must be true or false")
    elif portable == bool(header.text("portable_reason")):
        report(
            header.line("portable"),
            "portable = false needs a portable_reason, and only then may there be one",
        )


def _check_vocabulary(header: Header, report: Report) -> None:
    identity = header.text("id")
    if identity and not _ID.fullmatch(identity):
        report(
            header.line("id"),
            f"id {identity!r} must be <folder>.<name> in lower case, digits and underscores",
        )
    choices: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("kind", tuple(QueryKind)),
        ("severity", tuple(Severity)),
        ("confidence", CONFIDENCES),
    )
    for key, allowed in choices:
        value = header.text(key)
        if value and value not in allowed:
            report(header.line(key), f"unknown {key} {value!r}; one of {', '.join(allowed)}")
    for key, known in (("sources", SOURCES), ("needs", FACTS.keys())):
        for value in header.texts(key):
            if value not in known:
                report(header.line(key), f"unknown {key[:-1]} {value!r}; one of {', '.join(sorted(known))}")
    for value in header.texts("references"):
        if not value.startswith("https://"):
            report(header.line("references"), f"reference {value!r} must be an https address")


def _check_techniques(header: Header, report: Report) -> None:
    for key, form in (("attack", _ATTACK), ("attack_v19", _ATTACK), ("atlas", _ATLAS)):
        for value in header.texts(key):
            if not form.fullmatch(value):
                report(header.line(key), f"{key} id {value!r} is malformed")
    for key, known in (("attack", TECHNIQUES), ("atlas", ATLAS_TECHNIQUES)):
        for value in header.texts(key):
            if re.match(r"(AML\.)?T\d{4}", value) and value not in known:
                report(header.line(key), f"{key} id {value} is not in forensics/queries/techniques.py")
    version = header.text("attack_version")
    if header.texts("attack") and not version:
        report(header.line("attack"), "attack ids need attack_version")
    if version and not re.fullmatch(r"\d+\.\d+", version):
        report(header.line("attack_version"), f"attack_version {version!r} must look like 18.1")
    elif version and version != ATTACK_VERSION:
        report(header.line("attack_version"), f"attack_version is {ATTACK_VERSION}, the version of the bundled table")
    named = in_version_19(header.texts("attack"))
    if sorted(named) != sorted(header.texts("attack_v19")):
        report(header.line("attack_v19"), f"attack_v19 must be {list(named)}: what version 19 calls the ids of attack")


def _parameters(header: Header, report: Report) -> tuple[Parameter, ...]:
    declared = header.values.get("params", {})
    if not isinstance(declared, dict):
        report(header.line("params"), "params must be a table")
        return ()
    found = []
    for name, entry in declared.items():
        line = header.line(name)
        if name in CASE_PARAMETERS:
            report(line, f"parameter {name} comes from the case and is not declared")
        elif not isinstance(entry, dict) or entry.keys() != {"type", "doc", "default"}:
            report(line, f"parameter {name} must have type, doc and default, and nothing else")
        elif not isinstance(entry["doc"], str) or not entry["doc"].strip():
            report(line, f"parameter {name} needs a doc")
        else:
            try:
                default = default_of(entry["type"], entry["default"])
            except ValueError as error:
                report(line, f"parameter {name}: {error}")
            else:
                found.append(Parameter(name, entry["type"], entry["doc"], default))
    return tuple(found)
