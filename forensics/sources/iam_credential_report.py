"""The credential report of AWS IAM: a CSV row a user, with passwords, MFA and two long-lived keys. No key ids.

Read as the console's CSV and as the JSON of `aws iam get-credential-report`, whose `Content` is that CSV in base64.

`N/A`, `no_information` and `not_supported` are no values: their columns are NULL, the word stays in `raw`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from forensics.model.custody_logs import IAM_CREDENTIAL_REPORT
from forensics.model.fields import compact, flag, inside, moment, plain
from forensics.model.usage import blank
from forensics.model.wrapping import from_base64, lowered
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"user", "arn", "user_creation_time", "mfa_active", "access_key_1_active", "access_key_2_active"})
_ABSENT = frozenset({"n/a", "no_information", "not_supported"})
_TIMES = {
    "user_creation_time": "user_created_at",
    "password_last_used": "password_last_used_at",
    "password_last_changed": "password_changed_at",
    "password_next_rotation": "password_rotates_at",
    **{f"access_key_{n}_last_rotated": f"key{n}_rotated_at" for n in (1, 2)},
    **{f"access_key_{n}_last_used_date": f"key{n}_last_used_at" for n in (1, 2)},
    **{f"cert_{n}_last_rotated": f"cert{n}_rotated_at" for n in (1, 2)},
}
_FLAGS = {
    "password_enabled": "password_enabled",
    "mfa_active": "mfa_active",
    **{f"access_key_{n}_active": f"key{n}_active" for n in (1, 2)},
    **{f"cert_{n}_active": f"cert{n}_active" for n in (1, 2)},
}
_TEXTS = {
    "user": "user_name",
    "arn": "arn",
    **{f"access_key_{n}_last_used_region": f"key{n}_last_used_region" for n in (1, 2)},
    **{f"access_key_{n}_last_used_service": f"key{n}_last_used_service" for n in (1, 2)},
}


#: Characters of the content that hold its first line, a whole number of groups of base64.
_HEAD = 4_096


def _has_columns(names: Iterable[str]) -> bool:
    return {name.strip().strip('"').lower() for name in names} >= _CORE


class IamCredentialReport:
    """Rows of the report."""

    id = "iam_credential_report"
    title = "AWS IAM credential report (CSV, JSON)"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html"
    reader_version = "2"
    table = "iam_credential_report"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns of users and of two access keys."""
        if probe.form == "csv":
            return "columns of a credential report" if _has_columns(probe.header) else ""
        return (
            "the content of a credential report"
            if probe.form in {"json", "ndjson"} and self.inside(probe.sample)
            else ""
        )

    def inside(self, value: object) -> str:
        """Return the pointer to the table in an answer of the interface."""
        content = inside(value, "Content")
        if not isinstance(content, str):
            return ""
        packed = "".join(content[: 2 * _HEAD].split())[:_HEAD]  # lines of base64 may be broken
        head = from_base64(packed) or content[:_HEAD]
        return "/Content" if _has_columns(head.partition("\n")[0].lstrip("\ufeff").split(",")) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows are the records."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `iam_credential_report`."""
        notes: set[str] = set()
        return Reading([self._answer(record, notes) for record in document.records], notes=sorted(notes))

    def _answer(self, record: RawRecord, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = lowered(record.value)
        arn = plain(value.get("arn")) or ""
        if not arn.startswith("arn:"):
            return RowOrDefect(record, defect="no ARN")
        row: Row = {**blank(IAM_CREDENTIAL_REPORT), "provider": self.provider, "account_id": arn.split(":")[4:5]}
        row["account_id"] = next(iter(row["account_id"]), "") or None
        for name, column in {**_TEXTS, **_TIMES, **_FLAGS}.items():
            text = plain(value.get(name))
            if text is None or text.strip().lower() in _ABSENT:
                continue
            row[column] = moment(text) if name in _TIMES else flag(text) if name in _FLAGS else text
            if row[column] is None:
                notes.add(f"{name} is not readable in some rows")
        used = {(name,) for name, column in {**_TEXTS, **_TIMES, **_FLAGS}.items() if row[column] is not None}
        row["raw"] = compact(value, used)
        return RowOrDefect(record, row, arn)


SOURCE = IamCredentialReport()
