"""Keys that the logs and lists of providers and gateways name: which of them no inventory names, and which are ambiguous."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from forensics.analysis.inventory.aliases import Aliases, Listed
from forensics.analysis.inventory.versions import Statement
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

#: One row a name of a key in a log: by id, by name where the log has no id, by the hash of a gateway's key. An act counts
#: for both the key that acted and the one that was acted on.
_SEEN = """
SELECT provider, owner, how, value, string_agg(DISTINCT source, ', ' ORDER BY source) AS source, max(label) AS label, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
  min(event_key) AS event_key
FROM (
  SELECT provider, coalesce(owner, '') AS owner, 'id' AS how, key_id AS value, 'usage' AS source, '' AS label, min(bucket_start) AS first_seen,
    max(bucket_end) AS last_seen, min(event_key) AS event_key
  FROM ai_usage WHERE key_id IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT provider, coalesce(owner, ''), 'name', key_name, 'usage', '', min(bucket_start), max(bucket_end), min(event_key)
  FROM ai_usage WHERE key_id IS NULL AND key_name IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT provider, coalesce(owner, ''), 'id', key_id, 'costs', '', min(period_start), max(period_end), min(event_key)
  FROM ai_cost WHERE key_id IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT provider, coalesce(owner, ''), 'name', key_name, 'costs', '', min(period_start), max(period_end), min(event_key)
  FROM ai_cost WHERE key_id IS NULL AND key_name IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT provider, coalesce(owner, ''), 'id', actor_key_id, 'audit', '', min(event_time), max(event_time), min(event_key)
  FROM ai_audit_event WHERE actor_key_id IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT provider, coalesce(owner, ''), 'id', target_key_id, 'audit', '', min(event_time), max(event_time), min(event_key)
  FROM ai_audit_event WHERE target_key_id IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT provider, coalesce(owner, ''), 'id', key_id, 'requests', '', min(event_time), max(event_time), min(event_key)
  FROM ai_request WHERE key_id IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT provider, coalesce(owner, ''), 'sha256', key_hash, 'requests', coalesce(max(key_name), ''), min(event_time), max(event_time), min(event_key)
  FROM ai_request WHERE key_id IS NULL AND key_hash IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT coalesce(key_provider, ''), coalesce(customer, owner, ''),
    CASE WHEN key_id IS NOT NULL THEN 'id' WHEN key_sha256 IS NOT NULL THEN 'sha256' WHEN hint IS NOT NULL THEN 'hint' ELSE 'name' END,
    coalesce(key_id, key_sha256, hint, key_name), 'reads', coalesce(max(key_name), ''), min(event_time), max(event_time), min(event_key)
  FROM other_event WHERE kind = 'key_read' AND coalesce(key_id, key_sha256, hint, key_name) IS NOT NULL GROUP BY ALL)
GROUP BY provider, owner, how, value
ORDER BY provider, owner, how, value
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A key as a log names it.

    `how` is id, name, hint or sha256; `source` names where: audit, costs, list, reads, requests, usage; `label` is the
    name that a log gives beside a hash or hint. `provider` is empty where an application's log does not tell it.
    """

    provider: str
    owner: str
    how: str
    value: str
    source: str
    label: str
    first_seen: datetime | None
    last_seen: datetime | None
    event_key: str


def read_seen(connection: duckdb.DuckDBPyConnection, lists: Iterable[Listed]) -> list[Seen]:
    """Return every name of a key in logs, and what only the providers' lists name."""
    seen = [
        Seen(
            *(
                row[n]
                for n in (
                    "provider",
                    "owner",
                    "how",
                    "value",
                    "source",
                    "label",
                    "first_seen",
                    "last_seen",
                    "event_key",
                )
            )
        )
        for row in rows_of(connection, _SEEN)
    ]
    known = {(s.provider, s.owner, s.value) for s in seen}
    for key in lists:
        how, value = (
            ("id", key.key_id) if key.key_id else ("sha256", key.sha256) if key.sha256 else ("name", key.key_name)
        )
        if value and (key.provider, key.owner, value) not in known:
            seen.append(
                Seen(
                    key.provider,
                    key.owner,
                    how,
                    value,
                    "list",
                    key.key_name,
                    key.created_at,
                    key.last_used_at,
                    key.event_key,
                )
            )
    return sorted(seen, key=lambda s: (s.provider, s.owner, s.how, s.value, s.event_key))


def missing(
    seen: Iterable[Seen], statements: Iterable[Statement], aliases: Aliases, stated: Mapping[str, set[str]]
) -> tuple[list[Seen], list[tuple[Seen, list[tuple[str, str]]]]]:
    """Return the keys that no inventory names, and those whose name or hint fits several, with these (provider, id).

    `stated`: names of keys in a gateway's log that the settings state, by the gateway's customer ("" for any).
    """
    rows = list(statements)
    ids = {(s.provider, s.name) for s in rows}
    hashes = {s.sha256 for s in rows if s.sha256}
    names = {(s.provider, owner, s.key_name) for s in rows if s.key_name for owner in (s.customer, s.holder)}
    absent, unsure = [], []
    for key in seen:
        if key.how == "id":
            fits = (key.provider, key.value) in ids or (not key.provider and key.value in {k for _, k in ids})
        elif key.how == "sha256":
            found = aliases.anywhere(key.provider, (), key.value, "", "")
            fits = key.value.lower() in hashes or any(pair in ids for pair in found)
            fits = fits or key.label in stated.get(key.owner, set())
        else:
            hint, name = (key.value, key.label) if key.how == "hint" else ("", key.value)
            fits = (key.provider, key.owner, name) in names or key.value in stated.get(key.owner, set())
            found = aliases.anywhere(key.provider, (key.owner,), "", hint, name)
            if len(found) > 1:
                unsure.append((key, found))
                continue
            fits = fits or any(pair in ids for pair in found)
        if not fits:
            absent.append(key)
    return absent, unsure
