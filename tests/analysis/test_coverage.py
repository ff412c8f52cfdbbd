"""What the evidence covers, against what should exist."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest

from forensics.analysis.coverage import coverage_of
from forensics.analysis.questions import LACKS, questions_of
from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.case import read_settings
from forensics.model.errors import UsageFault
from forensics.store.eventstore import EventStore
from tests.building import delivery, event, new_case
from tests.paths import REPOSITORY

SINCE, UNTIL = datetime(2026, 5, 5), datetime(2026, 5, 6)


def settings(text=""):
    return read_settings(f'[case]\nid = "X"\n{text}'.encode())


@pytest.fixture
def case(tmp_path):
    return new_case(tmp_path)


def read(case, tmp_path, events, receipts=""):
    folder = tmp_path / "logs"
    folder.mkdir(exist_ok=True)
    (folder / "t.json").write_bytes(delivery(events))
    if receipts:
        (folder / "receipts.csv").write_text(receipts, encoding="utf-8")
    ingest(case, [folder], IngestOptions())


def cover(case, text="", insert=None):
    with case.writer("test") as connection:
        store = EventStore(connection)
        for table, rows in (insert or {}).items():
            store.insert(table, rows)
    connection = case.reader()
    try:
        known = settings(text)
        found = coverage_of(connection, known, SINCE, UNTIL)
        return found, {q.number: q for q in questions_of(connection, known, found)}
    finally:
        connection.close()


def stream(found, kind, who, what=""):
    return next(s for s in found.streams if (s.kind, s.who, s.what) == (kind, who, what))


def at(*times, **changes):
    return [event(n, eventTime=f"2026-05-05T{t}Z", **changes) for n, t in enumerate(times)]


def test_hours_with_events_and_without(case, tmp_path):
    read(case, tmp_path, at("03:10:00", "03:50:00", "07:59:59"))
    found, _ = cover(case)
    region = at("03:10:00")[0]["awsRegion"]
    s = stream(found, "cloudtrail", "111122223333", region)
    assert (s.with_events, s.proven_empty, s.without) == (2, 0, 22)
    assert (s.first, s.last) == (datetime(2026, 5, 5, 3, 10), datetime(2026, 5, 5, 7, 59, 59))


@pytest.mark.parametrize(
    ("received", "horizon"),
    [("2026-05-05T08:20:00Z", 8), ("2026-05-05T08:14:00Z", 7), ("2026-05-05T08:00:00Z", 7)],
)
def test_the_last_hour_is_complete_only_when_the_files_came_well_after_it(case, tmp_path, received, horizon):
    read(case, tmp_path, at("03:10:00", "07:59:59"), f"path,owner,received_at\nt.json,,{received}\n")
    found, _ = cover(case)
    assert found.streams[0].horizon == datetime(2026, 5, 5, horizon)


def digest(hour, **changes):
    return {
        "object": f"d{hour}", "account": "111122223333", "region": "us-east-1", "state": "valid", "log_files": 0,
        "start_at": datetime(2026, 5, 5, hour), "end_at": datetime(2026, 5, 5, hour + 1), **changes,
    }  # fmt: skip


def test_hours_that_a_valid_empty_digest_proves(case, tmp_path):
    read(case, tmp_path, at("03:10:00", awsRegion="us-east-1"))
    rows = [digest(3), digest(4), digest(5, log_files=2), digest(6, state="unverified_no_key"), digest(9)]
    found, _ = cover(case, insert={"log_digest": rows})
    s = stream(found, "cloudtrail", "111122223333", "us-east-1")
    assert (s.with_events, s.proven_empty, s.without) == (1, 2, 21)
    assert s.horizon == datetime(2026, 5, 5, 9)  # what happened in the last minutes of 9 to 10 may be delivered later


def test_what_the_roster_names_and_is_not_there_is_a_row(case, tmp_path):
    read(case, tmp_path, at("03:10:00", awsRegion="us-east-1"))
    found, questions = cover(
        case,
        '[own]\naccounts = ["111122223333", "444455556666"]\n[roster]\naccounts = ["777788889999"]\nregions = ["us-east-1"]\n'
        'customers = ["Heron Works"]\norganisations = ["org-1"]\n'
        '[[roster.trail]]\nname = "eu"\naccount = "111122223333"\nregions = ["eu-west-1"]\n',
    )
    missing = {(s.kind, s.who, s.what): s.basis for s in found.streams if not s.supplied}
    assert missing == {
        ("cloudtrail", "444455556666", ""): ("own account",),
        ("cloudtrail", "777788889999", "us-east-1"): ("roster",),
        ("cloudtrail", "111122223333", "eu-west-1"): ("trail eu of the roster",),
        ("usage", "Heron Works", ""): ("roster",),
        ("usage", "org-1", "(organisation)"): ("roster",),
    }
    assert LACKS["all_trails"] in questions[3].lacks
    assert questions[3].state == "partly"


def test_an_account_that_only_acts_here_is_mentioned(case, tmp_path):
    foreign = event(1, eventTime="2026-05-05T04:00:00Z")
    foreign["userIdentity"] = {"type": "AWSAccount", "accountId": "999988887777", "principalId": "AIDAX"}
    read(case, tmp_path, [*at("03:10:00"), foreign | {"recipientAccountId": "111122223333"}])
    found, _ = cover(case)
    assert stream(found, "cloudtrail", "999988887777").basis == ("mentioned: acts here with its own identities",)


def test_exports_by_customer_with_their_end(case, tmp_path):
    read(case, tmp_path, at("03:10:00"))
    rows = [
        {"source_id": "openai_usage", "provider": "openai", "owner": "Heron Works", "organisation": "org-1",
         "endpoint": "completions", "covered_from": SINCE, "covered_until": datetime(2026, 5, 5, 12), "truncated": True,
         "received_at": datetime(2026, 5, 9)},
        {"source_id": "openai_usage", "provider": "openai", "owner": "Quillmere", "organisation": "org-2",
         "endpoint": "completions", "covered_from": SINCE, "covered_until": UNTIL, "truncated": False,
         "received_at": datetime(2026, 5, 5, 18, 30)},
    ]  # fmt: skip
    keys = [
        {
            "event_key": c,
            "customer": c,
            "provider": "openai",
            "key_id": f"key_{c}",
            "source_id": "key_inventory",
            "owner": "",
        }
        for c in ("Heron Works", "Quillmere", "Tarn")
    ]
    found, questions = cover(
        case, '[roster]\norganisations = ["org-1", "org-9"]\n', {"ai_coverage": rows, "ai_key": keys}
    )
    heron, quill = (stream(found, "usage", who, "openai") for who in ("Heron Works", "Quillmere"))
    assert (heron.with_events, heron.without, heron.horizon) == (12, 12, datetime(2026, 5, 5, 12))
    assert heron.notes == ["a page says that more follows"]
    assert (quill.with_events, quill.horizon) == (17, datetime(2026, 5, 5, 17))
    missing = {(s.kind, s.who) for s in found.streams if not s.supplied}
    assert missing == {("usage", "Tarn"), ("usage", "org-9")} | {
        ("audit", c) for c in ("Heron Works", "Quillmere", "Tarn")
    }
    assert "1 exports are cut short: their last page says that more follows" in found.left_out
    assert questions[13].state == "answered"


def test_stopped_logging_and_failed_files_take_the_full_answer_away(case, tmp_path):
    stop = at("03:10:00", eventSource="cloudtrail.amazonaws.com", eventName="StopLogging")
    read(case, tmp_path, stop)
    found, questions = cover(case)
    assert [c["action"] for c in found.changes] == ["StopLogging"]
    assert LACKS["unbroken"] in questions[5].lacks
    assert LACKS["whole"] not in questions[5].lacks
    _, questions = cover(
        case, insert={"log_integrity": [{"object": "x", "state": "missing", "integrity": "not covered"}]}
    )
    assert LACKS["whole"] in questions[5].lacks


def test_a_denied_stop_breaks_nothing(case, tmp_path):
    read(
        case,
        tmp_path,
        at("03:10:00", eventSource="cloudtrail.amazonaws.com", eventName="StopLogging", errorCode="AccessDenied"),
    )
    _, questions = cover(case)
    assert LACKS["unbroken"] not in questions[5].lacks


def test_lists_and_files_of_networks_answer_their_questions(case, tmp_path):
    read(case, tmp_path, at("03:10:00"))
    _, questions = cover(case)
    assert questions[25].state == "not" and LACKS["indicators"] in questions[25].lacks
    assert LACKS["network"] in questions[4].lacks
    facts = {
        "indicator": [{"indicator_id": "I-1", "kind": "address", "value": "203.0.113.9", "file_sha256": "a"}],
        "address_fact": [{"source_ip": "192.0.2.7", "fact": "country", "value": "ZZ", "file_sha256": "b"}],
    }
    _, questions = cover(case, insert=facts)
    assert LACKS["indicators"] not in questions[25].lacks
    assert LACKS["network"] not in questions[4].lacks


def test_classes_never_seen_and_odd_clocks(case, tmp_path):
    read(
        case,
        tmp_path,
        at("03:10:00", eventSource="kms.amazonaws.com"),
        "path,owner,received_at\nt.json,,2026-05-05T01:00:00Z\n",
    )
    found, _ = cover(case)
    seen = {c.name: c.events for c in found.classes}
    assert seen["KMS events"] == 1
    assert seen["S3 data events"] == 0
    assert found.clocks == ["1 events are later than the receipt of their file: one of the clocks is wrong"]


def test_an_empty_case_answers_nothing_it_should_not(case):
    found, questions = cover(case)
    assert found.streams == []
    assert {n: q.state for n, q in questions.items() if q.state == "answered"} == {29: "answered"}
    assert questions[5].state == "not"


def test_the_roster_must_be_lists_of_text():
    with pytest.raises(UsageFault, match=r"roster.accounts"):
        settings("[roster]\naccounts = [111122223333]\n")


def test_the_command_and_its_json_shape(made_sample_case, capsys):
    assert run(["coverage", str(made_sample_case.root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    page = (REPOSITORY / "docs/json.md").read_text(encoding="utf-8")
    section = re.search(r"(?ms)^## coverage$(.*?)^## ", page)[1]
    names = {
        n for value in found.values() if isinstance(value, list) for row in value if isinstance(row, dict) for n in row
    }
    assert sorted(n for n in names | set(found) if f"`{n}`" not in section) == []
    assert any(not s["supplied"] and s["who"] == "Grauwacht" for s in found["sources"])
    assert run(["coverage", str(made_sample_case.root)]) == 0
    assert "missing: usage of Grauwacht openai (key inventory)" in capsys.readouterr().out
