"""How far a reading is: by bytes, in words, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from forensics.cli.reading_progress import Pace, bytes_of, reading_progress, span
from forensics.ingest.discover import Found
from forensics.ingest.preview import preview

MIB = 1 << 20


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599.6, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_spans(seconds, text):
    assert span(seconds) == text


def test_the_time_left_is_judged_by_bytes_not_by_files():
    clock = Clock()
    pace = Pace(10, 400 * MIB, clock)
    assert pace.words(0, 0, 0) == "0 of 10 files, 0 of 400 MiB, 0 records"
    clock.now += 10
    assert pace.words(9, 100 * MIB, 5000) == (
        "9 of 10 files, 100 of 400 MiB, 5000 records, 500 events/s, about 30 s left"
    )
    assert pace.words(10, 400 * MIB, 9000) == "10 of 10 files, 400 of 400 MiB, 9000 records, 900 events/s"


def test_bytes_of_what_can_be_read(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    found = [Found(tmp_path / "a", "a"), Found(tmp_path / "gone", "gone"), Found(tmp_path / "a", "b", "not a file: x")]
    assert bytes_of(found) == 5


def test_elsewhere_a_plain_line_every_ten_seconds(tmp_path, capsys):
    (tmp_path / "a").write_bytes(b"1" * MIB)
    clock = Clock()
    with reading_progress([Found(tmp_path / "a", "a")], Console(file=io.StringIO()), clock) as update:
        update(0, 0, 1)
        clock.now += 11
        update(0, MIB // 2, 1100)
        clock.now += 5
        update(1, MIB, 2000)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "0 of 1 files, 0 of 1 MiB, 1100 records, 100 events/s, about 11 s left\n"


def test_a_look_at_files_counts_no_records(tmp_path, capsys):
    (tmp_path / "a").write_bytes(b"1" * MIB)
    clock = Clock()
    with reading_progress([Found(tmp_path / "a", "a")], Console(file=io.StringIO()), clock, counted=False) as update:
        clock.now += 11
        update(0, MIB // 2, 0)
    assert capsys.readouterr().err == "0 of 1 files, 0 of 1 MiB, about 11 s left\n"


def test_a_preview_says_how_far_it_is(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").write_bytes(b"[1,2]")
    told = []
    preview([tmp_path], progress=lambda *at: told.append(at))
    assert told == [(0, 0, 0), (1, 2, 0)]


def test_on_a_terminal_one_line_that_is_gone_at_the_end(tmp_path):
    (tmp_path / "a").write_bytes(b"1" * MIB)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with reading_progress([Found(tmp_path / "a", "a")], console) as update:
        update(1, MIB, 7)
    assert "1 of 1 files, 1 of 1 MiB, 7 records" in screen.getvalue()
