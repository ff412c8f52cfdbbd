"""What the evidence covers against what should exist: sources by hour, with their horizon, and what never shows.

Expected is what the settings' roster names, what the key inventory implies, and everything that the evidence itself
mentions; what is expected and not there is a row of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forensics.analysis.horizon import Place, export_end, floor_hour, trail_horizons
from forensics.model.case import Settings
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_HOUR = timedelta(hours=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00")
_WITH_AUDIT = frozenset({"openai", "anthropic"})


@dataclass(slots=True)
class Stream:
    """One source that should be there: CloudTrail of an account and region, or an export of a customer's provider.

    Hours are whole hours of the window: `with_events` (of exports: hours that the export covers, where absence is
    zero), `proven_empty` (a digest with a valid signature says that nothing was delivered), `without`. `horizon`: end of
    the last complete hour, after which nothing can be said; naive UTC.
    """

    kind: str
    who: str
    what: str
    basis: tuple[str, ...]
    with_events: int = 0
    proven_empty: int = 0
    without: int = 0
    first: datetime | None = None
    last: datetime | None = None
    horizon: datetime | None = None
    exported_at: datetime | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def supplied(self) -> bool:
        """Whether anything of it is in the evidence."""
        return bool(self.with_events or self.proven_empty)


@dataclass(frozen=True, slots=True)
class Class:
    """A class of events: how many lie in the window, and what its absence leaves open."""

    name: str
    events: int
    matters: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Streams in a total order, acts on logging, classes of events, and remarks on clocks and left-out parts."""

    since: datetime
    until: datetime
    streams: list[Stream]
    changes: list[dict[str, Any]]
    classes: list[Class]
    clocks: list[str]
    left_out: list[str]


_TRAIL_HOURS = """
SELECT coalesce(e.account_id, '') AS who, coalesce(e.region, '') AS what, e.event_epoch // 3600 AS hour,
       min(e.event_time) AS first, max(e.event_time) AS last
FROM aws_event AS e WHERE e.event_time >= $since AND e.event_time < $until
GROUP BY ALL ORDER BY ALL
"""
_EMPTY = """
SELECT DISTINCT account AS who, region AS what, start_at, end_at FROM log_digest
WHERE state IN ('valid', 'valid_via_successor') AND log_files = 0 AND start_at < $until AND end_at > $since
ORDER BY ALL
"""
_MENTIONED = """
SELECT DISTINCT coalesce(actor_account_id, '') AS who FROM aws_event
WHERE event_time >= $since AND event_time < $until AND regexp_full_match(coalesce(actor_account_id, ''), '[0-9]{12}')
ORDER BY who
"""
_CHAINS = (
    "SELECT DISTINCT account AS who, region AS what FROM log_chain"
    " WHERE coalesce(account, '') <> '' AND region IS NOT NULL ORDER BY ALL"
)
_INVENTORY = "SELECT DISTINCT coalesce(customer, '') AS who, provider AS what FROM ai_key ORDER BY ALL"
_EXPORTS = """
SELECT coalesce(owner, '') AS who, provider AS what,
       CASE endpoint WHEN 'costs' THEN 'costs' WHEN 'audit' THEN 'audit' WHEN 'requests' THEN 'requests' ELSE 'usage' END AS kind,
       covered_from, covered_until, coalesce(truncated, false) AS truncated, received_at
FROM ai_coverage ORDER BY ALL
"""
_LOGGED = """
SELECT kind, who, what, hour, min(t) AS first, max(t) AS last, max(received_at) AS received_at FROM (
  SELECT 'audit' AS kind, coalesce(owner, '') AS who, provider AS what, event_time AS t, received_at,
         CAST(floor(epoch(event_time) / 3600) AS BIGINT) AS hour
  FROM ai_audit_event WHERE event_time >= $since AND event_time < $until
  UNION ALL
  SELECT 'requests', coalesce(owner, ''), coalesce(provider, ''), event_time, received_at,
         CAST(floor(epoch(event_time) / 3600) AS BIGINT)
  FROM ai_request WHERE event_time >= $since AND event_time < $until)
GROUP BY ALL ORDER BY ALL
"""
_CHANGES = """
SELECT event_time, event_name_base AS action, coalesce(resource, '') AS resource, actor, account_id, region, outcome, event_key
FROM aws_event
WHERE event_time >= $since AND event_time < $until AND event_source IN ('cloudtrail.amazonaws.com', 'cloudtrail.amazonaws.com.cn')
  AND event_name_base IN ('StopLogging', 'StartLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'CreateTrail',
                          'DeleteEventDataStore', 'StopEventDataStoreIngestion')
ORDER BY event_time, event_key
"""
_CLASSES = (
    ("CloudTrail management events that write", "aws_event", "coalesce(event_category, 'Management') = 'Management' AND NOT coalesce(read_only, false)",
     "changes to identities, keys, trails and policies"),
    ("CloudTrail management events that read", "aws_event", "coalesce(event_category, 'Management') = 'Management' AND read_only",
     "reads of secrets and parameters, discovery"),
    ("S3 data events", "aws_event", "event_source = 's3.amazonaws.com' AND (event_category = 'Data' OR coalesce(management_event, true) = false)",
     "who read objects that hold keys, logs or customer data"),
    ("Lambda data events", "aws_event", "event_source = 'lambda.amazonaws.com' AND event_category = 'Data'", "who invoked functions"),
    ("KMS events", "aws_event", "event_source = 'kms.amazonaws.com'", "which secret or parameter was decrypted"),
    ("network activity events", "aws_event", "event_category = 'NetworkActivity'", "calls through VPC endpoints that were refused"),
    ("sign-in events", "aws_event", "event_source = 'signin.amazonaws.com'", "logins to the console"),
    ("Bedrock calls in CloudTrail", "aws_event", "event_source LIKE 'bedrock%'", "models that were used in the account itself"),
    ("Bedrock invocation log", "ai_request", "source_id = 'bedrock_invocation'", "tokens and content of calls to Bedrock"),
    ("requests at gateways and providers", "ai_request", "coalesce(source_id, '') <> 'bedrock_invocation'", "addresses and single requests of a key"),
    ("audit events of OpenAI", "ai_audit_event", "provider = 'openai'", "keys made, members invited, limits raised at OpenAI"),
    ("activity events of Anthropic", "ai_audit_event", "provider = 'anthropic'", "keys made, members invited at Anthropic"),
)  # fmt: skip
_ODD = """
SELECT count(*) FILTER (has_omitted) AS omitted, count(*) FILTER (text_repaired) AS repaired,
       count(*) FILTER (duplicate_names) AS doubled, count(*) FILTER (event_time IS NULL) AS untimed,
       count(*) FILTER (session_created > event_time + INTERVAL 5 MINUTE) AS early
FROM aws_event
"""
_AHEAD = """
SELECT count(*) FROM aws_event AS e JOIN (
  SELECT file_sha256, max(coalesce(received_at, read_at)) AS moment FROM receipt GROUP BY file_sha256) AS r USING (file_sha256)
WHERE e.event_time > r.moment + INTERVAL 5 MINUTE
"""
_SPREAD = """
SELECT count(*) AS pairs, min(d) AS low, max(d) AS high FROM (
  SELECT CAST(epoch(q.event_time) AS BIGINT) - e.event_epoch AS d FROM ai_request AS q
  JOIN aws_event AS e ON e.request_id = q.request_id AND e.event_source LIKE 'bedrock%'
  WHERE q.event_time IS NOT NULL AND e.event_epoch IS NOT NULL)
"""


def coverage_of(
    connection: duckdb.DuckDBPyConnection, settings: Settings, since: datetime, until: datetime
) -> Coverage:
    """Return what the evidence covers from `since` to `until` (naive UTC, end exclusive)."""
    bounds = {"since": since, "until": until}
    streams = [*_trails(connection, settings, bounds), *_exports(connection, settings, bounds)]
    classes = [
        Class(name, rows_of(connection, f"SELECT count(*) AS n FROM {table} WHERE ({where}) AND {_INSIDE}", bounds)[0]["n"], matters)  # noqa: S608 - own names
        for name, table, where, matters in _CLASSES
    ]  # fmt: skip
    return Coverage(
        since,
        until,
        sorted(streams, key=lambda s: (s.kind, s.who, s.what)),
        rows_of(connection, _CHANGES, bounds),
        classes,
        _clocks(connection),
        _left_out(connection),
    )


_INSIDE = "event_time >= $since AND event_time < $until"


def _hours_of(since: datetime, until: datetime) -> range:
    return range(int((since - _EPOCH) // _HOUR), int(-((_EPOCH - until) // _HOUR)))


def _expected_trails(settings: Settings) -> defaultdict[Place, set[str]]:
    """Return accounts and regions that the settings name, each with why."""
    expected: defaultdict[Place, set[str]] = defaultdict(set)
    for trail in settings.trails:
        for region in trail.regions:
            expected[trail.account, region].add(f"trail {trail.name} of the roster")
    for account in settings.roster.accounts:
        for region in settings.roster.regions or ("",):
            expected[account, region].add("roster")
    return expected


def _add_unseen(
    connection: Any, settings: Settings, bounds: dict[str, datetime], expected: dict[Place, set[str]]
) -> None:
    """Add accounts without any stream: own ones, and those whose identities act in the evidence."""
    known = {who for who, _ in expected}
    for account in settings.own_accounts:
        if account not in known:
            expected[account, ""] = {"own account"}
    for row in rows_of(connection, _MENTIONED, bounds):
        if row["who"] not in known:
            expected.setdefault((row["who"], ""), set()).add("mentioned: acts here with its own identities")


def _quiet_hours(connection: Any, bounds: dict[str, datetime]) -> defaultdict[Place, set[int]]:
    """Return hours that digests prove empty, by account and region."""
    empty: defaultdict[Place, set[int]] = defaultdict(set)
    for row in rows_of(connection, _EMPTY, bounds):
        hours = _hours_of(max(row["start_at"], bounds["since"]), min(row["end_at"], bounds["until"]))
        empty[row["who"], row["what"]].update(hours)
    return empty


def _trails(connection: Any, settings: Settings, bounds: dict[str, datetime]) -> list[Stream]:
    expected = _expected_trails(settings)
    for row in rows_of(connection, _CHAINS):
        expected[row["who"], row["what"]].add("digests")
    hours: defaultdict[Place, dict[int, tuple[datetime, datetime]]] = defaultdict(dict)
    for row in rows_of(connection, _TRAIL_HOURS, bounds):
        hours[row["who"], row["what"]][row["hour"]] = (row["first"], row["last"])
        expected[row["who"], row["what"]].add("evidence")
    _add_unseen(connection, settings, bounds, expected)
    horizons = trail_horizons(connection, bounds["since"], bounds["until"])
    empty = _quiet_hours(connection, bounds)
    total = _hours_of(bounds["since"], bounds["until"])
    out = []
    for place, basis in sorted(expected.items()):
        found = {h: t for h, t in hours.get(place, {}).items() if h in total}
        quiet = {h for h in empty.get(place, ()) if h in total and h not in found}
        stream = Stream(
            "cloudtrail", *place, tuple(sorted(basis)), len(found), len(quiet), len(total) - len(found) - len(quiet),
            min((a for a, _ in found.values()), default=None), max((b for _, b in found.values()), default=None),
        )  # fmt: skip
        if place in horizons:
            stream.horizon, stream.exported_at = horizons[place].until, horizons[place].exported_at
        out.append(stream)
    return out


def _exports(connection: Any, settings: Settings, bounds: dict[str, datetime]) -> list[Stream]:
    expected: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in rows_of(connection, _INVENTORY):
        if row["who"]:
            expected["usage", row["who"], row["what"]].add("key inventory")
            if row["what"] in _WITH_AUDIT:
                expected["audit", row["who"], row["what"]].add("key inventory")
    known = {who for _, who, _ in expected}
    for customer in settings.roster.customers:
        if customer not in known:
            expected["usage", customer, ""].add("roster")
    held = {row[0] for row in connection.execute("SELECT DISTINCT organisation FROM ai_coverage").fetchall()}
    for organisation in settings.roster.organisations:
        if organisation not in held:
            expected["usage", organisation, "(organisation)"].add("roster")
    streams: dict[tuple[str, str, str], Stream] = {}
    total = _hours_of(bounds["since"], bounds["until"])
    covered: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
    for row in rows_of(connection, _EXPORTS):
        place = row["kind"], row["who"], row["what"]
        expected[place].add("evidence")
        _add_export(streams.setdefault(place, Stream(*place, ())), row, bounds, covered[place])
    for row in rows_of(connection, _LOGGED, bounds):
        place = row["kind"], row["who"], row["what"]
        expected[place].add("evidence")
        stream = streams.setdefault(place, Stream(*place, ()))
        covered[place].add(row["hour"])
        stream.first = min(filter(None, (stream.first, row["first"])))
        stream.last = max(filter(None, (stream.last, row["last"])))
        stream.exported_at = max(filter(None, (stream.exported_at, row["received_at"])), default=None)
    out = []
    for place, basis in sorted(expected.items()):
        stream = streams.get(place, Stream(*place, ()))
        stream.basis = tuple(sorted(basis))
        stream.with_events = sum(1 for hour in covered[place] if hour in total)
        stream.without = len(total) - stream.with_events
        if stream.horizon is None and stream.last:
            stream.horizon = floor_hour(stream.last)
            stream.notes.append("its pages state no bounds: an hour without a record is not proven empty")
        out.append(stream)
    return out


def _add_export(stream: Stream, row: dict[str, Any], bounds: dict[str, datetime], covered: set[int]) -> None:
    start, end, received = row["covered_from"], row["covered_until"], row["received_at"]
    if row["truncated"] and "a page says that more follows" not in stream.notes:
        stream.notes.append("a page says that more follows")
    stream.exported_at = max(filter(None, (stream.exported_at, received)), default=None)
    if start is None or end is None:
        return
    end = export_end(end, received)
    if start >= end:
        return
    covered.update(_hours_of(max(start, bounds["since"]), min(end, bounds["until"])))
    stream.first = min(filter(None, (stream.first, start)))
    stream.last = max(filter(None, (stream.last, end)))
    stream.horizon = max(filter(None, (stream.horizon, floor_hour(end))))


def _clocks(connection: Any) -> list[str]:
    found = []
    spread = rows_of(connection, _SPREAD)[0]
    if spread["pairs"]:
        found.append(
            f"{spread['pairs']} calls to Bedrock stand in CloudTrail and in the invocation log: the log's time is"
            f" {spread['low']} to {spread['high']} seconds after CloudTrail's"
        )
    ahead = connection.execute(_AHEAD).fetchall()[0][0]
    if ahead:
        found.append(f"{ahead} events are later than the receipt of their file: one of the clocks is wrong")
    odd = rows_of(connection, _ODD)[0]
    if odd["early"]:
        found.append(f"{odd['early']} events are more than five minutes before the session that made them began")
    return found


def _left_out(connection: Any) -> list[str]:
    odd = rows_of(connection, _ODD)[0]
    defects = connection.execute("SELECT count(*) FROM defect").fetchall()[0][0]
    cut = connection.execute("SELECT count(*) FROM ai_coverage WHERE truncated").fetchall()[0][0]
    said = (
        (odd["omitted"], "events have a part that AWS left out for its size"),
        (odd["repaired"], "events had invalid text that was replaced to read them"),
        (odd["doubled"], "events hold one name twice in one object: other readers may see other values"),
        (odd["untimed"], "events have no time that could be read"),
        (defects, "records or files could not be read"),
        (cut, "exports are cut short: their last page says that more follows"),
    )
    return [f"{number} {text}" for number, text in said if number]
