"""The provider's own lists of keys, and what may be said of a key that stands in one.

A list says how things were when it was asked for: the time of its receipt. Two lists of different times are two
statements about each key, also where not a letter changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from forensics.model.columns import table
from forensics.model.fields import plain
from forensics.model.masking import mask_keys, mask_secret

PROVIDER_KEY = table(
    "provider_key",
    "Keys as the provider or gateway lists them, as of the receipt of the list. What a person states of keys is in ai_key.",
    """
event_key VARCHAR identity: 32 hex digits over source id, own id (with owner, organisation and time) and the record's SHA-256
source_id VARCHAR log format it was read from
provider VARCHAR openai, anthropic, openrouter, litellm
owner VARCHAR whose evidence; empty when unassigned
organisation VARCHAR provider organisation of the receipt; empty when not stated
key_id VARCHAR provider's key id, as usage and audit logs name it; NULL where keys have none
key_name VARCHAR name or alias
hint VARCHAR redacted form as the provider shows it, never the key
key_sha256 VARCHAR SHA-256 of the key, 64 hex digits; NULL where the list does not tell it
kind VARCHAR admin, project, service_account, workspace, organization, gateway, virtual
status VARCHAR as the provider says it: active, inactive, archived, expired, disabled, blocked; of OpenAI's project keys whether the owner has access to the project
project_id VARCHAR project, or team of a gateway; NULL where the list does not name it
workspace_id VARCHAR workspace
principal_id VARCHAR user or service account that the key acts for
principal_email VARCHAR its e-mail address
created_by VARCHAR user or service account that made the key, where that is told apart
created_at TIMESTAMP creation, UTC
expires_at TIMESTAMP expiry, UTC; NULL when none or not told
last_used_at TIMESTAMP last use as of the list, UTC; NULL when never, not known or not told
limits VARCHAR limits of the key as `name=value`, sorted, separated by `; `
native_id VARCHAR id or hash of the key and the stated time of receipt; with owner and organisation
canonical_sha256 VARCHAR SHA-256 of the record as sorted JSON: equal for other serialisations
raw JSON the provider's fields that have no column
received_at TIMESTAMP when the list was received, by its receipt: the time it speaks of
evidence VARCHAR content SHA-256 and record number of the smallest occurrence
file_sha256 VARCHAR received file that was read first; for the account only
""",
    key=("event_key",),
)

#: Said once a file when nobody stated its time.
UNDATED = "no receipt says when this list was asked for: lists with equal records count as one"
WHOLE_KEY = "a whole key stands in the list: kept here as hint and SHA-256, but the received file holds it"

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def hint_of(value: object) -> tuple[str | None, str | None]:
    """Return (hint, None) for a redacted form, (masked form, SHA-256) when it is a whole key after all."""
    text = str(value).strip() if isinstance(value, str) else ""
    hint = plain(text)
    whole = bool(text) and mask_keys(text) != text
    return hint, sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if whole else None


def secret_of(value: object) -> tuple[str | None, str | None]:
    """Return (masked form, SHA-256) of a field that holds the key itself, whatever it looks like."""
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return None, None
    hint, known = hint_of(text)
    return hint if known else plain(mask_secret(text)), sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(value: object) -> str | None:
    """Return a SHA-256 in lower case when the value is 64 hex digits, else None."""
    text = value.strip() if isinstance(value, str) else ""
    return text.lower() if _SHA256.fullmatch(text) else None


def limits_of(limits: Iterable[tuple[str, object]]) -> str | None:
    """Return limits as text, `limit=25; limit_reset=monthly`; what is null or empty is left out."""
    told = []
    for name, value in sorted(limits, key=lambda limit: limit[0]):
        if isinstance(value, list):
            text: str | None = ",".join(sorted(filter(None, map(plain, value)))) or None
        elif isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
            text = plain(value.to_integral_value()) if abs(value.adjusted()) < 40 else plain(value)
        else:
            text = plain(value)
        told += [f"{name}={text}"] if text else []
    return "; ".join(told) or None


def statement_id(name: str, received_at: datetime | None, *, stated: bool) -> str:
    """Return what names a key in a list of a time. The moment of reading is no such time: it is left out."""
    named = name.replace("\\", "\\\\").replace("|", "\\|")
    return f"{named}|{received_at.isoformat()}Z" if stated and received_at is not None else named
