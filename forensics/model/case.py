"""Settings of a case, as `case.toml` states them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from forensics.model.address import network_bounds
from forensics.model.errors import UsageFault

TLP = ("TLP:RED", "TLP:AMBER+STRICT", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR")
#: What a statement by a person can say about a key.
STATEMENT_KINDS = frozenset({"launch", "gateway_complete", "product_complete", "other"})
#: What can be known to be the intruder's: in AWS, an address anywhere, or an actor at a provider (user id, e-mail, key id).
KNOWN_KINDS = frozenset({"access_key", "address", "principal", "provider_actor"})
GUARD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Known:
    """Something known to be the intruder's, from outside this case's own derivations."""

    kind: str
    value: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a named person declared about a key: a launch, or that a gateway's log is complete."""

    kind: str
    customer: str
    provider: str
    key_id: str
    since: datetime | None
    until: datetime | None
    by: str
    text: str
    gateway: str = ""
    key_alias: str = ""


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A key or secret that protects stored keys: whoever decrypts with it may have each key at the places it covers."""

    key: str
    covers: tuple[str, ...]
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Trail:
    """A CloudTrail trail that is said to exist, and what it records."""

    name: str
    account: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """What should have sent evidence, beside the trails: whatever of it is not there is named as missing."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `case.toml` says. Times are naive UTC. `sha256` is over the file's bytes."""

    id: str
    title: str
    examiner: str
    organisation: str
    tlp: str
    legal_hold: bool
    since: datetime | None
    until: datetime | None
    t0: datetime | None
    detected: datetime | None
    contained: datetime | None
    own_accounts: tuple[str, ...]
    own_egress: tuple[str, ...]
    known: tuple[Known, ...]
    statements: tuple[Statement, ...]
    trails: tuple[Trail, ...]
    sha256: str
    roster: Roster = Roster()
    wrappings: tuple[Wrapping, ...] = ()

    @property
    def baseline_until(self) -> datetime | None:
        """End of the baseline: T0 less 24 hours; None without T0."""
        return self.t0 - GUARD if self.t0 else None


class _Reader:
    """Collects every fault of a settings file before one error is raised."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.faults: list[str] = []

    def text(self, table: dict[str, Any], name: str, where: str, default: str = "") -> str:
        value = table.get(name, default)
        if not isinstance(value, str):
            self.faults.append(f"{where}.{name} must be text")
            return default
        return value

    def moment(self, table: dict[str, Any], name: str, where: str) -> datetime | None:
        value = table.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, datetime):
            self.faults.append(f"{where}.{name} must be a date and time such as 2026-05-05T02:11:00Z")
            return None
        if value.tzinfo is None:
            self.faults.append(f"{where}.{name} has no zone: write 2026-05-05T02:11:00Z or with an offset")
            return None
        return value.astimezone(UTC).replace(tzinfo=None)

    def texts(self, table: dict[str, Any], name: str, where: str) -> tuple[str, ...]:
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.faults.append(f"{where}.{name} must be a list of texts (account numbers in quotes)")
            return ()
        return tuple(value)

    def tables(self, table: dict[str, Any], name: str) -> list[dict[str, Any]]:
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.faults.append(f"[[{name}]] must be a list of tables")
            return []
        return value


def _check_names(reader: _Reader, data: dict[str, Any]) -> None:
    allowed = {"case", "window", "times", "own", "known", "statement", "roster", "wrapping"}
    reader.faults += [f"unknown table [{name}]" for name in sorted(set(data) - allowed)]


def _table(reader: _Reader, data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name, {})
    if not isinstance(value, dict):
        reader.faults.append(f"[{name}] must be a table")
        return {}
    return value


def read_settings(content: bytes, place: str = "case.toml") -> Settings:
    """Read `case.toml`.

    Raises UsageFault that names all faults at once.
    """
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageFault(f"not valid TOML: {error}", place=place) from error
    r = _Reader(place)
    _check_names(r, data)
    case, window, times, own = (_table(r, data, n) for n in ("case", "window", "times", "own"))
    roster = _table(r, data, "roster")
    tlp = r.text(case, "tlp", "case", "TLP:AMBER")
    if tlp not in TLP:
        r.faults.append(f"case.tlp must be one of {', '.join(TLP)}")
    egress = r.texts(own, "egress", "own")
    for network in egress:
        try:
            network_bounds(network)
        except ValueError:
            r.faults.append(f"own.egress: {network!r} is no address or network")
    statements = tuple(_statement(r, s) for s in r.tables(data, "statement"))
    settings = Settings(
        id=r.text(case, "id", "case"),
        title=r.text(case, "title", "case"),
        examiner=r.text(case, "examiner", "case"),
        organisation=r.text(case, "organisation", "case"),
        tlp=tlp,
        legal_hold=case.get("legal_hold", False) is True,
        since=r.moment(window, "since", "window"),
        until=r.moment(window, "until", "window"),
        t0=r.moment(times, "t0", "times"),
        detected=r.moment(times, "detected", "times"),
        contained=r.moment(times, "contained", "times"),
        own_accounts=r.texts(own, "accounts", "own"),
        own_egress=egress,
        known=tuple(
            Known(*(r.text(k, n, "known") for n in ("kind", "value", "reason", "by"))) for k in r.tables(data, "known")
        ),
        statements=statements,
        trails=tuple(
            Trail(
                r.text(t, "name", "roster.trail"),
                r.text(t, "account", "roster.trail"),
                r.texts(t, "regions", "roster.trail"),
            )
            for t in r.tables(roster, "trail")
        ),
        sha256=sha256(content).hexdigest(),
        roster=Roster(*(r.texts(roster, n, "roster") for n in ("accounts", "regions", "customers", "organisations"))),
        wrappings=tuple(_wrapping(r, w) for w in r.tables(data, "wrapping")),
    )
    if settings.since and settings.until and settings.since >= settings.until:
        r.faults.append("window.since must be before window.until")
    r.faults += [
        f"known.kind {k.kind!r} must be one of {', '.join(sorted(KNOWN_KINDS))}"
        for k in settings.known
        if k.kind not in KNOWN_KINDS
    ]
    if r.faults:
        raise UsageFault("; ".join(r.faults), place=place, hint="correct the settings and run again")
    return settings


def _wrapping(r: _Reader, table: dict[str, Any]) -> Wrapping:
    where = "wrapping"
    key, places = r.text(table, "key", where), r.texts(table, "covers", where)
    if not key.startswith(("kms:", "secret:", "ssm:")) or key.count(":") < 2:
        r.faults.append(f"wrapping.key {key!r} must be kms:REGION:KEY-ID, secret:REGION:NAME or ssm:REGION:NAME")
    if not places:
        r.faults.append("wrapping.covers must list the places whose keys it protects")
    return Wrapping(key, places, r.text(table, "by", where), r.text(table, "text", where))


def _statement(r: _Reader, table: dict[str, Any]) -> Statement:
    where = "statement"
    kind = r.text(table, "kind", where)
    if kind not in STATEMENT_KINDS:
        r.faults.append(f"statement.kind {kind!r} must be one of {', '.join(sorted(STATEMENT_KINDS))}")
    return Statement(
        kind=kind,
        customer=r.text(table, "customer", where),
        provider=r.text(table, "provider", where),
        key_id=r.text(table, "key_id", where),
        since=r.moment(table, "from", where),
        until=r.moment(table, "until", where),
        by=r.text(table, "by", where),
        text=r.text(table, "text", where),
        gateway=r.text(table, "gateway", where),
        key_alias=r.text(table, "key_alias", where),
    )
