"""Which columns of the store can hold which kinds of indicators."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.store.schema import TABLES

_TIME = {"ai_usage": "bucket_start", "ai_cost": "period_start", "ai_key": "as_of", "provider_key": "received_at"}


@dataclass(frozen=True, slots=True)
class Field:
    """A column and the kinds it is compared with as a whole."""

    table: str
    column: str
    kinds: tuple[str, ...]

    @property
    def time(self) -> str:
        """The column with the time of the row."""
        own = _TIME.get(self.table, "event_time")
        return own if own in TABLES[self.table].names else "received_at"


_ADDRESS = ("address", "network")
_WHO = ("principal", "email", "domain", "role", "account")
_DECLARED: dict[str, dict[str, tuple[str, ...]]] = {
    "aws_event": {
        "source_ip": _ADDRESS, "user_agent": ("user_agent",), "credential_id": ("access_key",),
        "issued_credential_id": ("access_key",), "actor": _WHO, "actor_arn": (*_WHO, "session_name"),
        "principal_id": ("principal",), "user_name": ("principal", "email", "role"), "issuer_arn": ("principal", "role"),
        "issuer_name": ("role",), "session_name": ("session_name", "email", "domain"), "source_identity": ("session_name", "email"),
        "account_id": ("account",), "actor_account_id": ("account",), "request_role_arn": ("principal", "role"),
        "request_role_session": ("session_name", "email"), "request_user_name": ("principal", "email"),
        "request_bucket": ("bucket",), "request_secret_id": ("secret",), "request_id": ("request_id",), "event_id": ("request_id",),
        "request_model_id": ("model",),
    },
    "ai_request": {
        "source_ip": _ADDRESS, "user_agent": ("user_agent",), "key_id": ("provider_key", "access_key"), "key_name": ("provider_key",),
        "key_hash": ("hash",), "principal": _WHO, "user_id": ("principal", "email", "domain"), "account_id": ("account",),
        "request_id": ("request_id",), "model": ("model",),
    },
    "ai_usage": {"key_id": ("provider_key",), "key_name": ("provider_key",), "user_id": ("principal", "email"), "model": ("model",)},
    "ai_cost": {"key_id": ("provider_key",)},
    "ai_audit_event": {
        "source_ip": _ADDRESS, "user_agent": ("user_agent",), "actor_email": ("email", "domain"), "actor_id": ("principal",),
        "actor_key_id": ("provider_key",), "target_key_id": ("provider_key",), "event_id": ("request_id",),
    },
    "ai_key": {"key_id": ("provider_key",), "hint": ("key_hint",), "key_sha256": ("hash",), "location": ("secret",)},
    "provider_key": {
        "key_id": ("provider_key",), "hint": ("key_hint",), "key_sha256": ("hash",), "principal_email": ("email", "domain"),
        "created_by": ("principal", "email"),
    },
    "vault_event": {"source_ip": _ADDRESS, "user_agent": ("user_agent",), "principal": ("principal", "email"), "request_id": ("request_id",)},
    "api_access": {"source_ip": _ADDRESS, "user_agent": ("user_agent",), "request_id": ("request_id",)},
    "other_event": {
        "source_ip": _ADDRESS, "user_agent": ("user_agent",), "actor": ("principal", "email", "domain"),
        "credential": ("access_key", "provider_key"), "resource": ("secret", "bucket"), "key_id": ("provider_key",),
        "key_sha256": ("hash",), "hint": ("key_hint",), "key_name": ("provider_key",),
    },
    "iam_credential_report": {"user_name": ("principal",)},
}  # fmt: skip
FIELDS = tuple(
    Field(table, column, kinds)
    for table, columns in _DECLARED.items()
    for column, kinds in columns.items()
    if column in TABLES[table].names
)
#: Columns that hold text or JSON in which indicators may stand anywhere.
TEXTS = tuple(
    Field(table, column, ())
    for table, columns in (
        (
            "aws_event",
            (
                "request_parameters response_elements additional_event_data service_event_details resources"
                " further_fields error_message user_identity"
            ),
        ),
        *(
            (name, "raw")
            for name in ("ai_request", "ai_audit_event", "vault_event", "api_access", "other_event", "provider_key")
        ),
    )
    for column in columns.split()
    if column in TABLES[table].names
)
