"""Column maps: every fault at once, units and zones, unknown tables into ours, kept with the case and read again."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.ingest.account import IngestResult
from forensics.ingest.discover import Found
from forensics.ingest.preview import preview
from forensics.ingest.receipts import ReceiptTable
from forensics.ingest.run import Ingest, IngestOptions, ingest
from forensics.model.column_map import read_map
from forensics.model.errors import UsageFault
from forensics.store.case_folder import CaseFolder
from tests.building import delivery, event, new_case
from tests.paths import REPOSITORY

USAGE = """
name = "shop"
provider = "groq"
table = "ai_usage"
[match]
columns = ["t", "key"]
[time]
column = "t"
seconds = 3600
[columns]
key_id = "key"
requests = "n"
input_tokens_total = "input"
cache_read_tokens = "cached"
"""
COST = """
name = "bill"
provider = "groq"
table = "ai_cost"
[match]
columns = ["t", "amount"]
[time]
column = "t"
seconds = 86400
[columns]
amount = "amount"
currency = { constant = "usd" }
key_id = "key"
"""
ACTS = """
name = "okta"
provider = "okta"
table = "other_event"
[match]
columns = ["when", "who.mail"]
[time]
column = "when"
[columns]
id = "uuid"
kind = { constant = "sign_in" }
actor = "who.mail"
action = "type"
outcome = "result"
source_ip = "ip"
"""


class Given:
    """A folder with files, maps, and the case that they are read into."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path
        self.folder = tmp_path / "in"
        self.folder.mkdir()
        self.maps: list[Path] = []
        self._case: CaseFolder | None = None

    def map(self, text: str, name: str = "a.toml") -> Given:
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        self.maps.append(path)
        return self

    def file(self, name: str, data: str | bytes) -> Given:
        (self.folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
        return self

    @property
    def case(self) -> CaseFolder:
        self._case = self._case or new_case(self.root)
        return self._case

    def ingest(self, *, maps: bool = True) -> IngestResult:
        return ingest(self.case, [self.folder], IngestOptions(maps=tuple(self.maps) if maps else ()))

    def rows(self, sql: str) -> list[Any]:
        with self.case.writer("test") as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(tmp_path)


def test_all_faults_of_a_map_are_named_at_once() -> None:
    text = """
name = "Not Good"
table = "ai_cost"
colour = "red"
[match]
columns = []
[time]
unit = "weeks"
zone = "Atlantis"
[columns]
model = 7
unknown = "x"
event_time = "t"
[units]
money = "shells"
input_tokens = "some"
"""
    with pytest.raises(UsageFault) as fault:
        read_map(text.encode(), "a.toml")
    for part in (
        "unknown: colour", "name:", "provider: missing", "match.columns", "time.column", "time.unit", "time.zone",
        "either end", "columns.model", "columns.unknown", "columns.event_time", "columns.amount", "columns.currency",
        "units.money", "units.input_tokens",
    ):  # fmt: skip
        assert part in str(fault.value), part


@pytest.mark.parametrize("text", ["", "= 1", "name = 'x'\ntime = 3", "\x00", "match = []"])
def test_what_is_no_map_is_a_fault_and_no_crash(text: str) -> None:
    with pytest.raises(UsageFault):
        read_map(text.encode(), "a.toml")


def test_zone_and_format_are_for_text_only() -> None:
    with pytest.raises(UsageFault, match="numbers are UTC"):
        read_map(USAGE.replace("seconds = 3600", 'seconds = 3600\nunit = "s"\nzone = "+02:00"').encode(), "a.toml")


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ('unit = "s"', 1794622200),
        ('unit = "s"', "1794622200.0"),
        ('unit = "ms"', 1794622200000),
        ('unit = "us"', "1794622200000000"),
        ('unit = "ns"', 1794622200000000000),
        ('unit = "ticks"', 639302190000000000),
        ('unit = "text"', "2026-11-14T02:10:00Z"),
        ('unit = "text"', "2026-11-14 04:10:00+02:00"),
        ('zone = "+02:00"', "2026-11-14 04:10:00"),
        ('zone = "Europe/Berlin"', "2026-11-14 03:10"),
        ('zone = "America/New_York"', "2026-11-13T21:10:00"),
        ('zone = "Europe/Berlin"\nformat = "%d/%m/%y %H.%M"', "14/11/26 03.10"),
    ],
)
def test_units_and_zones_of_time(given: Given, unit: str, value: Any) -> None:
    given.map(USAGE.replace("seconds = 3600", f"seconds = 3600\n{unit}"))
    given.file("a.json", json.dumps([{"t": value, "key": "k"}])).ingest()
    assert given.rows("SELECT bucket_start, bucket_end FROM ai_usage") == [
        (datetime(2026, 11, 14, 2, 10), datetime(2026, 11, 14, 3, 10))
    ]


def test_seconds_are_never_taken_for_milliseconds(given: Given) -> None:
    given.map(USAGE.replace("seconds = 3600", 'seconds = 3600\nunit = "ms"'))
    result = given.file("a.json", json.dumps([{"t": 1794622200, "key": "k"}])).ingest()
    assert (result.records["accepted"], result.records["defect"]) == (0, 1)
    assert given.rows("SELECT reason FROM defect") == [("t is not a time of the unit ms",)]


@pytest.mark.parametrize(
    ("text", "start", "note"),
    [
        ("2026-10-25 02:30", datetime(2026, 10, 25, 0, 30), "clocks go back"),
        ("2026-03-29 02:30", datetime(2026, 3, 29, 1, 30), "clocks go forward"),
        ("2026-03-29 12:30", datetime(2026, 3, 29, 10, 30), ""),
    ],
)
def test_hours_that_a_zone_repeats_or_leaves_out(given: Given, text: str, start: datetime, note: str) -> None:
    given.map(USAGE.replace("seconds = 3600", 'seconds = 3600\nzone = "Europe/Berlin"'))
    result = given.file("a.csv", f"t,key\n{text},k\n").ingest()
    assert given.rows("SELECT bucket_start FROM ai_usage") == [(start,)]
    assert any("clocks go" in each for each in result.notes) == bool(note)
    assert not note or any(note in each for each in result.notes)


@pytest.mark.parametrize(
    ("money", "value", "amount"),
    [
        ("units", "1.25", "1.25"),
        ("cents", "125", "1.25"),
        ("cents", 0.5, "0.005"),
        ("micros", 1250000, "1.25"),
        ("nanos", "1250000000", "1.25"),
    ],
)
def test_units_of_money(given: Given, money: str, value: Any, amount: str) -> None:
    given.map(COST + f'[units]\nmoney = "{money}"\n')
    given.file("a.json", json.dumps([{"t": "2026-11-14", "amount": value, "key": "k"}])).ingest()
    assert given.rows("SELECT amount, currency, grouped_by FROM ai_cost") == [(Decimal(amount), "USD", "key")]


@pytest.mark.parametrize(("tokens", "total", "uncached"), [("total", 20, None), ("uncached", 120, 20)])
def test_total_or_uncached_input(given: Given, tokens: str, total: int, uncached: int | None) -> None:
    given.map(USAGE + f'[units]\ninput_tokens = "{tokens}"\n')
    given.file("a.csv", "t,key,n,input,cached\n2026-11-14 02:00,k,3,20,100\n").ingest()
    found = given.rows("SELECT input_tokens_total, input_tokens_uncached, cache_read_tokens, requests FROM ai_usage")
    assert found == [(total, uncached, 100, 3)]


def test_what_cannot_be_read_is_a_defect_or_stays_in_raw(given: Given) -> None:
    given.map(USAGE)
    given.file("a.csv", "t,key,n,other\n2026-11-14 02:00,k,many,x\nyesterday,k,1,x\n2026-11-14 03:00,k,1,x,y\n")
    result = given.ingest()
    assert {n: result.records[n] for n in ("seen", "accepted", "defect")} == {"seen": 3, "accepted": 1, "defect": 2}
    assert json.loads(given.rows("SELECT raw FROM ai_usage")[0][0]) == {"n": "many", "other": "x"}
    assert any("n cannot be read in some records" in note for note in result.notes)


def test_absence_proves_nothing_unless_the_map_says_so(given: Given, tmp_path: Path) -> None:
    line = "t,key\n2026-05-14 02:00,k\n2026-05-14 03:00,k\n"
    given.map(USAGE).file("a.csv", line).ingest()
    assert given.rows("SELECT count(*) FROM ai_coverage") == [(0,)]
    (tmp_path / "b").mkdir()
    other = Given(tmp_path / "b").map(USAGE + "[coverage]\ncomplete = true\n").file("a.csv", line)
    other.ingest()
    assert other.rows("SELECT covered_from, covered_until FROM ai_coverage") == [
        (datetime(2026, 5, 14, 2), datetime(2026, 5, 14, 4))
    ]


def test_sign_ins_by_path_into_objects_stand_in_activity(given: Given) -> None:
    record = {
        "uuid": "1", "when": "2026-11-14T02:10:00Z", "who": {"mail": "ada@example.test"}, "type": "user.session.start",
        "result": "success", "ip": "203.0.113.50",
    }  # fmt: skip
    given.map(ACTS).file("a.json", "\n".join(json.dumps({**record, "uuid": str(n)}) for n in (1, 2, 2)))
    result = given.ingest()
    assert (result.records["accepted"], result.records["duplicate"]) == (2, 1)
    found = given.rows("SELECT DISTINCT source, actor, action, outcome, source_ip FROM activity")
    assert found == [("map_okta", "ada@example.test", "okta:user.session.start", "success", "203.0.113.50")]
    assert given.rows("SELECT first_event FROM evidence_file WHERE source_id = 'map_okta'") == [
        (datetime(2026, 11, 14, 2, 10),)
    ]


def test_two_equal_records_without_an_id_are_two(given: Given) -> None:
    record = json.dumps({"when": "2026-11-14T02:10:00Z", "who": {"mail": "a"}})
    given.map(ACTS.replace('id = "uuid"\n', "")).file("a.json", f"{record}\n{record}\n")
    assert given.ingest().records["accepted"] == 2


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters(given: Given, delimiter: str) -> None:
    text = 't;key;n\n2026-11-14 02:00;"k;1, x";3\n'.replace(";", delimiter).replace("k" + delimiter, "k;")
    given.map(USAGE).file("a.csv", text).ingest()
    assert given.rows("SELECT key_id, requests FROM ai_usage") == [("k;1, x", 3)]


def test_a_list_inside_and_parquet_give_the_same(given: Given) -> None:
    rows = [{"t": "2026-11-14T02:00:00", "key": "k", "n": 3}, {"t": "2026-11-14T03:00:00", "key": "k", "n": 4}]
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), out)
    given.map(USAGE.replace('"key"]', '"key"]\nlist = "page.items"'))
    given.map(USAGE.replace('name = "shop"', 'name = "flat"'), "b.toml")
    given.file("a.json", json.dumps({"page": {"items": rows}})).file("b.parquet", out.getvalue().to_pybytes())
    assert given.ingest().records["accepted"] == 4
    found = given.rows("SELECT source_id, bucket_start, requests FROM ai_usage ORDER BY 1, 2")
    assert [(s, b.hour, n) for s, b, n in found] == [
        ("map_flat", 2, 3), ("map_flat", 3, 4), ("map_shop", 2, 3), ("map_shop", 3, 4),
    ]  # fmt: skip


def test_a_map_goes_before_a_format_and_says_so(given: Given) -> None:
    text = ACTS.replace('"when", "who.mail"', '"eventTime", "eventName"').replace('"when"', '"eventTime"')
    given.map(text.replace('id = "uuid"', 'id = "eventID"')).file("a.json", delivery([event(1), event(2)]))
    result = given.ingest()
    assert given.rows("SELECT count(*) FROM other_event") == [(2,)]
    assert any("instead of aws_cloudtrail" in note for note in result.notes)


def test_two_maps_for_one_file_are_none(given: Given) -> None:
    given.map(USAGE).map(USAGE.replace("shop", "shop2"), "b.toml").file("a.csv", "t,key\n2026-11-14 02:00,k\n")
    assert any("map_shop and map_shop2" in each["reason"] for each in given.ingest().skipped)
    with pytest.raises(UsageFault, match="two maps"):
        given.map(USAGE, "c.toml").ingest()


def test_a_file_that_was_not_read_is_read_once_a_map_claims_it(given: Given) -> None:
    given.map(USAGE).file("a.csv", "t,key\n2026-11-14 02:00,k\n").file("z.txt", "other")
    assert given.ingest(maps=False).records["seen"] == 0
    result = given.ingest()
    assert result.records["accepted"] == 1
    found = given.rows("SELECT exhibit, source_id, state FROM evidence_file ORDER BY exhibit")
    assert found == [("S0001", "map_shop", "read"), ("S0002", None, "skipped"), ("S0003", "column_map", "registered")]
    again = given.ingest()
    assert (again.records["seen"], {each["reason"] for each in again.skipped}) == (0, {"unchanged"})


def test_a_replay_of_the_receipts_in_one_go_says_the_same_of_each_file(given: Given, tmp_path: Path) -> None:
    given.map(USAGE).file("a.csv", "t,key\n2026-11-14 02:00,k\nnever,k\n")
    given.ingest(maps=False)
    given.ingest()
    (tmp_path / "again").mkdir()
    case = new_case(tmp_path / "again")
    read, map_ = Found(given.folder / "a.csv", "a.csv"), Found(given.maps[0], "a.toml", is_map=True)
    with case.writer("test") as connection:
        Ingest(case, connection, IngestOptions()).run([read, map_, read], ReceiptTable(), lambda *_: None)
        sql = "SELECT exhibit, source_id, state, reason, reader_version, notes, content_bytes FROM evidence_file ORDER BY exhibit"
        found = connection.execute(sql).fetchall()
    assert found == given.rows(sql)
    assert [row[1:3] for row in found] == [("map_shop", "defective"), ("column_map", "registered")]


def test_a_dry_run_explains_and_writes_nothing(given: Given) -> None:
    given.map(USAGE).file("a.csv", "t,key,n\n2026-11-14 02:00,k,3\nnever,k,1\n").file("b.csv", "x,y\n1,2\n")
    taken = preview([given.folder], maps=given.maps)
    assert [(row["path"], row["source"]) for row in taken] == [
        ("a.toml", "column_map"), ("a.csv", "map_shop"), ("b.csv", ""),
    ]  # fmt: skip
    mapped = taken[1]
    assert mapped["counts"] == {"records": 2, "rows": 1, "defects": 1}
    assert mapped["faults"] == ["t is not a time of the unit text"]
    assert (mapped["first_row"]["bucket_start"], mapped["first_row"]["key_id"]) == ("2026-11-14 02:00:00", "k")
    assert "t -> bucket_start (text in the zone UTC)" in mapped["mapping"]


def test_key_material_in_a_mapped_file_is_masked(given: Given) -> None:
    secret = "sk-ant-api03-" + "A1b2C3d4" * 11
    given.map(USAGE).file("a.csv", f"t,key,other\n2026-11-14 02:00,{secret},{secret}\n").ingest()
    assert secret not in repr(given.rows("SELECT * FROM ai_usage"))
    assert given.rows("SELECT count(*) > 0 FROM key_material") == [(True,)]


def examples() -> list[tuple[str, str]]:
    text = (REPOSITORY / "docs" / "column-map.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(toml|csv|json)\n(.*?)```", text, re.DOTALL)
    return [(map_, data) for (kind, map_), (_, data) in zip(blocks[::2], blocks[1::2], strict=True) if kind == "toml"]


def test_the_examples_of_the_page_work(given: Given) -> None:
    for number, (text, data) in enumerate(examples()):
        given.map(text, f"{number}.toml").file(f"{number}.txt", data)
    result = given.ingest()
    assert (result.records["accepted"], result.records["defect"]) == (3, 0)
    assert given.rows("SELECT period_start, period_end, key_name, model, amount, grouped_by FROM ai_cost") == [
        (datetime(2026, 11, 14), datetime(2026, 11, 15), "prod", "grok-4", Decimal("12.5"), "key,model")
    ]
    assert given.rows("SELECT bucket_start, key_id, input_tokens_total FROM ai_usage") == [
        (datetime(2026, 11, 14, 2), "key_1", 120)
    ]
    assert given.rows("SELECT kind, key_id, location, actor, event_time FROM other_event") == [
        ("key_read", "key_1", "provider_keys/17", "worker-7", datetime(2026, 11, 14, 2, 10, 0, 123000))
    ]
