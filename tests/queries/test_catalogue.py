from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from forensics.model.errors import QueryFault, UsageFault
from forensics.model.query import QueryKind
from forensics.queries.__main__ import main
from forensics.queries.catalogue import load_catalogue, query_paths
from forensics.queries.queryfile import EmptyStore
from forensics.queries.sound import known_sound, listed
from forensics.queries.vocabulary import SOURCES
from forensics.resources import queries_folder, sound_queries
from forensics.sources.catalogue import catalogue as source_catalogue
from forensics.store.schema import statements
from tests.queries import pack


def second(folder: Path, name: str = "trail_deleted") -> Path:
    return pack.write(folder, pack.HEADER.replace("trail_stopped", name), name=name)


def test_queries_come_in_the_order_of_ids_and_are_selected(tmp_path: Path) -> None:
    pack.write(tmp_path)
    second(tmp_path)
    found = load_catalogue(tmp_path / "queries")
    assert [q.id for q in found] == ["aws.trail_deleted", "aws.trail_stopped"] and len(found) == 2
    assert [q.id for q in found.select(["aws.trail_stopped"])] == ["aws.trail_stopped"]
    assert len(found.select(["aws."])) == 2 and found.by_id("aws.trail_stopped").title == "A trail was stopped"
    assert len(found.of_kind(QueryKind.DETECTION)) == 2 and found.of_kind(QueryKind.SUMMARY) == ()
    with pytest.raises(UsageFault, match=r"is aws.trail_stopped meant"):
        found.select(["trail_stopped"])
    with pytest.raises(UsageFault, match=r"no query 'aws.none'"):
        found.by_id("aws.none")


def test_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    pack.write(tmp_path, pack.header_with("severity", 'severity = "grave"'))
    path = second(tmp_path)
    path.write_text(path.read_text().replace("e.user_agent", "avg(e.event_epoch) AS a"))
    with pytest.raises(QueryFault) as caught:
        load_catalogue(tmp_path / "queries")
    lines = caught.value.message.splitlines()
    assert (
        len(lines) == 2
        and "trail_deleted.sql:33: avg is not" in lines[0]
        and "trail_stopped.sql:5: unknown severity" in lines[1]
    )
    with pytest.raises(QueryFault) as caught:
        load_catalogue(tmp_path / "queries", portable=False)
    assert len(caught.value.message.splitlines()) == 1


def test_an_id_stands_for_one_query(tmp_path: Path) -> None:
    pack.write(tmp_path / "one")
    pack.write(tmp_path / "two")
    with pytest.raises(QueryFault, match=r"id 'aws.trail_stopped' is also the id of"):
        load_catalogue(tmp_path / "one" / "queries", tmp_path / "two" / "queries")


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    path = pack.write(tmp_path)
    path.with_name("._trail_stopped.sql").write_bytes(b"\x00")
    assert query_paths(tmp_path / "queries") == [path]


def test_command_prints_every_fault_and_exits_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pack.write(tmp_path)
    assert main([str(tmp_path / "queries")]) == 0
    assert "1 query files, no fault" in capsys.readouterr().err
    path.write_text(pack.text(sql=pack.SQL.replace("$until", "now()")))
    assert main([str(tmp_path / "queries")]) == 3
    said = capsys.readouterr().err
    assert "now is not in the portable subset" in said and "must keep to the window" in said


def test_the_programs_own_queries_load_and_fit_the_store_and_are_those_listed_as_sound() -> None:
    store = EmptyStore(statements())
    found = load_catalogue(queries_folder(), store=store)
    assert len(found.of_kind(QueryKind.DETECTION)) > 20
    assert sound_queries().read_text(encoding="utf-8") == listed(found, store), "run `make docs`"
    assert known_sound(store) == {query.sha256 for query in found}


def test_nothing_is_known_as_sound_for_another_store() -> None:
    assert known_sound(EmptyStore([*statements(), "CREATE TABLE another (n BIGINT)"])) == frozenset()


def test_a_file_listed_as_sound_is_loaded_by_its_header_and_a_changed_one_is_judged(tmp_path: Path) -> None:
    path = pack.write(tmp_path, sql="SELECT 1 AS n FROM no_table ORDER BY n")
    sound = frozenset({sha256(path.read_bytes()).hexdigest()})
    (query,) = load_catalogue(tmp_path / "queries", portable=False, sound=sound)
    assert (query.id, query.sha256) == ("aws.trail_stopped", *sound)
    path.write_text(path.read_text().replace("no_table", "other_table"))
    with pytest.raises(QueryFault, match="must keep to the window"):
        load_catalogue(tmp_path / "queries", portable=False, sound=sound)


def test_a_file_listed_as_sound_must_still_stand_where_its_id_says(tmp_path: Path) -> None:
    path = pack.write(tmp_path, name="trail_paused")
    sound = frozenset({sha256(path.read_bytes()).hexdigest()})
    with pytest.raises(QueryFault, match="does not fit the file's place"):
        load_catalogue(tmp_path / "queries", portable=False, sound=sound)


def test_every_detection_has_cases_beside_it() -> None:
    folder = queries_folder() / "detections"
    without = [p.name for p in query_paths(folder) if not p.with_name(p.stem + ".cases.toml").is_file()]
    assert without == []


#: Summaries over what commands stored (tests/analysis/test_summaries_of_results.py), which no event of a case makes.
OVER_RESULTS = {
    *("customers", "detections", "evidence_coverage", "indicator_hits", "indicators_not_found"),
    *("indicator_pivots", "intruder", "intruder_changes", "intruder_resources"),
}


def test_every_summary_and_timeline_of_events_has_cases_beside_it() -> None:
    paths = [p for name in ("summary", "timeline") for p in query_paths(queries_folder() / name)]
    assert {p.stem for p in paths if not p.with_name(p.stem + ".cases.toml").is_file()} == OVER_RESULTS


def test_sources_of_headers_are_log_formats_that_can_be_read() -> None:
    assert set(source_catalogue()) >= SOURCES
