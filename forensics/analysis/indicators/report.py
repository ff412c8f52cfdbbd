"""What became of each indicator: hit, not seen where it could have been, or nothing to search."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.indicators.matching import bounds_of
from forensics.model.address import network_bounds, read_address
from forensics.model.case import Settings
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

HIT, NO_HIT, NOT_EVALUABLE = "hit", "no_hit", "not_evaluable"
EXAMPLES = 20

_LISTED = """
SELECT indicator_id, min(kind) AS kind, min(value) AS value, min(match) AS match, min(raw) AS raw,
       string_agg(DISTINCT file_name, ', ' ORDER BY file_name) AS files, max(tlp) AS tlp, max(dated) AS dated,
       CASE WHEN count(valid_until) = count(*) THEN max(valid_until) END AS valid_until, min(note) AS note,
       max(confidence) AS confidence, bool_and(context) AS context, bool_or(derived) AS derived
FROM indicator WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
GROUP BY indicator_id ORDER BY kind, value, match
"""
_HITS = """
SELECT h.indicator_id, count(DISTINCT h.event_key) AS events, count(DISTINCT h.event_key) FILTER (WHERE h.valid) AS valid_events,
       min(h.event_time) AS first, max(h.event_time) AS last,
       string_agg(DISTINCT h.table_name || '.' || h.field, ', ' ORDER BY h.table_name || '.' || h.field) AS fields,
       count(DISTINCT h.event_key) FILTER (WHERE a.outcome = 'success') AS succeeded,
       count(DISTINCT h.event_key) FILTER (WHERE a.outcome = 'denied') AS denied,
       count(DISTINCT a.actor) AS actors, min(a.actor) AS one_actor, count(DISTINCT nullif(a.owner, '')) AS owners
FROM indicator_hit AS h LEFT JOIN activity AS a ON a.event_key = h.event_key
GROUP BY h.indicator_id ORDER BY h.indicator_id
"""
_EXAMPLES = """
SELECT indicator_id, event_key FROM (
  SELECT indicator_id, event_key, row_number() OVER (PARTITION BY indicator_id ORDER BY event_time NULLS LAST, event_key) AS place
  FROM (SELECT DISTINCT indicator_id, event_key, event_time FROM indicator_hit))
WHERE place <= $examples ORDER BY indicator_id, place
"""
_SEARCHED = """
SELECT kind, sum(CAST(records AS BIGINT)) AS records, min(first) AS first, max(last) AS last
FROM indicator_search GROUP BY kind ORDER BY kind
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one indicator. `searched`: values of its kind that were compared; times are naive UTC.

    `noisy` says why hits prove little: an own address or account, a network of many.
    """

    indicator_id: str
    kind: str
    value: str
    match: str
    raw: str
    files: str
    tlp: str | None
    dated: datetime | None
    valid_until: datetime | None
    note: str | None
    confidence: int | None
    context: bool
    derived: bool
    state: str
    noisy: str
    searched: int
    searched_from: datetime | None
    searched_to: datetime | None
    events: int = 0
    valid_events: int = 0
    succeeded: int = 0
    denied: int = 0
    actors: int = 0
    one_actor: str | None = None
    first: datetime | None = None
    last: datetime | None = None
    fields: str = ""
    event_keys: tuple[str, ...] = ()


def outcomes_of(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[Outcome]:
    """Return the outcome of each indicator, those that were hit first."""
    hits = {row["indicator_id"]: row for row in rows_of(connection, _HITS)}
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows_of(connection, _EXAMPLES, {"examples": EXAMPLES}):
        examples[row["indicator_id"]].append(row["event_key"])
    searched = {row["kind"]: row for row in rows_of(connection, _SEARCHED)}
    egress = [network_bounds(n) for n in settings.own_egress]
    found = [
        _outcome(
            row, hits.get(row["indicator_id"]), examples, searched, _noisy(row["kind"], row["value"], settings, egress)
        )
        for row in rows_of(connection, _LISTED)
    ]
    return sorted(found, key=lambda o: (o.state != HIT, o.context or bool(o.noisy), o.kind, o.value, o.match))


def _outcome(
    row: dict[str, Any],
    hit: dict[str, Any] | None,
    examples: dict[str, list[str]],
    searched: dict[str, dict[str, Any]],
    noisy: str,
) -> Outcome:
    seen = searched.get(row["kind"], {})
    records = int(seen.get("records") or 0)
    state = HIT if hit else NO_HIT if records else NOT_EVALUABLE
    names = ("events", "valid_events", "succeeded", "denied", "actors", "one_actor", "first", "last", "fields")
    return Outcome(
        **row,
        state=state,
        noisy=noisy,
        searched=records,
        searched_from=seen.get("first"),
        searched_to=seen.get("last"),
        **({name: hit[name] for name in names} if hit else {}),
        event_keys=tuple(examples.get(row["indicator_id"], ())),
    )


def _noisy(kind: str, value: str, settings: Settings, egress: list[tuple[str, str]]) -> str:
    if kind == "account" and value in settings.own_accounts:
        return "an own account"
    if kind in {"address", "network"}:
        address = read_address(value) if kind == "address" else None
        low, high = (address.key or "",) * 2 if address else bounds_of(value)
        if any(low <= last and first <= high for first, last in egress):
            return "an own address"
        if address and address.kind != "public":
            return "not a public address"
        if int(high, 16) - int(low, 16) >= 2**16:
            return "a network of more than 65,536 addresses"
    return ""


def faults_of(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the entries of indicator files that could not be used."""
    return rows_of(
        connection,
        "SELECT file_name, place, raw, reason FROM indicator_fault"
        " WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal) ORDER BY file_name, place, raw, reason",
    )
