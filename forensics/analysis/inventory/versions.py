"""Every version of the key inventory, each a statement of somebody as of a time; and which statements stand.

No version replaces another in the store. Of one key the newest version that names it stands; a key that a newer version
leaves out stays known, because an inventory made after a rotation names the new keys and not those that were read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_EARLIEST = datetime.fromisoformat("1970-01-01T00:00:00")

_ROWS = """
SELECT k.*, o.file_sha256 AS version_sha256, coalesce(o.member_path, '') AS member_path, coalesce(o.record_no, 0) AS record_no,
  r.from_whom, coalesce(r.owner, k.owner, '') AS holder, r.received_at AS version_received, r.read_at AS version_read,
  f.exhibit
FROM ai_key AS k
LEFT JOIN occurrence AS o ON o.event_key = k.event_key AND o.table_name = 'ai_key'
  AND o.file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
LEFT JOIN receipt AS r ON r.receipt_id = o.receipt_id
LEFT JOIN evidence_file AS f ON f.file_sha256 = o.file_sha256
ORDER BY o.file_sha256 NULLS LAST, member_path, holder, record_no, k.event_key,
  coalesce(r.received_at, r.read_at, k.received_at) NULLS LAST, r.receipt_id NULLS LAST
"""


@dataclass(frozen=True, slots=True)
class Version:
    """One received inventory.

    `number` counts from 1 in the order of `as_of`, then of receipt; `as_of_basis` is rows, receipt or reading (nobody
    stated a time). Times naive UTC; `holder` is the owner by the receipt.
    """

    number: int
    exhibit: str
    file_sha256: str
    member_path: str
    holder: str
    author: str
    as_of: datetime | None
    as_of_basis: str
    received_at: datetime | None
    rows: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What one row of one version says of a key; empty text where it says nothing.

    `resolved_by` tells by which alias `key_id` was found where the row does not name it; `candidates` are the ids between
    which nothing decides.
    """

    version: int
    record_no: int
    provider: str
    key_id: str
    key_name: str
    hint: str
    sha256: str
    customer: str
    kind: str
    key_owner: str
    holder: str
    author: str
    location_kind: str
    location_region: str
    location: str
    location_raw: str
    created_at: datetime | None
    rotated_at: datetime | None
    revoked_at: datetime | None
    as_of: datetime | None
    stated_at: datetime
    event_key: str
    resolved_by: str = ""
    candidates: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How the key is called: its id, else the best name that the row has."""
        short = f"sha256:{self.sha256}" if self.sha256 else ""
        return self.key_id or self.key_name or self.location or self.hint or short

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells this key from others: its id, else its hash, else a name or hint within its customer, else its place."""
        if self.key_id:
            return self.provider, "id", self.key_id
        if self.sha256:
            return self.provider, "sha256", self.sha256
        for kind, value in (("name", self.key_name), ("hint", self.hint)):
            if value:
                return self.provider, kind, self.customer, value
        return self.provider, "place", *self.place

    @property
    def place(self) -> tuple[str, str, str]:
        """Kind, region and name of the place where the key is stored."""
        return self.location_kind, self.location_region, self.location

    @property
    def place_text(self) -> str:
        """The place as people write it, "" for none."""
        return f"{self.location_kind}:{self.location_region}:{self.location}" if self.location else ""


_Group = tuple[str, str, str]


def read_versions(connection: duckdb.DuckDBPyConnection) -> tuple[list[Version], list[Statement]]:
    """Return all versions in order, and all their rows in the order of version and row."""
    groups: defaultdict[_Group, list[dict[str, Any]]] = defaultdict(list)
    for row in rows_of(connection, _ROWS):
        groups[row["version_sha256"] or "", row["member_path"], row["holder"]].append(row)
    ordered = sorted(groups.items(), key=lambda item: (*_when(item[1]), item[0]))
    versions, statements = [], []
    for number, (group, received) in enumerate(ordered, start=1):
        as_of, basis = _as_of(received)
        # A file that one holder sent twice is one version: its rows count once, from its first receipt on.
        rows = list({(r["record_no"], r["event_key"]): r for r in reversed(received)}.values())[::-1]
        authors = sorted({_author(row) for row in rows})
        versions.append(
            Version(
                number, rows[0]["exhibit"] or "", group[0], group[1], group[2], ", ".join(a for a in authors if a),
                as_of, basis, _first(received)["version_received"], len(rows),
            )
        )  # fmt: skip
        statements += [_statement(number, row, as_of) for row in rows]
    return versions, statements


def _received(row: dict[str, Any]) -> datetime:
    when: datetime = row["version_received"] or row["version_read"] or row["received_at"] or _EARLIEST
    return when


def _first(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a row of the first receipt."""
    return min(rows, key=_received)


def _when(rows: list[dict[str, Any]]) -> tuple[datetime, datetime]:
    received = _received(_first(rows))
    return _as_of(rows)[0] or received, received


def _as_of(rows: list[dict[str, Any]]) -> tuple[datetime | None, str]:
    """Return the time of which the version speaks, and whether its rows, its receipt or only its reading tell it."""
    stated = [row["as_of"] for row in rows if row["as_of"]]
    if stated:
        return max(stated), "rows"
    first = _first(rows)
    if first["version_received"]:
        return first["version_received"], "receipt"
    return first["version_read"], "reading"


def _author(row: dict[str, Any]) -> str:
    return row["author"] or row["from_whom"] or ""


def _statement(number: int, row: dict[str, Any], as_of: datetime | None) -> Statement:
    def text(name: str) -> str:
        return row[name] or ""

    return Statement(
        number, row["record_no"], row["key_provider"] or row["provider"] or "unknown", text("key_id"), text("key_name"), text("hint"),
        text("key_sha256"), text("customer"), text("kind"), text("key_owner"), text("holder"), _author(row), text("location_kind"),
        text("location_region"), text("location"), text("location_raw"), row["created_at"], row["rotated_at"], row["revoked_at"],
        row["as_of"], row["as_of"] or as_of or _EARLIEST, row["event_key"],
    )  # fmt: skip


def as_known(statements: Iterable[Statement], version: int) -> list[Statement]:
    """Return the rows of all versions up to that number: what was known before a later one came."""
    return [s for s in statements if s.version <= version]


def standing(statements: Iterable[Statement]) -> list[Statement]:
    """Return of each key the rows of the newest version that names it, in the order of provider, id, customer and place.

    Rows that differ in customer or place all stand: nothing here decides between them.
    """
    named: defaultdict[tuple[str, ...], list[Statement]] = defaultdict(list)
    for statement in statements:
        named[statement.identity].append(statement)
    out: dict[tuple[Any, ...], Statement] = {}
    for identity, rows in named.items():
        newest = max((s.stated_at, s.version) for s in rows)
        for s in rows:
            if s.version == newest[1]:
                out[(*identity, s.customer, *s.place)] = s
    return sorted(out.values(), key=lambda s: (s.provider, s.name, s.customer, s.place, s.event_key))


def with_id(statement: Statement, key_id: str, by: str) -> Statement:
    """Return the statement with the key's id that an alias gave."""
    return replace(statement, key_id=key_id, resolved_by=by)
