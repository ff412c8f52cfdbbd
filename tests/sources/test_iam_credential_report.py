"""The credential report: what is not known is not a date."""

from __future__ import annotations

import json
from base64 import b64encode, encodebytes
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest

from forensics.cli.main import run
from forensics.ingest.enclosed import text_at
from forensics.ingest.scratch import read_bytes
from tests.building import new_case
from tests.sources.building import claimants, read_text, read_values, rows
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


TABLE = "\n".join((HEADER, ROOT, USER)) + "\n"


def answered(content: str) -> str:
    """What `aws iam get-credential-report` prints."""
    return json.dumps({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": "2026-11-15T00:00:00+00:00"})


CONTENTS = {
    "base64": b64encode(TABLE.encode()).decode(),
    "base64 in lines": encodebytes(TABLE.encode()).decode(),
    "text": TABLE,
    "with a mark": b64encode(TABLE.encode("utf-8-sig")).decode(),
}


@pytest.mark.parametrize("form", sorted(CONTENTS))
def test_the_answer_of_the_interface_gives_the_rows_of_the_table_and_where_they_are(form: str) -> None:
    plain, store, text = new_store(), new_store(), answered(CONTENTS[form])
    read_bytes(plain, "report.csv", TABLE.encode(), owner="acme")
    reading, account = read_bytes(store, "report.json", text.encode(), owner="acme")
    assert (reading.source_id, account["seen"], account["accepted"]) == ("iam_credential_report", 2, 2)
    columns = "SELECT event_key, user_name, key1_last_used_at, raw FROM iam_credential_report ORDER BY user_name"
    assert store.execute(columns).fetchall() == plain.execute(columns).fetchall()
    places = store.execute(
        "SELECT json_pointer, byte_offset, byte_length, record_sha256 FROM occurrence ORDER BY record_no"
    ).fetchall()
    assert [place[:3] for place in places] == [("/Content/0", 0, len(text)), ("/Content/1", 0, len(text))]
    for (pointer, *_, digest), line in zip(places, (ROOT, USER), strict=True):
        assert text_at(text, pointer) == f"{line}\n"
        assert sha256(f"{line}\n".encode()).hexdigest() == digest


def test_the_table_and_the_answer_of_one_report_are_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, logs = new_case(tmp_path), tmp_path / "logs"
    logs.mkdir()
    (logs / "report.json").write_text(answered(CONTENTS["base64"]), encoding="utf-8")
    assert run(["ingest", str(folder.root), str(logs), "--owner", "acme"]) == 0
    (logs / "report.csv").write_text(TABLE, encoding="utf-8")
    assert run(["ingest", str(folder.root), str(logs), "--owner", "acme"]) == 0
    connection = folder.reader()
    try:
        keys = connection.execute("SELECT event_key FROM iam_credential_report ORDER BY user_name").fetchall()
    finally:
        connection.close()
    assert len(keys) == 2
    capsys.readouterr()
    assert run(["show", keys[1][0], "--case", str(folder.root)]) == 0
    assert "user/deploy,2024-05-01" in capsys.readouterr().out


def test_broken_rows_and_other_contents_lose_no_neighbour() -> None:
    table = f"{HEADER}\n{ROOT},one,more\n{USER}\n"
    account = read_bytes(new_store(), "x", answered(b64encode(table.encode()).decode()).encode())[1]
    assert (account["seen"], account["accepted"], account["defect"]) == (2, 1, 1)
    for content in ("", "e30=", "not base64", b64encode(b"user,arn\nx,y\n").decode(), 5):
        assert claimants(json.dumps({"Content": content, "ReportFormat": "text/csv"})) == []
