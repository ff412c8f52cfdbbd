"""keytrail export: each table comes out of a real case, in each form, and nothing is overwritten."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from forensics.analysis.exports import EXPORTS
from forensics.cli.main import run
from forensics.store.case_folder import CaseFolder


@pytest.mark.parametrize("what", sorted(EXPORTS))
def test_each_table_in_each_form(
    made_sample_case: CaseFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    case = str(made_sample_case.root)
    assert run(["export", case, "--what", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows or what in {"indicator-hits", "defects", "addresses", "address-files"}
    for form in ("csv", "jsonl", "parquet"):
        target = tmp_path / f"{what}.{form}"
        assert run(["export", case, "--what", what, "--output", str(target), "--dry-run"]) == 0 and not target.exists()
        assert run(["export", case, "--what", what, "--output", str(target)]) == 0
        assert run(["export", case, "--what", what, "--output", str(target)]) == 2
        if form == "csv":
            with target.open(encoding="utf-8", newline="") as stream:
                assert len(list(csv.reader(stream))) == len(rows) + 1
        elif form == "jsonl":
            assert len(target.read_text().splitlines()) == len(rows)
        else:
            assert pq.read_table(target).num_rows == len(rows)


def test_the_ledger_says_what_ran_and_how_it_ended(
    made_sample_case: CaseFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["export", str(made_sample_case.root), "--what", "ledger", "--json"])
    rows = {r["query_id"]: r for r in json.loads(capsys.readouterr().out)}
    one = rows["aws.secrets_read_in_bulk"]
    assert one["state"] == "finding" and len(one["query_sha256"]) == 64 and one["row_count"] > 0
    assert "since" in json.loads(one["parameters"]) and one["milliseconds"] >= 0


def test_wrong_words_are_refused_and_tables_are_listed(
    made_sample_case: CaseFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    case = str(made_sample_case.root)
    assert run(["export", case, "--what", "secrets"]) == 2
    assert run(["export", case, "--what", "ledger", "--output", "x.xls"]) == 2
    capsys.readouterr()
    assert run(["export", case]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in EXPORTS)
