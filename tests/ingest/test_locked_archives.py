"""Encrypted members and limits: a second reading with other means, and the same means when a record is shown or verified."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from forensics.cli.main import run
from forensics.evidence.replay import reproduction
from forensics.evidence.seal import seal
from forensics.evidence.verify import Package, walk
from forensics.ingest.archives import members
from forensics.ingest.run import IngestOptions, ingest
from forensics.ingest.unpack import Limits
from forensics.ingest.unpacking import LOCKED, is_wider, limits_of
from forensics.store.case_folder import CaseFolder
from forensics.store.duckdb_engine import rows_of
from tests.building import delivery, event, new_case
from tests.evidence.sealing import Ticking

PASSWORD = "orchid"
#: Zip archives of one delivery with `event(1)`, made by other programs with the password above.
AES = b64decode(
    "UEsDBBQAAQBjAFF0el0AAAAAQwEAAPUBAAAKAAsAdHJhaWwuanNvbgGZBwACAEFFAwgADJO4OKy7yURG+lsCWmyUCFjGJDC84QIr"
    "g2ZS5Qv3qqbkiYezINWejarrGnTx0wVtggo5ptcs4pE999DEgN6gxfRHwq7AWj2DE0mcDcwHKmVrPLpEVowUEi2tEUESiDx2ijT0"
    "20mq1kXe7WJ0/H5o+WWsBxzUHdTzFP1F92xSe3d/5F7GXoWO0R1b3PTajFmO86NJnjLgIzQwZAr1C+I0u842+wC34GSCSrD3JoJN"
    "2Q5E+fTxZ3FjmOo3R1W5HG/SxjI+au5/dwMRaSvY3xsUWVTfW83xgCSB7U/1JnyxbRzog2/XmO8k6RgdwMnKC0ScEyn4oIyQiqLX"
    "35J0wbD8j3ghrQ1Cu27yl69oiG3naIU/3NfnjZ/spKXXIXeOE7KUVfL+pOmr/tje3hGeCQc1WpGtm2Bt0C82kZBrXwhip1mK7UNQ"
    "SwECFAMUAAEAYwBRdHpdAAAAAEMBAAD1AQAACgALAAAAAAAAAAAAgAEAAAAAdHJhaWwuanNvbgGZBwACAEFFAwgAUEsFBgAAAAAB"
    "AAEAQwAAAHYBAAAAAA=="
)
OLD = b64decode(
    "UEsDBBQACQAIAFF0el0WKRE5MwEAAPUBAAAIAAAAZXYxLmpzb26bACMFdqSdV2TOg03ZYK1c/5gifjWEHxkD2/OewS2uWtZXdbUc"
    "YYS+WuS6SbrNAM7G2rqSyeg5YFPK6C87Dlrx7wr5aiUyOZYpFQqxlVUU4aTx5bBY2XuLeOo7WCPcdtB2/YnzxjRfZugSwi4H2+7C"
    "4WFxO3DnjskdaeqNa8csCKLLMdrG8kSWH+EzAGyRFiruuazrE8rHyEXYBPWxAhjMOwpyplx1T7RVncWavsqbieFU3xXRhMAREQHK"
    "y6+O3O84o5EAmRUHx73orAO+kHT5bm/mrYKSHGO54i9+ABQUz/zi3MFiEyf4tMPoRkoAyoGV6w1rYk2fWjgk83zg+btBtoaPddqo"
    "XNYB+37yqZC8fTxIT+gYqJAbP1aI75BcPLG9QYCzJwZrNiJ0IxA4wFrWCnTeUEsHCBYpETkzAQAA9QEAAFBLAQIeAxQACQAIAFF0"
    "el0WKRE5MwEAAPUBAAAIAAAAAAAAAAEAAACkgQAAAABldjEuanNvblBLBQYAAAAAAQABADYAAABpAQAAAAA="
)


def zipped(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("data", [AES, OLD, zipped({"inner.zip": AES})], ids=["aes", "old", "nested"])
def test_the_password_opens_a_member_and_another_does_not(data: bytes) -> None:
    assert [m.data for m in members(data, password=PASSWORD)] == [delivery([event(1)])]
    for password in (None, *(f"wrong {n}" for n in range(300))):
        assert [(m.data, m.problem) for m in members(data, password=password)] == [(None, LOCKED)]


@pytest.mark.parametrize("at", range(0, len(AES), 11))
def test_a_damaged_aes_member_gives_nothing_false(at: int) -> None:
    data = AES[:at] + bytes([AES[at] ^ 0x5A]) + AES[at + 1 :]
    for found in members(data, password=PASSWORD):
        assert found.data in (None, delivery([event(1)]))


def test_a_method_that_nobody_knows_is_not_called_encrypted() -> None:
    data = bytearray(zipped({"a.json": b"[]"}))
    data[data.index(b"PK\x01\x02") + 10] = data[8] = 9
    (found,) = members(bytes(data), password=PASSWORD)
    assert "not supported (method 9" in found.problem


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[CaseFolder, list[Any]]:
    """A case whose evidence needs a password and a wider limit, read again until all of it was read."""
    folder = tmp_path_factory.mktemp("locked")
    case, logs = new_case(folder), folder / "logs"
    logs.mkdir()
    (logs / "locked.zip").write_bytes(zipped({"plain.json": delivery([event(3)]), "inner.zip": AES}))
    (logs / "large.json.gz").write_bytes(gzip.compress(delivery([event(2)]), mtime=0))
    wide = Limits(content=8 * 1024**3)
    runs = [
        ingest(case, [logs], IngestOptions(limits=how, password=password))
        for how, password in [
            (Limits(content=300), None),  # too little for either
            (Limits(content=300), None),  # nothing new
            (wide, None),
            (wide, "wrong"),  # opens nothing: no new receipt
            (wide, PASSWORD),
        ]
    ]
    return case, runs


def test_what_hit_a_limit_or_a_lock_is_read_again_when_it_may_give_more(opened: tuple[CaseFolder, list[Any]]) -> None:
    case, runs = opened
    assert [(run.accepted, len(run.defective), len(run.skipped)) for run in runs] == [
        (0, 2, 0), (0, 0, 2), (1, 1, 0), (0, 0, 2), (1, 0, 1),
    ]  # fmt: skip
    connection = case.reader()
    try:
        files = rows_of(connection, "SELECT original_path, state, reason FROM evidence_file ORDER BY exhibit")
        receipts = rows_of(connection, "SELECT unpacking, seen, accepted, duplicate FROM receipt ORDER BY receipt_id")
        ids = connection.execute("SELECT event_id FROM aws_event ORDER BY event_id").fetchall()
    finally:
        connection.close()
    assert [row["state"] for row in files] == ["read", "read"]
    assert [i for (i,) in ids] == [event(n)["eventID"] for n in (1, 2, 3)]
    assert [row["unpacking"] and json.loads(row["unpacking"]) for row in receipts] == [
        {"content": 300}, {"content": 300}, {"content": 8 * 1024**3}, {"content": 8 * 1024**3},
        {"content": 8 * 1024**3, "password": True},
    ]  # fmt: skip
    assert "orchid" not in case.receipts_path.read_text("utf-8") + case.custody.path.read_text("utf-8")


def test_show_asks_for_the_password(
    opened: tuple[CaseFolder, list[Any]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, _ = opened
    arguments = ["show", event(1)["eventID"], "--case", str(case.root), "--json"]
    assert run(arguments) == 2
    assert "--ask-password" in capsys.readouterr().err
    monkeypatch.setattr("typer.prompt", lambda *_, **__: PASSWORD)
    assert run([*arguments, "--ask-password"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert json.loads(shown["text"])["eventID"] == event(1)["eventID"]


def test_a_package_is_read_again_with_its_limits_and_the_password(
    opened: tuple[CaseFolder, list[Any]], tmp_path: Path
) -> None:
    case, _ = opened
    sealed = seal(case, tmp_path / "package", Ticking())
    package = Package(sealed.path, walk(sealed.path))
    for arguments, said in [
        ({}, "by a password: verify with --ask-password"),
        ({"password": PASSWORD}, "beyond the default limits: verify with --allow-limits"),
    ]:
        (built,) = reproduction(package, **arguments)  # type: ignore[arg-type]
        assert said in built.detail
        assert str(built.state) == "undecided"
    states = {c.id: (str(c.state), c.detail) for c in reproduction(package, PASSWORD, wider=True)}
    assert {state for state, _ in states.values()} == {"pass"}, states


@pytest.mark.parametrize("noted", ["", "[]", "{", '{"content": "x", "ratio": -1, "depth": true, "y": 1}', None])
def test_what_is_no_note_of_limits_gives_the_defaults(noted: str | None) -> None:
    assert limits_of(noted) == Limits()
    assert not is_wider(noted)
