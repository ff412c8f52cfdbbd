"""Columns of what is done with exhibits: key material found in them, exhibits taken out, originals destroyed."""

from __future__ import annotations

from forensics.model.columns import table

KEY_MATERIAL = table(
    "key_material",
    "Where received files hold full keys, secrets or content of requests: such a file is TLP:RED, everything shown is masked.",
    """
file_sha256 VARCHAR received file
member_path VARCHAR path inside containers; empty for a plain file
record_no BIGINT record number; NULL outside of records
byte_offset BIGINT offset in the decoded content; NULL where only reading escapes shows it
kind VARCHAR provider_key, aws_secret_key, aws_session_token, bearer_token, secret_field, content
masked VARCHAR masked form; NULL for content
digest VARCHAR first 12 hex digits of the SHA-256 of the material; NULL for content and short secrets
places BIGINT number of places: fields of content in the record, else 1
""",
)

WITHDRAWAL = table(
    "withdrawal",
    "Exhibits taken out of the analysis. Receipt, places and original stay in the register.",
    """
file_sha256 VARCHAR received file
exhibit VARCHAR exhibit number
reason VARCHAR why
withdrawn_by VARCHAR who did it
withdrawn_at TIMESTAMP when
after_receipt BIGINT number of the last receipt before it
rows_removed BIGINT rows that only this exhibit held, and that left the analysis
""",
    ("file_sha256",),
)

PURGE = table(
    "purge",
    "Copied originals that were destroyed, each with a certificate.",
    """
file_sha256 VARCHAR received file
exhibit VARCHAR exhibit number
reason VARCHAR why
purged_by VARCHAR who did it
purged_at TIMESTAMP when
certificate VARCHAR path of the certificate inside the case
certificate_sha256 VARCHAR SHA-256 of the certificate
""",
    ("file_sha256",),
)

HANDLING_TABLES = (KEY_MATERIAL, WITHDRAWAL, PURGE)
