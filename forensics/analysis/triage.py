"""Triage: what to cut, revoke, save and ask for now, from logs alone, on one screen.

Suspects are the credentials behind findings that need no baseline and are high or critical, and what they issued.
It is a proposal for the first hour, not a verdict.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forensics.analysis.facts import times
from forensics.analysis.findings import Finding
from forensics.analysis.horizon import Horizon, reach_of, trail_horizons, usage_horizons
from forensics.analysis.keys import provider_of_name
from forensics.analysis.suspects import Suspects
from forensics.model.clock import iso
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_LINES = 8
_NAMES = 6
#: CloudTrail Event history keeps 90 days of management events.
#: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
EVENT_HISTORY = timedelta(days=90)
_ACTIVE = timedelta(hours=24)
_ALWAYS = datetime(1, 1, 1), datetime(9999, 1, 1)  # noqa: DTZ001 - naive UTC
_UNDONE_BY = {
    "StopLogging": "StartLogging",
    "DeleteModelInvocationLoggingConfiguration": "PutModelInvocationLoggingConfiguration",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the screen with the events it rests on (the provider's ids)."""

    text: str
    event_ids: tuple[str, ...] = ()


_READS = """
SELECT event_time, event_key, access, action, location_kind, location, region, actor, session_name, coalesce(credential_id, actor) AS credential, source_ip
FROM secret_access WHERE outcome = 'success' AND coalesce(credential_id, actor) IN (SELECT unnest($values)) AND event_time >= $since
ORDER BY event_time, location, event_key
"""
_LOGGING = """
SELECT event_time, event_key, coalesce(event_id, event_key) AS id, event_source, event_name_base AS action, outcome, actor, region,
       coalesce(account_id, '') AS account,
       coalesce(json_extract_string(request_parameters, '$.name'), json_extract_string(request_parameters, '$.trailName'), resource) AS target
FROM aws_event
WHERE (event_source = 'cloudtrail.amazonaws.com' AND event_name_base IN
        ('StopLogging', 'StartLogging', 'DeleteTrail', 'PutEventSelectors', 'DeleteEventDataStore', 'StopEventDataStoreIngestion'))
   OR (event_source = 'bedrock.amazonaws.com' AND event_name_base IN
        ('DeleteModelInvocationLoggingConfiguration', 'PutModelInvocationLoggingConfiguration'))
   OR (event_source = 'guardduty.amazonaws.com' AND event_name_base = 'DeleteDetector')
ORDER BY event_time, event_key
"""
_LAST_USAGE = """
SELECT u.provider, coalesce(u.owner, '') AS owner, u.key_id, max(u.bucket_end) AS last FROM ai_usage_current AS u
WHERE u.key_id IN (SELECT unnest($values)) AND (u.output_tokens > 0 OR u.requests > 0)
GROUP BY ALL ORDER BY u.provider, u.key_id, owner
"""
_HAVE = "SELECT DISTINCT source_id FROM evidence_file WHERE source_id IS NOT NULL ORDER BY source_id"
_DATA_EVENTS = "SELECT count(*) FROM aws_event WHERE event_category = 'Data' AND event_source = 's3.amazonaws.com'"
_BEDROCK = (
    "SELECT count(*) FROM aws_event WHERE event_source = 'bedrock.amazonaws.com' AND event_name_base LIKE 'Invoke%'"
)
_IDS = "SELECT event_key, event_id FROM aws_event WHERE event_key IN (SELECT unnest($keys)) AND event_id IS NOT NULL"


class Triage:
    """Builds the screen from a hunt's findings and the store."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, findings: tuple[Finding, ...], now: datetime) -> None:
        self.connection = connection
        self.findings = findings
        self.now = now
        self.found = Suspects(connection, findings)
        self.habits = self.found.habits
        self.suspects = self.found.all
        self.trails = trail_horizons(connection, *_ALWAYS)
        self.usage = usage_horizons(connection)
        self.reads = self._rows(_READS, values=sorted(self.suspects), since=self.found.since())

    def _rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        return rows_of(self.connection, sql, values)

    def _ids(self, keys: list[str]) -> tuple[str, ...]:
        known = {r["event_key"]: r["event_id"] for r in self._rows(_IDS, keys=sorted(set(keys)))}
        return tuple(dict.fromkeys(known.get(key, key) for key in keys))

    def sections(self) -> list[tuple[str, list[Line]]]:
        """Return the screen: titles with their lines, most urgent first."""
        return [
            ("Cut these credentials and sessions", self._cut()),
            ("Still active as of the horizon of the logs", self._active()),
            ("Secrets read, and by whom", self._secrets()),
            ("Revoke these keys first", self._revoke()),
            ("Logging switched off or narrowed", self._logging()),
            ("Evidence that expires", self._expiry()),
            ("Ask for next", self._ask()),
        ]

    def _cut(self) -> list[Line]:
        lines = []
        for s in self.found.ordered()[:_LINES]:
            session = f" session {s.session}" if s.session else ""
            why = ", ".join(sorted(q.partition(".")[2] for q in s.findings)[:3]) or f"issued by {s.parent}"
            seen = f"last seen {iso(s.last)}{self._as_of(s.account)}" if s.last else "not seen in use"
            lines.append(Line(f"{s.credential}{session} ({_short(s.actor)}), {seen}: {why}", self._ids(s.events[:3])))
        more = len(self.suspects) - _LINES
        if more > 0:
            rest = [s.events[0] for s in self.found.ordered()[_LINES:] if s.events]
            lines.append(Line(f"and {more} more, mostly sessions that these issued", self._ids(rest[:3])))
        for (query, actor), count in sorted(self.habits.items(), key=lambda item: (item[0][0], item[0][1] or "")):
            found = [f for f in self.findings if (f.query_id, f.actor) == (query, actor)]
            if query.startswith("aws.") and found[0].severity.rank >= 3:
                text = f"not listed: {_short(actor or '-')} does this on {count} days of the logs ({query.partition('.')[2]}); if it should not, it comes first"
                lines.append(Line(text, self._ids([found[0].event_keys[0]])))
        return lines or [Line("no credential: nothing in these logs is high or critical without a baseline")]

    def horizons(self) -> list[Horizon]:
        """Return how far each source reaches: after that this screen knows nothing."""
        return [*self.trails.values(), *self.usage.values()]

    def _as_of(self, account: str) -> str:
        """Say as of when a sighting in an account's CloudTrail, or its absence, holds."""
        reach = reach_of(self.trails.values(), account)
        return f" as of {iso(reach.until)}" if reach and reach.until else ""

    def _active(self) -> list[Line]:
        lines = []
        for s in self.found.ordered():
            reach = reach_of(self.trails.values(), s.account)
            if s.last and reach and reach.until and reach.until - s.last <= _ACTIVE:
                text = f"{s.credential} was used at {iso(s.last)}; horizon: {reach.words()}"
                lines.append(Line(text, self._ids(s.events[:1])))
        grave = {
            row["credential_id"]
            for f in self.found.grave()
            if not f.query_id.startswith("aws.")
            for row in f.events
            if row["credential_id"]
        }
        for row in self._rows(_LAST_USAGE, values=sorted(grave)):
            known = self.usage.get((row["owner"], row["provider"]))
            if known and known.until and known.until - row["last"] <= _ACTIVE:
                keys = [
                    e["event_key"] for f in self.found.grave() for e in f.events if e["credential_id"] == row["key_id"]
                ][-1:]
                text = (
                    f"{row['provider']} key {row['key_id']} was used up to {iso(row['last'])}; horizon: {known.words()}"
                )
                lines.append(Line(text, self._ids(keys)))
        if not lines:
            shown = "; ".join(h.words() for h in self.horizons()[:_LINES])
            return [
                Line(
                    f"none of the above in the 24 hours before the horizon of its logs ({shown or 'no log'}); what happened after that is not known"
                )
            ]
        return lines[:_LINES]

    def _secrets(self) -> list[Line]:
        grouped: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in self.reads:
            grouped[row["credential"], row["access"]].append(row)
        lines = []
        for (credential, access), rows in sorted(
            grouped.items(), key=lambda item: (-len({r["location"] for r in item[1]}), item[0])
        ):
            names = list(dict.fromkeys(r["location"] for r in rows))
            more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
            who = rows[0]["session_name"] or _short(rows[0]["actor"] or "")
            text = f"{access}: {len(names)} by {credential} ({who}) from {rows[0]['source_ip'] or 'an AWS service'}, {iso(rows[0]['event_time'])} on: {', '.join(names[:_NAMES])}{more}"
            lines.append(Line(text, self._ids([r["event_key"] for r in rows[:3]])))
        return lines[:_LINES] or [
            Line("no successful read of a stored secret, parameter or function configuration by the credentials above")
        ]

    def _revoke(self) -> list[Line]:
        keys: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.reads:
            if provider_of_name(row["location"]):
                keys[row["location"]].append(row)
        lines = []
        for name, rows in sorted(
            keys.items(),
            key=lambda item: (
                {"read": 0, "decrypted": 1}.get(item[1][0]["access"], 2),
                item[1][0]["event_time"],
                item[0],
            ),
        ):
            provider = provider_of_name(name)
            lines.append(
                Line(
                    f"{provider} key in {name} ({rows[0]['region']}), {rows[0]['access']} {times(len(rows))} from {iso(rows[0]['event_time'])}",
                    self._ids([r["event_key"] for r in rows[:2]]),
                )
            )
        used: dict[str, list[str]] = defaultdict(list)
        for finding in self.found.grave():
            if not finding.query_id.startswith("aws."):
                for row in finding.events:
                    if row["credential_id"]:
                        used[row["credential_id"]].append(row["event_key"])
        lines += [
            Line(f"provider key {key}: unusual use in its own usage or audit log", self._ids(events[:2]))
            for key, events in sorted(used.items())
        ]
        return lines[: 2 * _LINES] or [
            Line("no read of a secret whose name points to an AI provider, and no unusual use of a provider key")
        ]

    def _logging(self) -> list[Line]:
        rows = self._rows(_LOGGING)
        lines = []
        for n, row in enumerate(rows):
            if row["action"] in _UNDONE_BY.values() or row["outcome"] != "success":
                continue
            undoing = _UNDONE_BY.get(row["action"])
            later = next(
                (
                    r
                    for r in rows[n + 1 :]
                    if r["action"] == undoing and r["target"] == row["target"] and r["outcome"] == "success"
                ),
                None,
            )
            after = (
                f"; on again {iso(later['event_time'])}"
                if later
                else f"; not seen on again{self._as_of(row['account'])}"
                if undoing
                else ""
            )
            ids = (row["id"], later["id"]) if later else (row["id"],)
            lines.append(
                Line(
                    f"{row['action']} {row['target'] or ''} ({row['region']}) at {iso(row['event_time'])} by {_short(row['actor'] or '')}{after}",
                    ids,
                )
            )
        return lines[:_LINES] or [
            Line("no act that switches logging off is in these logs; an act while logging was off would not be")
        ]

    def _expiry(self) -> list[Line]:
        starts = [(s.first, s) for s in self.suspects.values() if s.first]
        since = self.found.since()
        if not starts:
            return [
                Line("nothing suspicious to date it by; CloudTrail Event history keeps 90 days of management events")
            ]
        first = min(self.reads, key=lambda r: (r["event_time"], r["event_key"]), default=None)
        ids = self._ids(
            [f.event_keys[0] for f in self.found.grave() if f.first_seen == since and f.event_keys][:1]
            + ([first["event_key"]] if first else [])
        )
        gone = since + EVENT_HISTORY
        left = (gone - self.now).days
        state = (
            f"expires {gone.date()}, in {left} days"
            if gone > self.now
            else f"expired {gone.date()}: only the trail's own files hold it now"
        )
        return [
            Line(
                f"CloudTrail Event history of {since.date()} {state}; save the trail's bucket with object metadata and digests",
                ids,
            ),
            Line(
                "the OpenAI dashboard exports at most 60 days, OpenRouter activity 30 days: ask the owners of keys for exports now",
                ids,
            ),
        ]

    def _ask(self) -> list[Line]:
        have = {r["source_id"] for r in self._rows(_HAVE)}
        providers = sorted({provider_of_name(r["location"]) for r in self.reads} - {"", "unknown"})
        ids = self._ids([r["event_key"] for r in self.reads[:2]])
        from_day = (self.found.since() - timedelta(days=35)).date() if self.reads else None
        lines = []
        for provider in providers:
            usage = {
                "openai": "openai_usage",
                "anthropic": "anthropic_usage",
                "aws_bedrock": "bedrock_invocation",
            }.get(provider)
            if usage is None or usage not in have:
                lines.append(
                    Line(
                        f"owners of {provider} keys: usage by hour, grouped by API key and model, from {from_day}, and the audit log",
                        ids,
                    )
                )
        if "key_inventory" not in have:
            lines.append(
                Line(
                    "the vendor: an inventory saying which stored secret is which provider key of which customer (template in the case)",
                    ids,
                )
            )
        if not self.connection.execute(_DATA_EVENTS).fetchall()[0][0]:
            lines.append(
                Line(
                    "S3 data events: none are here, so copies of stored files leave no trace in this evidence",
                    ids,
                )
            )
        if self.connection.execute(_BEDROCK).fetchall()[0][0] and "bedrock_invocation" not in have:
            lines.append(
                Line(
                    "Bedrock model invocation logs of every region with calls: they show tokens and, when kept, prompts",
                    ids,
                )
            )
        if "cloudtrail_digest" not in have:
            lines.append(
                Line(
                    "CloudTrail digest files with their object metadata and public keys: without them nothing proves that the logs are whole",
                    ids,
                )
            )
        return lines[:_LINES] or [
            Line("nothing more comes from the logs themselves; ask customers about the usage above", ids)
        ]


def _short(actor: str) -> str:
    return actor.rpartition(":")[2] or actor
