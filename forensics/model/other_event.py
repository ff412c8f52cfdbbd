"""Columns of events of other systems: sign-ins, acts, and reads of keys by applications and databases."""

from __future__ import annotations

from forensics.model.columns import table

OTHER_EVENT = table(
    "other_event",
    "Events of systems without a format of their own, by a column map: sign-ins, acts, and reads of keys.",
    """
event_key VARCHAR identity: 32 hex digits over source id, own id (with owner and organisation) and the record's SHA-256
source_id VARCHAR map_ and the name of the map
provider VARCHAR system, as the map names it
owner VARCHAR whose evidence; empty when unassigned
organisation VARCHAR organisation of the receipt; empty when not stated
event_time TIMESTAMP when, UTC
kind VARCHAR act, sign_in, key_read
event_id VARCHAR id of the event in its system
action VARCHAR what was done, as the system names it
outcome VARCHAR success, failure, or as the system says
actor VARCHAR who did it
actor_email VARCHAR e-mail address
credential VARCHAR session, token id or access key that was used; never a secret
key_id VARCHAR provider key that was read
key_sha256 VARCHAR SHA-256 of that key, 64 hex digits in small letters
hint VARCHAR redacted form of that key, never the key
key_name VARCHAR name of that key
key_provider VARCHAR AI provider of that key, where the log tells it
customer VARCHAR whose key it is, where the log tells it; else the owner of the log counts
location VARCHAR where the key was read from: row, path or secret
resource VARCHAR what it was done to
account VARCHAR account, tenant or organisation in the system
region VARCHAR region or country, as the system says
source_ip VARCHAR canonical address
source_ip_key VARCHAR source_ip as 32 hex digits, IPv4 mapped into IPv6
user_agent VARCHAR user agent
details JSON whatever the map keeps beside
native_id VARCHAR id of the record; with owner and organisation
canonical_sha256 VARCHAR SHA-256 of the record as sorted JSON: equal for other serialisations
raw JSON columns that the map does not name
received_at TIMESTAMP when the export was received, by its receipt
evidence VARCHAR content SHA-256 and record number of the smallest occurrence
file_sha256 VARCHAR received file that was read first; for the account only
""",
    key=("event_key",),
)
