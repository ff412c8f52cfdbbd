"""Withdrawn exhibits leave the analysis and never the register; purged copies leave a certificate."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from forensics.analysis.account import account, exhibits
from forensics.analysis.handling import purge, withdraw
from forensics.analysis.refresh import refresh, staleness
from forensics.cli.main import run
from forensics.evidence.seal import seal
from forensics.evidence.verify import verify
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.errors import CaseFault, UsageFault
from forensics.store.custody import check_chain
from tests.building import delivery, event, new_case
from tests.evidence.sealing import SETTINGS, Ticking, usage_page


def query(case, sql, *values):
    connection = case.reader()
    try:
        return connection.execute(sql, list(values)).fetchall()
    finally:
        connection.close()


def spaced(events) -> bytes:
    """Another serialisation of the same records."""
    return json.dumps({"Records": events}, indent=1).encode()


@pytest.fixture
def case(tmp_path):
    folder = new_case(tmp_path, SETTINGS, Ticking)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json").write_bytes(delivery([event(1), event(2), event(3)]))
    (logs / "b.json").write_bytes(spaced([event(3), event(4)]))
    (logs / "u.json").write_bytes(usage_page(400))
    ingest(folder, [logs], IngestOptions(owner="Heron Works"))
    return folder


def number_of(case, path):
    return query(case, "SELECT exhibit FROM receipt JOIN evidence_file USING (file_sha256) WHERE path = ?", path)[0][0]


def dump(case):
    names = ("aws_event", "aws_event_item", "credential", "ai_usage", "ai_coverage", "occurrence")
    return {n: sorted(map(repr, query(case, f"SELECT * FROM {n}"))) for n in names}


@pytest.mark.parametrize(("gone", "kept"), [("a.json", "b.json"), ("b.json", "a.json")])
def test_rows_leave_and_the_register_stays(case, gone, kept):
    left = {"a.json": 2, "b.json": 2, "u.json": 1}
    before = query(case, "SELECT count(*) FROM occurrence")
    receipts = query(case, "SELECT * FROM receipt ORDER BY receipt_id")
    done = withdraw(case, number_of(case, gone), "from another case", "ada")
    assert done["rows_removed"] == {"a.json": 2, "b.json": 1}[gone]
    ids = {"a.json": ["3", "4"], "b.json": ["1", "2", "3"]}[gone]
    found = query(case, "SELECT event_id, evidence, file_sha256, event_key FROM aws_event ORDER BY event_id")
    assert len(found) == len(ids)
    [(digest, content)] = query(
        case,
        "SELECT f.file_sha256, content_sha256 FROM evidence_file f JOIN receipt USING (file_sha256) WHERE path = ?",
        kept,
    )
    assert {row[1].partition("#")[0] for row in found} == {content}
    assert {row[2] for row in found} == {digest}
    own = {
        r[0] for r in query(case, "SELECT coalesce(own_key, event_key) FROM occurrence WHERE file_sha256 = ?", digest)
    }
    assert {row[3] for row in found} == own
    assert query(case, "SELECT count(*) FROM occurrence") == before
    assert query(case, "SELECT * FROM receipt ORDER BY receipt_id") == receipts
    assert left
    last = json.loads(case.custody.path.read_bytes().splitlines()[-1])
    assert (last["act"], last["by"], last["reason"]) == ("withdrawn", "ada", "from another case")
    assert check_chain(case.custody.path.read_bytes())[1] == []


def test_the_same_as_if_it_had_never_come(case, tmp_path):
    withdraw(case, number_of(case, "a.json"), "by mistake")
    other = new_case(tmp_path, SETTINGS, Ticking, name="other")
    (tmp_path / "logs/a.json").unlink()
    ingest(other, [tmp_path / "logs"], IngestOptions(owner="Heron Works"))
    columns = "event_key, event_id, event_time, canonical_sha256, evidence, file_sha256, id_conflict"
    sql = f"SELECT {columns} FROM aws_event ORDER BY event_key"
    assert query(case, sql) == query(other, sql)


def test_coverage_leaves_with_its_export_and_results_are_stale(case):
    refresh(case, Ticking())
    connection = case.reader()
    assert staleness(connection, case) == {}
    connection.close()
    assert query(case, "SELECT count(*) > 0 FROM ai_coverage") == [(True,)]
    withdraw(case, number_of(case, "u.json"), "wrong customer")
    assert query(case, "SELECT count(*) FROM ai_coverage") == [(0,)]
    assert query(case, "SELECT count(*) FROM ai_usage") == [(0,)]
    connection = case.reader()
    try:
        assert set(staleness(connection, case)) == {"hunt", "exposure"}
        assert account(connection)["tables"]["ai_usage"] == 0
        assert [e["withdrawn"] for e in exhibits(connection) if e["path"] == "u.json"] == ["wrong customer"]
    finally:
        connection.close()


def test_a_withdrawn_file_is_not_read_again_and_later_ones_do_not_bring_it_back(case, tmp_path):
    withdraw(case, number_of(case, "a.json"), "by mistake")
    before = dump(case)
    result = ingest(case, [tmp_path / "logs"], IngestOptions(owner="Heron Works"))
    assert next(s["reason"] for s in result.skipped if s["path"] == "a.json").startswith("exhibit S")
    assert "not read again" in result.skipped[0]["reason"]
    assert dump(case) == before
    (tmp_path / "logs/c.json").write_bytes(delivery([event(2), event(9)]))
    ingest(case, [tmp_path / "logs"], IngestOptions(owner="Heron Works"))
    assert len(query(case, "SELECT * FROM aws_event")) == 4
    evidence = query(case, "SELECT DISTINCT split_part(evidence, '#', 1) FROM aws_event")
    gone = query(
        case, "SELECT content_sha256 FROM evidence_file JOIN receipt USING (file_sha256) WHERE path = 'a.json'"
    )
    assert gone[0] not in evidence


def test_a_package_reproduces_withdrawals_in_their_place(case, tmp_path):
    withdraw(case, number_of(case, "a.json"), "by mistake", "ada")
    (tmp_path / "logs/c.json").write_bytes(delivery([event(2), event(9)]))
    ingest(case, [tmp_path / "logs"], IngestOptions(owner="Heron Works"))
    sealed = seal(case, tmp_path / "package", Ticking())
    assert {c.id: c.detail for c in verify(sealed.path, Ticking()).checks if c.state != "pass"} == {}
    facts = json.loads((sealed.path / "data/package.json").read_bytes())
    assert [(w["exhibit"], w["reason"]) for w in facts["withdrawn"]] == [(number_of(case, "a.json"), "by mistake")]
    assert "by mistake" in (sealed.path / "data/report/report.html").read_text(encoding="utf-8")


def test_purge_needs_a_withdrawal_and_leaves_a_certificate(case, tmp_path):
    name = number_of(case, "a.json")
    with pytest.raises(UsageFault, match="the analysis rests on it"):
        purge(case, name, "handed back")
    withdraw(case, name, "by mistake")
    done = purge(case, name, "handed back", "ada")
    content = (case.root / done.certificate).read_bytes()
    assert sha256(content).hexdigest() == done.certificate_sha256
    certificate = json.loads(content)
    digest = sha256((tmp_path / "logs/a.json").read_bytes()).hexdigest()
    assert (certificate["file_sha256"], certificate["found_sha256"], certificate["by"]) == (digest, digest, "ada")
    assert not [p for p in case.evidence.iterdir() if p.name.startswith(name)]
    assert query(case, "SELECT count(*) FROM receipt") == [(3,)]
    last = json.loads(case.custody.path.read_bytes().splitlines()[-1])
    assert (last["act"], last["certificate_sha256"]) == ("purged", done.certificate_sha256)
    with pytest.raises(UsageFault, match="purged already"):
        purge(case, name, "again")
    sealed = seal(case, tmp_path / "package", Ticking())
    checks = {c.id: c.state for c in verify(sealed.path, Ticking()).checks if c.state != "pass"}
    assert checks == {"reproduction.ingest": "undecided"}


def test_legal_hold_refuses_a_purge(case):
    name = number_of(case, "a.json")
    withdraw(case, name, "by mistake")
    text = case.settings_path.read_text(encoding="utf-8")
    case.settings_path.write_text(text.replace("[case]", "[case]\nlegal_hold = true"), encoding="utf-8")
    with pytest.raises(CaseFault, match="legal hold"):
        purge(case, name, "handed back")
    assert [p for p in case.evidence.iterdir() if p.name.startswith(name)]
    assert json.loads(case.custody.path.read_bytes().splitlines()[-1])["act"] == "purge refused"


def test_the_commands(case, capsys):
    root, name = str(case.root), number_of(case, "b.json")
    assert run(["withdraw", "S0999", "--reason", "x", "--case", root]) == 2
    assert run(["withdraw", name, "--reason", " ", "--case", root]) == 2
    assert run(["withdraw", name, "--reason", "x", "--case", root, "--dry-run"]) == 0
    assert query(case, "SELECT count(*) FROM withdrawal") == [(0,)]
    assert run(["withdraw", name, "--reason", "<b>x</b>", "--case", root, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows_removed"] == 1
    assert run(["status", root]) == 0
    assert "withdrawn from the analysis (<b>x</b>)" in capsys.readouterr().err
    assert run(["withdraw", name, "--reason", "x", "--case", root]) == 2
    assert run(["purge", name, "--reason", "x", "--case", root]) == 0
    assert "certificates/purge-" in capsys.readouterr().err
