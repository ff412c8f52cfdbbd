"""`keytrail verify-logs`: over a case, with everything that a case does with evidence."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from hashlib import sha256

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import staleness
from forensics.cli.main import run
from forensics.evidence.log_integrity import check_logs
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.errors import UsageFault
from tests.building import event, new_case
from tests.evidence.sealing import Ticking
from tests.integrity.chain_kit import Kit, key_list, log_key
from tests.paths import REPOSITORY, shared_data

CASES = {
    "01_valid": ({"valid": 3}, {"valid": 12}, 0),
    "02_log_modified": ({"valid": 3}, {"hash_mismatch": 1, "valid": 11}, 5),
    "04_digest_modified": (
        {"invalid_signature": 1, "valid": 2},
        {"listed_by_invalid_digest": 6, "not_covered": 1, "valid": 5},
        5,
    ),
    "06_metadata_signature_corrupt": ({"invalid_signature": 1, "valid": 2}, {"valid": 12}, 5),
    "08_key_missing": ({"unverified_no_key": 3}, {"listed_by_unverified_digest": 12}, 6),
}


def counted(rows):
    out = {}
    for row in rows:
        out[row["state"]] = out.get(row["state"], 0) + 1
    return out


def write(kit: Kit, folder, *, sidecar=True):
    for name, raw in {**kit.logs, **kit.digests}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(raw, mtime=0))
    (folder / "keys.json").write_bytes(key_list(kit.key))
    if sidecar:
        (folder / "metadata.json").write_text(json.dumps(kit.metadata), encoding="utf-8")


@pytest.fixture
def kit():
    """A chain whose log files hold real events."""
    made = Kit(hours=0)
    for hour in range(3):
        for number in range(2):
            records = [event(10 * hour + number, eventTime=f"2026-05-05T1{hour}:01:0{number}Z")]
            made.logs[log_key(hour, number)] = json.dumps({"Records": records}).encode()
    before = None
    for hour in range(3):
        listed = [
            {"s3Bucket": "trail-bucket", "s3Object": log_key(hour, n), "hashAlgorithm": "SHA-256",
             "hashValue": sha256(made.logs[log_key(hour, n)]).hexdigest()}
            for n in range(2)
        ]  # fmt: skip
        before = made.add(hour, before, logFiles=listed)
    return made


def checked(case, capsys, *options):
    code = run(["verify-logs", str(case.root), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def words(case):
    connection = case.reader()
    try:
        return connection.execute("SELECT integrity, count(*) FROM event_integrity GROUP BY 1 ORDER BY 1").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_cases_of_the_kit(name, tmp_path, capsys):
    case = new_case(tmp_path)
    ingest(case, [shared_data("digest-kit") / name], IngestOptions(copy=False))
    code, found = checked(case, capsys)
    digests, logs, expected = CASES[name]
    assert (counted(found["digests"]), counted(found["log_files"]), code) == (digests, logs, expected)


def test_events_say_what_proves_them(kit, tmp_path, capsys):
    kit.logs[log_key(0)] = kit.logs[log_key(0)].replace(b"T10:01:00Z", b"T10:01:07Z")
    kit.logs["AWSLogs/loose.json.gz"] = json.dumps({"Records": [event(99)]}).encode()
    write(kit, tmp_path / "bucket")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())
    assert words(case) == []
    code, found = checked(case, capsys)
    assert code == 5
    assert counted(found["log_files"]) == {"hash_mismatch": 1, "not_covered": 1, "valid": 5}
    assert words(case) == [("failed", 1), ("not covered", 1), ("signed", 5)]
    assert found["coverage"][0]["hours_proven"] == 3
    assert found["keys"][0]["origin"] == "evidence"
    assert case.custody.path.read_text(encoding="utf-8").count("logs verified") == 1


def test_an_event_in_a_sound_and_in_a_false_file_is_signed(kit, tmp_path, capsys):
    records = json.loads(kit.logs[log_key(0)])["Records"]
    write(kit, tmp_path / "bucket")
    copy = tmp_path / "bucket" / "other" / log_key(0)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(gzip.compress(json.dumps({"Records": [*records, event(77)]}).encode()))
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())
    checked(case, capsys)
    assert words(case) == [("failed", 1), ("signed", 6)]


def test_inside_an_archive_and_without_copies(kit, tmp_path, capsys):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, raw in {**kit.logs, **kit.digests}.items():
            archive.writestr(name, gzip.compress(raw, mtime=0))
        archive.writestr("keys.json", key_list(0))
        archive.writestr("metadata.json", json.dumps(kit.metadata))
    (tmp_path / "bucket.zip").write_bytes(packed.getvalue())
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket.zip"], IngestOptions(copy=False))
    code, found = checked(case, capsys)
    assert (code, counted(found["digests"]), counted(found["log_files"])) == (0, {"valid": 3}, {"valid": 6})
    assert words(case) == [("signed", 6)]
    (tmp_path / "bucket.zip").write_bytes(b"another")
    code, found = checked(case, capsys)
    assert code == 4
    assert "SHA-256 differs" in found["unread"][0]["reason"]


def test_pinned_keys_count_and_are_kept(kit, tmp_path, capsys):
    write(kit, tmp_path / "bucket")
    (tmp_path / "bucket" / "keys.json").unlink()
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())
    assert checked(case, capsys)[0] == 6
    (tmp_path / "own.json").write_bytes(key_list(0))
    for options in (["--pinned-keys", str(tmp_path / "own.json")], []):
        code, found = checked(case, capsys, *options)
        assert (code, found["keys"][0]["origin"]) == (0, "pinned")
        assert "a pinned key" in found["digests"][0]["reason"]
        assert found["keys"][0]["obtained"] == ""
    said = "own account, fetched 2026-05-09 by A. Examiner"
    for options in (["--pinned-keys", str(tmp_path / "own.json"), "--pinned-origin", said], []):
        assert checked(case, capsys, *options)[1]["keys"][0]["obtained"] == said
    assert case.custody.path.read_text(encoding="utf-8").count(said) == 1
    assert run(["verify-logs", str(case.root), "--pinned-origin", said]) == 2
    (tmp_path / "none.json").write_text("{}", encoding="utf-8")
    for wrong in ("none.json", "absent.json"):
        assert run(["verify-logs", str(case.root), "--pinned-keys", str(tmp_path / wrong)]) == 2


def test_a_key_of_the_evidence_is_named_with_its_receipt(kit, tmp_path, capsys):
    write(kit, tmp_path / "bucket")
    receipts = (
        "path,owner,from_whom,received_at,means\nkeys.json,,Ines of Heron Works,2026-05-06T08:00:00Z,encrypted mail\n"
    )
    (tmp_path / "bucket" / "receipts.csv").write_text(receipts, encoding="utf-8")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())
    said = "from Ines of Heron Works, received 2026-05-06T08:00:00Z, by encrypted mail"
    assert checked(case, capsys)[1]["keys"][0]["obtained"] == said
    assert run(["verify-logs", str(case.root)]) == 0
    out = capsys.readouterr().out
    assert f"({said}): from the evidence, not authenticated offline" in " ".join(out.split())


def test_more_evidence_makes_the_check_out_of_date(kit, tmp_path, capsys):
    write(kit, tmp_path / "bucket")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())

    def late():
        connection = case.reader()
        try:
            return staleness(connection, case, catalogue())
        finally:
            connection.close()

    assert "verify-logs" not in late()
    checked(case, capsys)
    assert "verify-logs" not in late()
    (tmp_path / "more.json").write_text(json.dumps({"Records": [event(1000)]}), encoding="utf-8")
    ingest(case, [tmp_path / "more.json"], IngestOptions())
    assert late()["verify-logs"] == ["evidence was added or changed"]


def test_without_digests_nothing_is_proven_and_it_says_so(tmp_path, capsys):
    (tmp_path / "t.json").write_text(json.dumps({"Records": [event(1)]}), encoding="utf-8")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "t.json"], IngestOptions())
    assert run(["verify-logs", str(case.root)]) == 6
    said = capsys.readouterr()
    assert "no digest is in the evidence" in said.out
    assert "1 not_covered" in said.out


def test_hostile_names_do_not_reach_the_terminal(kit, tmp_path, capsys):
    kit.add(3, kit.said_of(2), logFiles=[{"s3Bucket": "b", "s3Object": "\x1b[31mred\u202e", "hashValue": "0" * 64}])
    write(kit, tmp_path / "bucket")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())
    assert run(["verify-logs", str(case.root)]) == 5
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\u202e" not in said.out + said.err


def test_the_json_shape_is_documented(kit, tmp_path, capsys):
    write(kit, tmp_path / "bucket")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())
    _, found = checked(case, capsys)
    page = (REPOSITORY / "docs/json.md").read_text(encoding="utf-8")
    section = re.search(r"(?ms)^## verify-logs$(.*?)^## ", page)[1]
    names = {
        n for value in found.values() if isinstance(value, list) for row in value if isinstance(row, dict) for n in row
    }
    assert sorted(n for n in names | set(found) if f"`{n}`" not in section) == []


def test_threads_and_order_do_not_change_what_is_stored(kit, tmp_path):
    write(kit, tmp_path / "bucket")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())
    stored = []
    for threads in (1, 4):
        check_logs(case, Ticking(), threads=threads)
        connection = case.reader()
        stored.append([connection.execute(f"SELECT * FROM {t}").fetchall() for t in ("log_digest", "log_integrity")])
        connection.close()
    assert stored[0] == stored[1]
    with pytest.raises(UsageFault):
        check_logs(case, Ticking(), pinned=tmp_path / "none")


def test_show_and_hunt_say_it(kit, tmp_path, capsys):
    stop = event(500, eventSource="cloudtrail.amazonaws.com", eventName="StopLogging", eventTime="2026-05-05T10:02:00Z")
    kit.logs[log_key(0)] = json.dumps({"Records": [stop]}).encode()
    write(kit, tmp_path / "bucket")
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "bucket"], IngestOptions())

    def said():
        capsys.readouterr()
        assert run(["show", stop["eventID"], "--case", str(case.root), "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)[0]["integrity"]
        run(["hunt", str(case.root), "--json"])
        outcomes = json.loads(capsys.readouterr().out)["outcomes"]
        return shown, next(o for o in outcomes if o["query_id"] == "aws.cloudtrail_logging_stopped")["integrity"]

    assert said() == ("not checked", {})
    checked(case, capsys)
    assert said() == ("failed", {"failed": 1})
    run(["hunt", str(case.root)])
    assert "rest on a log file that failed its check" in capsys.readouterr().err
