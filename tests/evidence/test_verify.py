"""Verification: what passes, what reproduction finds, what it leaves open, and what the commands return."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from forensics.cli.main import run
from forensics.evidence.seal import seal, write_zip
from forensics.evidence.verify import LEVELS, verify
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.errors import UsageFault
from tests.building import event
from tests.evidence.sealing import Ticking, digest_of, edit_facts, make_case, rehash, usage_page


def bad(result):
    return {c.id: c for c in result.checks if c.state != "pass"}


def edit_query(package, identity, old, new):
    """Change a packaged query and let every hash agree with it again."""
    path = package / f"data/queries/{identity}.sql"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    digest = sha256(path.read_bytes()).hexdigest()
    edit_facts(package, lambda f: next(q for q in f["queries"] if q["id"] == identity).update(sql_sha256=digest))


def made_by_another_version(package, **versions):
    path = package / "data/env/tool.json"
    tool = json.loads(path.read_bytes()) | versions
    path.write_bytes(json.dumps(tool, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    edit_facts(package, lambda f: f["tool"].update(versions))


@pytest.fixture(scope="module")
def untouched(made):
    """What verifying the folder gave, and the times of its files before and after."""

    def times():
        return {p: p.stat().st_mtime_ns for p in made.sealed.path.rglob("*")}

    before = times()
    return verify(made.sealed.path, Ticking()), before, times()


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_untouched_package_passes_every_level(made, untouched, form):
    result = untouched[0] if form == "folder" else verify(made.sealed.zip_path, Ticking())
    assert bad(result) == {}
    assert result.levels == dict.fromkeys(LEVELS, "pass")
    assert int(result.exit_code) == 0
    details = {c.id: c.detail for c in result.checks}
    assert made.sealed.digest in details["integrity.digest"]
    assert details["reproduction.tool"].startswith("identical")
    assert len(result.not_proven) == 4


def test_verifying_changes_nothing(untouched):
    _, before, after = untouched
    assert len(before) > 100 and after == before


def test_a_result_that_the_evidence_does_not_give(package):
    """Everything agrees with everything but the evidence: only reproduction can tell."""
    facts = json.loads((package / "data/package.json").read_bytes())
    identity = next(q["id"] for q in facts["queries"] if q["rows"])
    path = package / f"data/results/{identity}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"111122223333", b"111122224444"))
    digest = sha256(path.read_bytes()).hexdigest()
    edit_facts(package, lambda f: next(q for q in f["queries"] if q["id"] == identity).update(logical_sha256=digest))
    result = verify(package, Ticking())
    assert result.levels["completeness"] == "pass"
    assert list(bad(result)) == ["reproduction.queries"]
    assert "111122224444" in bad(result)["reproduction.queries"].detail
    assert int(result.exit_code) == 5


def test_verdicts_and_report_that_the_evidence_does_not_give(package):
    for name in ("data/findings/verdicts.json", "data/report/report.html"):
        path = package / name
        path.write_bytes(path.read_bytes().rstrip() + (b"\n\n" if name.endswith("html") else b" \n"))
    hashes = {
        n: sha256((package / n).read_bytes()).hexdigest()
        for n in ("data/findings/verdicts.json", "data/report/report.html")
    }

    def change(facts):
        facts["verdicts_sha256"] = hashes["data/findings/verdicts.json"]
        facts["report"]["html_sha256"] = hashes["data/report/report.html"]

    edit_facts(package, change)
    assert set(bad(verify(package, Ticking()))) == {"reproduction.verdicts", "reproduction.report"}


def test_a_dropped_receipt_changes_what_comes_out(package):
    """The second usage export and all that names it are taken away; totals are made to fit."""
    facts = json.loads((package / "data/package.json").read_bytes())
    number = next(s["receipt"] for s in facts["sources"] if s["original_name"] == "usage/b.json")
    gone = next(s for s in facts["sources"] if s["receipt"] == number)
    (package / gone["file"]).unlink()
    for name in ("data/inventory/sources.jsonl", "data/inventory/ledger.jsonl", "data/settings/receipts.jsonl"):
        lines = (package / name).read_bytes().splitlines(keepends=True)
        (package / name).write_bytes(b"".join(x for x in lines if json.loads(x)["receipt_id"] != number))

    def change(facts):
        facts["sources"].remove(gone)
        for name, count in gone["records"].items():
            facts["records"][name] -= count
        for table in facts["tables"]:
            if table["name"] in ("ai_usage", "occurrence"):
                table["rows"] -= gone["records"]["accepted"]

    edit_facts(package, change)
    result = verify(package, Ticking())
    assert result.levels["completeness"] == "pass"
    assert result.levels["reproduction"] == "fail"


def test_another_version_with_the_same_results_is_equivalent(package):
    made_by_another_version(package, duckdb="1.9.9", source_tree_sha256="0" * 64)
    result = verify(package, Ticking())
    assert bad(result) == {}
    assert "equivalent: made with" in next(c.detail for c in result.checks if c.id == "reproduction.tool")


def test_a_report_of_another_version_stays_undecided(package):
    path = package / "data/report/report.html"
    path.write_bytes(path.read_bytes() + b"\n")
    digest = sha256(path.read_bytes()).hexdigest()
    made_by_another_version(package, reports_sha256="0" * 64)
    edit_facts(package, lambda f: f["report"].update(html_sha256=digest))
    result = verify(package, Ticking())
    assert {i: str(c.state) for i, c in bad(result).items()} == {"reproduction.report": "undecided"}
    assert int(result.exit_code) == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FROM aws_event", "FROM read_csv('/etc/passwd') AS aws_event"),
        (
            "ORDER BY event_time NULLS LAST, event_key",
            "ORDER BY event_time NULLS LAST, event_key; DROP TABLE aws_event",
        ),
        ("FROM aws_event", "FROM '/etc/passwd' AS aws_event"),
    ],
)
def test_a_hostile_query_is_refused(package, old, new):
    edit_query(package, "aws.root_activity", old, new)
    result = verify(package, Ticking())
    assert result.levels["reproduction"] == "fail"
    assert "aws/root_activity.sql" in bad(result)["reproduction.ingest"].detail


def test_packaged_queries_run_not_the_installed_ones(package):
    """A query that finds nothing any more is found out by the packaged result, whatever is installed."""
    edit_query(package, "aws.root_activity", "= 'Root'", "= 'Nobody'")
    found = bad(verify(package, Ticking()))
    assert "aws.root_activity" in found["reproduction.queries"].detail
    assert "reproduction.findings" in found


def test_bad_settings_are_a_failure_not_a_crash(package):
    path = package / "data/settings/case.toml"
    path.write_bytes(b"[case]\nid = 7\n")
    digest = sha256(path.read_bytes()).hexdigest()
    edit_facts(package, lambda f: f.update(settings_sha256=digest))
    assert "case.id must be text" in bad(verify(package, Ticking()))["reproduction.ingest"].detail


def test_what_was_read_last_counts_again(made):
    """No receipt states a time, so the order of reading decides between two exports of one bucket."""
    lines = (made.sealed.path / "data/inventory/sources.jsonl").read_bytes().splitlines()
    read = {s["name"]: s["read_as_of"] for s in map(json.loads, lines)}
    assert read["usage/a.json"] < read["usage/b.json"]
    assert read["trail.json.gz"] == "2026-05-30T08:00:00Z"


def test_a_zip_made_by_another_program_passes(made, tmp_path):
    write_zip(made.sealed.path, "renamed by mail", tmp_path / "mail.zip")
    assert verify(tmp_path / "mail.zip", Ticking()).levels["integrity"] == "pass"


def test_nothing_there_is_a_usage_fault(tmp_path):
    with pytest.raises(UsageFault, match="no such package"):
        verify(tmp_path / "nothing", Ticking())


def test_an_empty_folder_fails(tmp_path):
    result = verify(tmp_path, Ticking())
    assert result.levels == {"integrity": "fail", "completeness": "fail", "reproduction": "not_run"}
    assert int(result.exit_code) == 5


def test_commands_seal_and_verify(made, tmp_path, capsys):
    target = tmp_path / "out" / "package"
    assert run(["package", str(made.case.root), "--output", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == made.sealed.digest
    assert run(["verify", str(target), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {"levels", "checks", "not_proven"}
    assert shown["levels"] == dict.fromkeys(LEVELS, "pass")
    assert all(set(c) == {"id", "state", "detail"} for c in shown["checks"])
    assert run(["package", str(made.case.root), "--output", str(target)]) == 2
    (target / "evil.html").write_bytes(b"x")
    assert run(["verify", str(target)]) == 5
    assert run(["verify", str(tmp_path / "nothing")]) == 2


def test_dry_run_writes_nothing(made, tmp_path, capsys):
    assert run(["package", str(made.case.root), "--output", str(tmp_path / "p"), "--dry-run", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["files"]
    assert {"path": "data/package.json", "bytes": (made.sealed.path / "data/package.json").stat().st_size} in listed
    assert list(tmp_path.iterdir()) == []


def test_hostile_names_do_not_reach_the_terminal_raw(package, capsys):
    (package / "data/settings/\x1b[2Jx").write_bytes(b"x")
    assert run(["verify", str(package)]) == 5
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err


def test_evidence_that_arrived_in_pieces_reproduces(tmp_path):
    """Three runs of ingest: other serialisations of known events, another owner, one file twice under two names."""
    case = make_case(tmp_path)
    later = tmp_path / "later"
    later.mkdir()
    (later / "pretty.json").write_text(json.dumps({"Records": [event(n) for n in range(25, 35)]}, indent=1))
    (later / "trail-copy.json.gz").write_bytes((tmp_path / "logs/trail.json.gz").read_bytes())
    (later / "a.json").write_bytes(usage_page(400))
    for owner in ("Heron Works", "Other Owner"):
        ingest(case, [later], IngestOptions(owner=owner))
    ingest(case, [tmp_path / "logs"], IngestOptions())
    sealed = seal(case, tmp_path / "package", Ticking())
    facts = json.loads((sealed.path / "data/package.json").read_bytes())
    assert len(facts["sources"]) > len({s["file"] for s in facts["sources"]})
    assert facts["records"]["duplicate"] > 30
    assert bad(verify(sealed.path, Ticking())) == {}


def test_the_sample_incident_seals_and_reproduces(sample_case, tmp_path):
    sealed = seal(sample_case, tmp_path / "package", Ticking())
    assert bad(verify(sealed.path, Ticking())) == {}


def test_the_form_is_one_that_anybody_can_write(package):
    before = digest_of(package)
    rehash(package)
    assert digest_of(package) == before
