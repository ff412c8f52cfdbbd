"""The keys of a case: from the newest inventory, or from names and ids that the logs mention."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from forensics.analysis.inventory.register import Register, read_register
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

#: Words that make a stored secret's name look like a provider key, and the provider they point to.
_WORDS = (
    ("openai", "openai"), ("anthropic", "anthropic"), ("claude", "anthropic"), ("bedrock", "aws_bedrock"), ("azure", "azure_openai"),
    ("aoai", "azure_openai"), ("gemini", "google"), ("vertex", "google"), ("mistral", "mistral"), ("cohere", "cohere"), ("groq", "groq"),
    ("xai", "xai"), ("openrouter", "openrouter"), ("fireworks", "fireworks"), ("replicate", "replicate"), ("perplexity", "perplexity"),
    ("huggingface", "huggingface"), ("deepseek", "deepseek"), ("litellm", "litellm"), ("portkey", "portkey"), ("langfuse", "langfuse"),
    ("braintrust", "braintrust"), ("langsmith", "langsmith"), ("llm", "unknown"), ("model-provider", "unknown"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A provider key as stated or met. `basis` is inventory, secret_name or provider_id; times naive UTC."""

    provider: str
    key_id: str
    customer: str
    basis: str
    kind: str = ""
    hint: str = ""
    location_kind: str = ""
    location_region: str = ""
    location: str = ""
    created_at: datetime | None = None
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None
    as_of: datetime | None = None
    event_key: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)


def provider_of_name(name: str) -> str:
    """Return the provider a secret's name suggests, "" for none. A name is a hint, never proof."""
    lowered = name.lower()
    for word, provider in _WORDS:
        if re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", lowered):
            return provider
    return ""


_SECRETS = """
SELECT location_kind, location, region, min(event_key) AS event_key
FROM secret_access
WHERE location_kind IN ('secret', 'ssm', 'lambda') AND location IS NOT NULL
GROUP BY location_kind, location, region
ORDER BY location_kind, location, region NULLS LAST
"""

_IDS = """
SELECT provider, owner, key_id, min(event_key) AS event_key FROM (
  SELECT provider, owner, key_id, event_key FROM ai_usage WHERE key_id IS NOT NULL
  UNION ALL SELECT provider, owner, key_id, event_key FROM ai_cost WHERE key_id IS NOT NULL
  UNION ALL SELECT provider, owner, target_key_id, event_key FROM ai_audit_event WHERE target_key_id IS NOT NULL)
GROUP BY provider, owner, key_id
ORDER BY provider, key_id, owner
"""


def from_inventory(connection: duckdb.DuckDBPyConnection) -> list[Key]:
    """Return the keys of the newest inventory statement of each."""
    return of_register(read_register(connection))


def of_register(register: Register) -> list[Key]:
    """Return the keys of the statements that stand, in their order."""
    return [
        Key(
            s.provider, s.name, s.customer, "inventory", s.kind, s.hint, s.location_kind, s.location_region, s.location,
            s.created_at, s.rotated_at, s.revoked_at, s.as_of, s.event_key, notes,
        )
        for s, notes in zip(register.standing, register.notes(), strict=True)
    ]  # fmt: skip


def ids_seen(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str]]:
    """Return (provider, owner, key id, event key) of every provider key id that the provider's logs mention."""
    return [(r["provider"], r["owner"] or "", r["key_id"], r["event_key"]) for r in rows_of(connection, _IDS)]


def without_inventory(connection: duckdb.DuckDBPyConnection) -> list[Key]:
    """Return what can be said without an inventory: stored secrets named like provider keys, and provider key ids seen."""
    keys = []
    for row in rows_of(connection, _SECRETS):
        provider = provider_of_name(row["location"])
        if provider:
            note = "known by the name of the stored secret only; which provider key it holds is not known"
            keys.append(
                Key(provider, row["location"], "", "secret_name", location_kind=row["location_kind"], location_region=row["region"] or "",
                    location=row["location"], event_key=row["event_key"], notes=(note,))
            )  # fmt: skip
    for provider, owner, key_id, event_key in ids_seen(connection):
        note = "known by the provider's key id only; where it is stored is not known"
        keys.append(Key(provider, key_id, owner, "provider_id", event_key=event_key, notes=(note,)))
    return keys


def template(keys: list[Key]) -> str:
    """Return an inventory template as CSV text, filled with what was seen; the rest is for the customer to fill in."""
    import csv
    import io

    from forensics.model.text import sheet_safe

    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    header = "customer,provider,provider_key_id,key_name,hint,kind,location,created_at,rotated_at,revoked_at,owner,as_of".split(
        ","
    )
    writer.writerow(header)
    for key in keys:
        place = f"{key.location_kind}:{key.location_region}:{key.location}" if key.location else ""
        key_id = key.key_id if key.basis == "provider_id" else ""
        provider = "" if key.provider == "unknown" else key.provider
        writer.writerow(
            [sheet_safe(v) for v in (key.customer, provider, key_id, "", "", "", place, "", "", "", "", "")]
        )
    return stream.getvalue()
