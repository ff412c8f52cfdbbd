"""A step of the collection guide, and how its commands are filled in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from forensics.model.errors import UsageFault
from forensics.model.times import parse_time

#: What commands may ask for, with the word that stands there while nobody said it.
PARAMETERS = {
    "account": "ACCOUNT",
    "bucket": "BUCKET",
    "prefix": "",
    "region": "REGION",
    "start": "START",
    "end": "END",
    "log_group": "LOG_GROUP",
    "log_bucket": "LOG_BUCKET",
    "query_id": "QUERY_ID",
    "store": "EVENT_DATA_STORE",
    "project": "PROJECT",
    "workspace": "WORKSPACE",
    "vault_log": "VAULT_AUDIT_LOG",
}
#: `${name}` is the shell's own.
_PLACE = re.compile(r"(?<!\$)\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Step:
    """One source to collect.

    `kept_days`: days after which the source loses data, None where nothing general is known; `kept` says it in words.
    `checked`: whether the fact was verified against the address in `fact`. Commands hold `{name}` for a parameter as one
    quoted word, `{name:e}` for a time in whole unix seconds, `{name:m}` in milliseconds, `{s3:bucket/<prefix>AWSLogs/}`
    for an address in S3.
    """

    id: str
    title: str
    of: str
    gives: str
    kept: str
    kept_days: int | None
    fact: str
    checked: bool
    commands: tuple[str, ...]
    notes: tuple[str, ...] = ()


def filled(command: str, given: Mapping[str, str]) -> str:
    """Return a command with every parameter in it as one quoted word of a POSIX shell.

    Raises UsageFault for a time that cannot be read.
    """

    def value(name: str) -> str:
        return given.get(name) or PARAMETERS[name]

    def moment(name: str, scale: int) -> str:
        if name not in given:
            return PARAMETERS[name] + ("_MS" if scale > 1 else "_EPOCH")
        return str(int(_time(given[name], name).replace(tzinfo=UTC).timestamp()) * scale)

    def put(match: re.Match[str]) -> str:
        return shlex.quote(value(match[1]))

    text = re.sub(r"\{(\w+):e\}", lambda m: moment(m[1], 1), command)
    text = re.sub(r"\{(\w+):m\}", lambda m: moment(m[1], 1000), text)

    def address(match: re.Match[str]) -> str:
        path = re.sub(r"<(\w+)>", lambda m: value(m[1]), match[2].lstrip("/"))
        return shlex.quote(f"s3://{value(match[1])}/{path}")

    text = re.sub(r"\{s3:(\w+)([^}]*)\}", address, text)
    return _PLACE.sub(put, text)


def _time(text: str, name: str) -> datetime:
    moment = parse_time(text, assume_utc=False)
    if moment is None:
        raise UsageFault(f"{name} {text!r} needs a date, time and zone", hint="e.g. 2026-05-05T00:00:00Z")
    return moment


def check_given(given: Mapping[str, str]) -> None:
    """Raise UsageFault for a parameter that no command knows, or a time that cannot be read."""
    unknown = sorted(set(given) - set(PARAMETERS))
    if unknown:
        raise UsageFault(f"no command asks for {', '.join(unknown)}", hint="known: " + ", ".join(PARAMETERS))
    for name in ("start", "end"):
        if name in given:
            _time(given[name], name)


def in_order(steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps, what is lost first before what lasts, and what nobody knows between both."""
    return sorted(steps, key=lambda s: (s.kept_days if s.kept_days is not None else 3_000, s.of, s.id))
