"""The tool that deletes predicates: it finds each one, and a predicate that no case holds survives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import main, mutants, page, run_cases
from tests.queries import pack


def test_each_operand_and_each_lone_condition_is_deleted_once() -> None:
    sql = "SELECT count(*) FILTER (WHERE a = 1) AS n FROM t WHERE b = 2 AND (c = 3 OR d = 4) GROUP BY e HAVING count(*) > 5"
    found = dict(mutants(sql))
    assert sorted(found) == ["(c = 3 OR d = 4)", "COUNT(*) > 5", "a = 1", "b = 2", "c = 3", "d = 4"]
    assert "((c = 3) AND FALSE) OR d = 4" in found["c = 3"] and "((b = 2) OR TRUE) AND" in found["b = 2"]


def test_what_no_case_holds_survives(tmp_path: Path) -> None:
    for cases, survivors in (
        (pack.CASES, ()),
        (
            pack.CASES.split('[[must_not_match]]\nname = "another service"')[0],
            ("e.event_source = 'cloudtrail.amazonaws.com'",),
        ),
    ):
        path = pack.write(tmp_path).with_name("trail_stopped.cases.toml")
        path.write_text(cases, encoding="utf-8")
        result = run_cases(path)
        assert (result.survivors, result.mutants, result.invalid) == (survivors, 4, 0)
    assert "4 mutants, 3 noticed: 75.0 %" in page([result])


def test_results_are_kept_until_the_query_or_its_cases_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pack.write(tmp_path).with_name("trail_stopped.cases.toml")
    path.write_text(pack.CASES, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["mutation", "--jobs", "1", "--kept", str(tmp_path / "kept.jsonl"), str(path)])
    main()
    first = capsys.readouterr()
    main()
    again = capsys.readouterr()
    assert first.out == again.out and "4 of 4" in first.err and again.err == ""
    path.write_text(pack.CASES + "\n", encoding="utf-8")
    main()
    assert "4 of 4" in capsys.readouterr().err
