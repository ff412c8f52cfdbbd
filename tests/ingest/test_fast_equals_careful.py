"""The fast reader gives what the careful reader gives: identical rows in every table, for any file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.ingest.fast import read_fast, read_together
from forensics.ingest.fast_windows import is_small
from forensics.ingest.reading import FileReading, Received, read_file
from forensics.ingest.run import IngestOptions, ingest
from forensics.ingest.scratch import account_of
from forensics.ingest.unpack import unpack
from forensics.sources.protocol import Provenance
from forensics.store.eventstore import EventStore, Group
from forensics.store.schema import TABLES
from tests.building import delivery, event, lines, new_case, packed
from tests.paths import SAMPLE, shared_data
from tests.stores import new_store

#: Files of a group where there are many: several groups still meet in one store.
MANY = 20
OWNER = Provenance("Alder", "", None, "")


def rows(connection: Any) -> dict[str, list[str]]:
    """Every row of every table, sorted."""
    counted = " UNION ALL ".join(f"SELECT '{t}' FROM {t} HAVING count(*) > 0" for t in TABLES)
    filled = {row[0] for row in connection.execute(counted).fetchall()}
    found = {t: connection.execute(f"SELECT * FROM {t}").fetchall() if t in filled else [] for t in TABLES}
    return {t: sorted(map(repr, rows)) for t, rows in found.items()}


def stored(files: Sequence[bytes], together: int, *, fast: bool) -> tuple[dict[str, list[str]], list[Any], int]:
    """Read files into an empty store, some a group; returns its rows, what was said of each, how many were read fast."""
    connection = new_store()
    store, said, quick = EventStore(connection), [], 0
    for start in range(0, len(files), together):
        group, readings = Group(), []
        given = [
            Received(sha256(data).hexdigest(), unpack(data), number, OWNER)
            for number, data in enumerate(files[start : start + together], start + 1)
        ]
        small = [received for received in given if is_small(received)] if fast else []
        quickly = dict(zip([r.receipt_id for r in small], read_together(small, group) if small else [], strict=True))
        for received in given:
            alone = received.receipt_id not in quickly
            reading = read_fast(received, group) if fast and alone else quickly.get(received.receipt_id)
            quick += reading is not None
            readings.append((received.receipt_id, reading or read_file(received, group)))

        def work(group: Group = group, readings: list[tuple[int, FileReading]] = readings) -> None:
            counts = store.write(group)
            for number, reading in readings:
                store.insert("defect", reading.defects)
                account = account_of(reading, counts, number)
                said.append((account, reading.state, reading.reason, reading.why, reading.notes, reading.material))

        store.transact(work)
    store.settle()
    found = rows(connection)
    connection.close()
    return found, said, quick


def agree(files: Sequence[bytes], together: int = 2) -> int:
    """Hold both readers to the same; returns how many files the fast one read. `together`: files of a group."""
    fast, fast_said, quick = stored(files, together, fast=True)
    careful, careful_said, _ = stored(files, together, fast=False)
    assert fast_said == careful_said
    for table in TABLES:
        assert fast[table] == careful[table], table
    return quick


ODD_RECORDS = [
    '"userAgent":"a},{\\"eventVersion\\":b"',
    '"userAgent":"\\ud83d\\ude00"',
    '"userAgent":"\\ud800"',
    '"userAgent":"a\\u0000b"',
    '"userAgent":"\\u0041"',
    '"userAgent":"Ünïcode \u202e"',
    '"userAgent":"a","userAgent":"b"',
    '"requestParameters":{"a":1,"a":2}',
    '"requestParameters":{"n":1.50}',
    '"requestParameters":{"n":[1e400,-0,18446744073709551616,1E2]}',
    '"requestParameters":{"n":-0,"x":1,"x":12}',
    '"requestParameters":{"n":0.0,"m":-0.0,"big":18446744073709551615,"s":"a:1.5,\\"2.5\\" [3.5]","l":[12.25,7]}',
    '"requestParameters":{"n":0.5,"e":1e-7}',
    '"requestParameters":{"n":0.10,"xx":"\\u0041"}',
    '"requestParameters":{"n":0.1000000000000000055511151231257827}',
    '"requestParameters":{"b":0.5,"a":1.5},"unknownName":2.5',
    '"requestParameters":{"n":NaN}',
    '"requestParameters": {"blank": 1}',
    '"requestParameters":{"list":[{"a":1},{"eventVersion":"2"}]}',
    '"requestParameters":' + "[" * 70 + "]" * 70,
    '"requestParameters":{"many":[' + ",".join(["{}"] * 80) + "]}",
    '"unknownName":1',
    '"eventCategory":"Insight"',
    '"eventType":"AwsAggregatedEvent"',
    '"eventSource":"aws:s3"',
    '"eventID":7',
    '"eventID":null',
    '"eventID":""',
    '"eventTime":17',
    '"sourceIPAddress":17',
    '"userIdentity":"text"',
    '"responseElements":{"credentials":{"accessKeyId":"ASIAX","sessionToken":"' + "tOkEn/+" * 9 + '"}}',
    '"requestParameters":{"key":"sk-ant-api03-' + "aB3dE6gH9" * 11 + '"}',
    '"requestParameters":{"password":"correct \\u0068orse battery"}',
    '"requestParameters":{"raw":"\x01"}',
]


def spelled(number: int, extra: str) -> str:
    """A record with one more member at its end, written without blanks."""
    return json.dumps(event(number), separators=(",", ":"))[:-1] + "," + extra + "}"


@pytest.mark.parametrize("number", range(len(ODD_RECORDS)))
def test_one_odd_record_among_usual_ones(number):
    records = [spelled(1, '"readOnly":true'), spelled(2, ODD_RECORDS[number])]
    data = ('{"Records":[' + ",".join(records) + "]}").encode("utf-8", "surrogatepass")
    single = "\n".join([spelled(3, ODD_RECORDS[number]), *records]).encode("utf-8", "surrogatepass")
    agree([delivery([event(5)]), data, packed(data), single])


def test_undecodable_bytes_cut_ends_and_what_follows():
    good = delivery([event(1), event(2)])
    agree([good, good[:-1], good + b"\n", good + b"\n\n", good + b"x", good + good, b" " + good, good[:-2] + b",]}"])
    agree([good.replace(b"aws-cli/2", b"\xff\xfe"), good.replace(b"aws-cli/2", b"\x00"), packed(good) + b"tail"])
    agree([packed(good)[:-20], b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), b'{"Records":[]}'])


def test_lines_with_blanks_other_ends_and_what_is_no_line():
    good = lines([event(1), event(2), event(3)])
    first, second, third = good.splitlines()
    agree(
        [
            good,
            good[:-1],
            good + b"\n",
            good[:-2],
            good + b"x\n",
            b"\n" + good,
            b" " + good,
            good.replace(b"\n", b"\r\n"),
        ]
    )
    agree(
        [
            first + second + b"\n" + third,
            first + b" \n" + second,
            first + b"\n\n" + second,
            first + b",\n" + second + b"\n",
        ]
    )
    agree([b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), good.replace(b"aws-cli/2", b"\xff\xfe"), first])
    agree(
        [
            first.replace(b",", b",\n", 1) + b"\n" + second,
            good + delivery([event(4)]),
            delivery([event(4)]) + b"\n" + good,
        ]
    )
    agree(
        [
            first + b"\n{}\n" + second,
            first + b"\n[" + second + b"]\n",
            first + b'\n{"a":{"eventSource":"b"}}\n',
            b"{}\n" + first,
        ]
    )
    agree([lines([event(5, userAgent="a}\n{"), event(6)]), lines([event(7, unknownName={"Records": []}), event(8)])])


def test_lines_are_read_by_the_fast_reader():
    files = [lines([event(n), event(n + 1), event(n)]) for n in range(6)]
    turned = [dict(reversed(list(event(n).items()))) for n in range(20, 23)]
    assert agree([*files, *map(packed, files), files[0][:-1], lines(turned), lines([event(30)])], 4) == 15


def test_usual_files_are_read_by_the_fast_reader():
    files = [packed(delivery([event(n), event(n + 1), event(n)])) for n in range(6)]
    assert agree(files) == len(files)


def test_other_serialisations_and_contents_of_one_id():
    turned = dict(reversed(list(event(1).items()))) | {}
    first = {"eventVersion": turned.pop("eventVersion"), **turned}
    files = [delivery([event(1)]), delivery([first]), delivery([event(1, eventName="Other")]), delivery([event(1)])]
    assert agree(files) == 4
    assert agree(files[::-1]) == 4


members = st.sampled_from([*ODD_RECORDS, '"readOnly":false', '"errorCode":"AccessDenied"', '"apiVersion":"1"'])


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 5), members), max_size=5), min_size=1, max_size=4),
    st.sampled_from(["", "", "", "\n", " "]),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_any_mixture_gives_the_same_rows(made, end, as_lines):
    head, seam, tail = ("", "\n", "") if as_lines else ('{"Records":[', ",", "]}")
    texts = [head + seam.join(spelled(n, extra) for n, extra in one) + tail + end for one in made]
    agree([text.encode("utf-8", "surrogatepass") for text in texts])


def test_sample_incident():
    files = [path.read_bytes() for path in sorted((SAMPLE / "aws" / "AWSLogs").rglob("*.json.gz"))]
    assert agree(files, 100) > len(files) // 2


@pytest.mark.parametrize(
    "name", ["SANS-504-S3-ransomware-lab", "stratus-red-team", "permiso", "otrf", "trailscraper", "traildiscover"]
)
def test_real_logs(name):
    paths = sorted(p for p in shared_data(name).rglob("*") if p.suffix in (".json", ".gz", ".jsonl") and p.is_file())
    agree([p.read_bytes() for p in paths if p.stat().st_size < 3_000_000][:60], MANY)


def test_whole_cases_are_equal(tmp_path: Path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(5):
        (logs / f"{number}.json.gz").write_bytes(gzip.compress(delivery([event(number), event(number + 1)]), mtime=0))
    found = []
    for careful in (False, True):
        base = tmp_path / str(careful)
        base.mkdir()
        case = new_case(base)
        ingest(case, [logs], IngestOptions(careful=careful))
        connection = case.reader()
        found.append({t: r for t, r in rows(connection).items() if t != "meta"})
        connection.close()
    assert found[0] == found[1]
