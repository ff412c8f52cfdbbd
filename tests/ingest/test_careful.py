"""The careful reader: exact slices, no lost neighbour, no foreign exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.ingest.careful import MAX_DEPTH, Walker, depth_of, parse
from forensics.ingest.probe import probe_text
from forensics.ingest.rows import csv_records

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def read(text: str, path: tuple[str, ...]):
    walker = Walker(text, path)
    return list(walker.records()), walker.outline


@given(st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=4), max_size=8), st.booleans())
@settings(max_examples=150, deadline=None)
def test_slices_are_the_records(records, pretty):
    text = json.dumps({"a": 1, "Records": records, "z": [2]}, indent=2 if pretty else None, ensure_ascii=False)
    pieces, outline = read(text, ("Records",))
    assert [p.value for p in pieces] == records
    assert all(json.loads(text[p.start : p.end]) == r for p, r in zip(pieces, records, strict=True))
    assert outline.envelopes == [{"a": 1}]


@given(
    st.text(max_size=300),
    st.sampled_from([(), ("Records",), ("data", "results"), ("Events", "CloudTrailEvent")]),
)
@settings(max_examples=300, deadline=None)
def test_any_text_gives_slices_not_exceptions(text, path):
    pieces, _ = read(text, path)
    assert all(0 <= p.start <= p.end <= len(text) for p in pieces)
    probe_text(text)
    list(csv_records(text))


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6), st.data())
@settings(max_examples=100, deadline=None)
def test_a_cut_loses_only_what_is_behind_it(numbers, data):
    text = json.dumps({"Records": [{"n": n} for n in numbers]})
    cut = data.draw(st.integers(12, len(text) - 1))
    pieces, _ = read(text[:cut], ("Records",))
    whole = [p for p in pieces if not p.fault]
    complete = text[:cut].count("}") - (1 if cut == len(text) else 0)
    assert [p.value["n"] for p in whole] == numbers[: min(complete, len(numbers))]
    assert any(p.fault for p in pieces)


def test_a_broken_record_leaves_its_neighbours():
    pieces, _ = read('{"Records":[{"a":1},{"a":NaN},{"a":{"b":[1,}},{"a":2}]}', ("Records",))
    assert [p.value for p in pieces if not p.fault] == [{"a": 1}, {"a": 2}]
    assert len([p for p in pieces if p.fault]) == 2


def test_depth_bomb_is_one_defect():
    bomb = "[" * 100_000 + "]" * 100_000
    pieces, _ = read('[{"x":' + bomb + '},{"a":1}]', ())
    assert [(p.value, bool(p.fault)) for p in pieces] == [(None, True), ({"a": 1}, False)]
    nested = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    value, _, fault, _ = parse(nested, 0)
    assert not fault and depth_of(value) == MAX_DEPTH
    assert parse("[" + nested + "]", 0)[2]


def test_pages_give_contexts_and_empty_buckets():
    text = '{"data":[{"end":5,"results":[{"n":1}],"start":1},{"start":6,"results":[]}],"has_more":true}'
    pieces, outline = read(text, ("data", "results"))
    assert pieces[0].contexts == ({"has_more": True}, {"end": 5, "start": 1})
    assert outline.contexts == [{"end": 5, "start": 1}, {"start": 6}]


def test_text_inside_a_record_has_a_pointer():
    inner = json.dumps({"eventName": "X"})
    pieces, _ = read(
        json.dumps({"Events": [{"EventId": "1", "CloudTrailEvent": inner}]}), ("Events", "CloudTrailEvent")
    )
    assert (pieces[0].inner, pieces[0].pointer, pieces[0].value) == (
        inner,
        "/CloudTrailEvent",
        {"eventName": "X"},
    )


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('{"a":1}', "json"),
        ('{"a":1}\n{"a":2}', "ndjson"),
        ("a,b\n1,2", "csv"),
        ("hello", "text"),
        ("", "empty"),
        ("[case]\nid=1", "text"),
        ("\ufeff{}", "json"),
    ],
)
def test_form_is_told_from_content(text, form):
    assert probe_text(text).form == form


def test_csv_keeps_quoted_line_ends_and_counts_extra_fields():
    text = 'a,b\n1,"x\ny"\n1,2,3\n4,5\n'
    rows = list(csv_records(text))
    assert [r.value for r in rows] == [{"a": "1", "b": "x\ny"}, None, {"a": "4", "b": "5"}]
    assert text[rows[0].start : rows[0].end] == '1,"x\ny"\n'
    assert rows[1].fault
