"""`keytrail requests`: what must be asked for, judged by what came, out to CSV and letters and back."""

from __future__ import annotations

import csv
import io
import json

import pytest

from forensics.cli.main import run
from forensics.store.custody import check_chain
from forensics.store.eventstore import EventStore


def listed(case, capsys, *options):
    capsys.readouterr()
    assert run(["requests", str(case.root), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def one(rows, **values):
    found = [r for r in rows if all(r[n] == v for n, v in values.items())]
    assert len(found) == 1, found
    return found[0]


def test_the_sample(made_sample_case, capsys):
    rows = listed(made_sample_case, capsys)
    grauwacht = one(rows, from_whom="Grauwacht", kind="usage")
    assert (grauwacht["state"], grauwacht["why_not"]) == ("open", "nothing was received")
    assert "sk-proj-...v8Lp" in grauwacht["keys"]
    assert one(rows, from_whom="Brindlewick", kind="usage")["state"] == "adequate"
    assert one(rows, from_whom="Oskelund", kind="explanation")["why"].startswith("ask the customer")
    assert one(rows, kind="s3_data")["from_whom"] == "Lanternfish"
    assert one(rows, kind="digests")["why"].startswith("without digests")
    assert not [r for r in rows if r["from_whom"] == "Yarrowdene" and r["kind"] == "audit"]
    assert rows == listed(made_sample_case, capsys)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("grouped_by = 'model'", "not grouped by key"),
        ("truncated = true", "its last page says that more follows"),
        ("granularity_s = 86400", "buckets are longer than an hour"),
        ("covered_until = TIMESTAMP '2026-05-01'", "ends 2026-05-01T00:00:00Z, needed until 2026-05-08T00:00:00Z"),
        ("covered_from = TIMESTAMP '2026-05-01'", "begins 2026-05-01T00:00:00Z, needed from 2026-03-31T00:00:00Z"),
    ],
)
def test_what_came_is_judged(sample_case, capsys, change, why):
    with sample_case.writer("test") as connection:
        connection.execute(f"UPDATE ai_coverage SET {change} WHERE owner = 'Dorvalis' AND endpoint <> 'costs'")
    row = one(listed(sample_case, capsys), from_whom="Dorvalis", kind="usage")
    assert row["state"] == "received"
    assert why in row["why_not"]


def test_an_export_in_another_zone_is_not_adequate(sample_case, capsys):
    where = "owner = 'Dorvalis' AND file_sha256 IN (SELECT file_sha256 FROM ai_coverage WHERE endpoint <> 'costs')"
    for zone, state in (("Europe/Berlin", "received"), ("Etc/UTC", "adequate")):
        with sample_case.writer("test") as connection:
            connection.execute(f"UPDATE receipt SET zone = '{zone}' WHERE {where}")
        row = one(listed(sample_case, capsys), from_whom="Dorvalis", kind="usage")
        assert row["state"] == state
        assert ("Europe/Berlin" in row["why_not"]) == (state == "received")


def test_missing_logs_digests_and_accounts_are_asked_of_the_organisation(sample_case, capsys):
    with sample_case.writer("test") as connection:
        store = EventStore(connection)
        store.insert("log_integrity", [{"object": "k", "state": "missing", "integrity": "not covered"}])
        store.insert("log_chain", [{"region": "us-east-1", "trail": "t", "missing": 3}])
        store.insert("log_digest", [{"object": "d", "state": "valid"}])
    path = sample_case.settings_path
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            'accounts = ["111122223333"]', 'accounts = ["111122223333", "444455556666"]'
        ),
        encoding="utf-8",
    )
    rows = listed(sample_case, capsys)
    assert "1 log files failed or are missing, e.g. k (missing)" in one(rows, kind="logs")["why"]
    assert one(rows, kind="digests")["why"] == "3 digests are missing in their chains"
    assert "444455556666" in one(rows, kind="trail")["what"]
    assert one(rows, kind="trail")["expires_on"] == "2026-06-29T00:00:00Z"


def test_out_to_csv_and_back(sample_case, tmp_path, capsys):
    rows = listed(sample_case, capsys)
    target = tmp_path / "requests.csv"
    assert run(["requests", str(sample_case.root), "--csv", str(target)]) == 0
    assert run(["requests", str(sample_case.root), "--csv", str(target)]) == 2
    table = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert [r["id"] for r in table] == [r["id"] for r in rows]
    name = one(rows, from_whom="Grauwacht", kind="usage")["id"]
    for row in table:
        if row["id"] == name:
            row |= {
                "asked_at": "2026-05-09T10:00:00Z",
                "asked_by": "M. Ferrand",
                "note": "=cmd|' /C calc'!A0",
                "state": "adequate",
            }
    table.append({"id": "R00000000", "note": "x"})
    table.append({"id": rows[0]["id"], "asked_at": "yesterday"})
    back = io.StringIO(newline="")
    writer = csv.DictWriter(back, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    target.write_text(back.getvalue(), encoding="utf-8")
    capsys.readouterr()
    assert run(["requests", str(sample_case.root), "--import", str(target), "--by", "R. O."]) == 0
    said = capsys.readouterr().err
    assert "1 requests noted" in said
    assert "no request 'R00000000'" in said
    assert "needs a date, time and zone" in said
    row = one(listed(sample_case, capsys), id=name)
    assert (row["state"], row["asked_by"], row["asked_at"]) == ("asked", "M. Ferrand", "2026-05-09T10:00:00Z")
    assert check_chain(sample_case.custody.path.read_bytes())[1] == []
    assert '"requests noted"' in sample_case.custody.path.read_text(encoding="utf-8")
    again = tmp_path / "again.csv"
    assert run(["requests", str(sample_case.root), "--csv", str(again)]) == 0
    assert "'=cmd|" in again.read_text(encoding="utf-8")
    before = sample_case.work_path.read_bytes()
    assert run(["requests", str(sample_case.root), "--import", str(again)]) == 0
    assert sample_case.work_path.read_bytes() == before


def test_noting_moves_no_result(sample_case, tmp_path, capsys):
    rows = listed(sample_case, capsys)
    (tmp_path / "r.csv").write_text(f"id,asked_at\n{rows[0]['id']},2026-05-09T10:00:00Z\n", encoding="utf-8")
    assert run(["hunt", str(sample_case.root)]) in (0, 10)
    assert run(["exposure", str(sample_case.root)]) in (0, 10)
    assert run(["requests", str(sample_case.root), "--import", str(tmp_path / "r.csv")]) == 0
    capsys.readouterr()
    assert run(["status", str(sample_case.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stale"] == {}


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b'id\n"unclosed', b"\x00" * 50])
def test_tables_that_are_none(sample_case, tmp_path, capsys, content):
    (tmp_path / "x.csv").write_bytes(content)
    assert run(["requests", str(sample_case.root), "--import", str(tmp_path / "x.csv")]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err
    assert run(["requests", str(sample_case.root), "--import", str(tmp_path / "absent")]) == 2


def test_a_letter_names_one_customer_alone(made_sample_case, tmp_path, capsys):
    assert run(["requests", str(made_sample_case.root), "--letters", str(tmp_path / "letters")]) == 0
    letters = {p.name: p.read_text(encoding="utf-8") for p in (tmp_path / "letters").iterdir()}
    rows = listed(made_sample_case, capsys)
    customers = {r["from_whom"] for r in rows} - {"Lanternfish"}
    hints = {r["from_whom"]: set(r["keys"].split("; ")) for r in rows if r["kind"] == "usage"}
    for name, text in letters.items():
        own = next(c for c in customers | {"Lanternfish"} if c in name)
        assert not [c for c in customers - {own} if c in text], name
        assert not [h for c, found in hints.items() if c != own for h in found if h in text], name
        assert "Marking: TLP:AMBER" in text
    grauwacht = next(t for n, t in letters.items() if "Grauwacht" in n)
    assert "start_time=1774915200" in grauwacht
    assert "group_by[]=api_key_id" in grauwacht
    assert run(["requests", str(made_sample_case.root), "--letters", str(tmp_path / "letters")]) == 2


def test_hostile_names_make_no_path_and_no_escape(sample_case, tmp_path, capsys):
    with sample_case.writer("test") as connection:
        connection.execute(
            "UPDATE verdict SET answer = replace(CAST(answer AS VARCHAR), 'Grauwacht', '../../\\u001b[31m evil')"
        )
    assert run(["requests", str(sample_case.root), "--letters", str(tmp_path / "letters")]) == 0
    assert all(p.parent == tmp_path / "letters" for p in tmp_path.rglob("*.txt"))
    assert not any("\x1b" in p.read_text(encoding="utf-8") for p in tmp_path.rglob("*.txt"))
    assert run(["requests", str(sample_case.root)]) == 0
    assert "\x1b" not in capsys.readouterr().out
