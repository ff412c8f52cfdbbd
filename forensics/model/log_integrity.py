"""Columns of what a check of digests and signatures found: `keytrail verify-logs`."""

from __future__ import annotations

from forensics.model.columns import table

_CHAIN = """
account VARCHAR account of the digests, by their names
organisation VARCHAR organisation, of organisation trails
region VARCHAR region
trail VARCHAR name of the trail
home_region VARCHAR home region of the trail
backfill BOOLEAN a chain of backfill digests, which stands apart
"""

LOG_CHAIN = table(
    "log_chain",
    "One row a chain of digests: a trail in a region.",
    f"""{_CHAIN.strip()}
states VARCHAR complete, start_of_chain, gap, time_gap, broken, tail_unverified, backfill, other_trail; by commas
digests BIGINT digests that are there
missing BIGINT digests that should be there and are not, counted by time where several are missing together
first_start TIMESTAMP begin of the first digest
last_end TIMESTAMP end of the last digest
hours BIGINT hours that the digests speak of
hours_proven BIGINT of these, hours of digests with a valid signature
hours_empty BIGINT of the proven ones, hours in which nothing was delivered
faults JSON what is wrong with the chain, in words
""",
)

LOG_DIGEST = table(
    "log_digest",
    "One row a digest, and one for each digest that its successor names and that is not there.",
    f"""
object VARCHAR S3 key that it states, else its own name
bucket VARCHAR bucket that it states
{_CHAIN.strip()}
start_at TIMESTAMP begin of its hour
end_at TIMESTAMP end of its hour
state VARCHAR valid, valid_via_successor, valid_hash_only, unverified_no_signature, unverified_no_key, bad_key, invalid_signature, invalid_format, trailing_data, moved, algorithm_unsupported, missing, fork, duplicate_conflict
reason VARCHAR in words
log_files BIGINT log files that it lists
fingerprint VARCHAR public key that it names
key_origin VARCHAR evidence or pinned; NULL when the key was not supplied
key_file VARCHAR exhibit or file the key is from
key_in_validity BOOLEAN whether it ended within the key's stated validity; information only
exhibit VARCHAR exhibit
file_sha256 VARCHAR received file
member_path VARCHAR path inside containers; empty for a plain file
content_sha256 VARCHAR SHA-256 of its uncompressed bytes
""",
)

LOG_INTEGRITY = table(
    "log_integrity",
    "One row a log file: what the digests of the evidence say of it. One without exhibit is listed and missing.",
    """
object VARCHAR S3 key under which a digest lists it, else its own name
bucket VARCHAR bucket
state VARCHAR valid, verified_content_container_changed, hash_mismatch, missing, trailing_data, invalid_format, listed_by_invalid_digest, listed_by_unverified_digest, not_covered, covered_by_other_trail, duplicate_listing, not_applicable
integrity VARCHAR what that says of its events: signed, content hash only, not covered, failed
reason VARCHAR in words
digest_object VARCHAR digest it is judged by
exhibit VARCHAR exhibit
file_sha256 VARCHAR received file
member_path VARCHAR path inside containers; empty for a plain file
content_sha256 VARCHAR SHA-256 of its uncompressed bytes
""",
)

LOG_INTEGRITY_TABLES = (LOG_CHAIN, LOG_DIGEST, LOG_INTEGRITY)
