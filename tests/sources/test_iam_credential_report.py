"""The credential report: what is not known is not a date."""

from __future__ import annotations

import json
from datetime import datetime

from forensics.ingest.scratch import read_bytes
from tests.sources.building import read_text, read_values, rows
from tests.stores import new_store

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
ROOT = (
    "<root_account>,arn:aws:iam::111122223333:root,2020-01-02T03:04:05+00:00,not_supported,2026-11-01T10:00:00+00:00,"
    "not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
)
USER = (
    "deploy,arn:aws:iam::111122223333:user/deploy,2024-05-01T00:00:00Z,FALSE,no_information,N/A,N/A,FALSE,TRUE,"
    "2024-05-01T02:00:00+02:00,2026-11-14T02:15:00+00:00,eu-west-1,s3,FALSE,N/A,N/A,N/A,N/A,FALSE,N/A,FALSE,N/A"
)


def test_rows_have_exact_values_and_sentinels_are_null() -> None:
    source, reading = read_text("\ufeff" + "\r\n".join((HEADER, ROOT, USER)) + "\r\n")
    assert source == "iam_credential_report"
    root, user = rows(reading)
    assert (root["user_name"], root["account_id"], root["mfa_active"]) == ("<root_account>", "111122223333", True)
    assert root["password_enabled"] is None
    assert root["password_last_used_at"] == datetime.fromisoformat("2026-11-01T10:00:00")
    assert json.loads(root["raw"])["password_enabled"] == "not_supported"
    assert user["password_last_used_at"] is None
    assert json.loads(user["raw"])["password_last_used"] == "no_information"
    assert (user["key1_active"], user["key2_active"]) == (True, False)
    assert user["key1_rotated_at"] == datetime.fromisoformat("2024-05-01T00:00:00")
    assert user["key1_last_used_at"] == datetime.fromisoformat("2026-11-14T02:15:00")
    assert (user["key1_last_used_region"], user["key1_last_used_service"]) == ("eu-west-1", "s3")
    assert user["key2_rotated_at"] is None
    assert reading.notes == []


def test_columns_in_other_case_and_missing_ones_are_read() -> None:
    text = "User,ARN,User_Creation_Time,MFA_Active,Access_Key_1_Active,Access_Key_2_Active\nx,arn:aws:iam::111122223333:user/x,2024-05-01T00:00:00Z,maybe,true,\n"
    reading = read_text(text)[1]
    (row,) = rows(reading)
    assert (row["user_name"], row["key1_active"], row["key2_active"], row["mfa_active"]) == ("x", True, None, None)
    assert reading.notes == ["mfa_active is not readable in some rows"]


def test_rows_without_arn_are_defects_and_reports_of_two_days_are_both_kept() -> None:
    assert read_values("iam_credential_report", [{"user": "x"}, 3]).answers[0].defect == "no ARN"
    connection = new_store()
    for name, text in {"a": USER, "b": USER.replace("02:15", "09:45"), "c": USER}.items():
        read_bytes(connection, name, f"{HEADER}\n{text}\n".encode(), owner="acme")
    found = connection.execute("SELECT key1_last_used_at FROM iam_credential_report ORDER BY 1").fetchall()
    assert [f"{when:%H:%M}" for (when,) in found] == ["02:15", "09:45"]
