"""Usage of OpenAI: units, bounds, grouping, coverage, and the forms in which exports come."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.sources.building import claimants, read_json, rows

HOUR = 3600
START = 1794614400  # 2026-11-14T00:00:00Z


def result(**changes: Any) -> dict[str, Any]:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": 900,
        "input_cached_tokens": 250,
        "input_uncached_tokens": 600,
        "input_cache_write_tokens": 50,
        "output_tokens": 120,
        "num_model_requests": 7,
        "project_id": "proj_Lant",
        "user_id": None,
        "api_key_id": "key_Lant1",
        "model": "gpt-5-2025-08-07",
        "batch": False,
        "service_tier": "default",
        "input_audio_tokens": 3,
        **changes,
    }


def bucket(hour: int, *results: dict[str, Any], width: int = HOUR, spelt: str = "results") -> dict[str, Any]:
    start = START + hour * width
    return {"object": "bucket", "start_time": start, "end_time": start + width, spelt: list(results)}


def page(*buckets: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {
        "object": "page",
        "data": list(buckets),
        "has_more": more,
        "next_page": "page_2" if more else None,
    }


def test_a_result_becomes_a_row_with_exact_values() -> None:
    source, reading = read_json(page(bucket(2, result())))
    assert source == "openai_usage"
    (row,) = rows(reading)
    assert row == {
        "provider": "openai",
        "bucket_start": datetime.fromisoformat("2026-11-14T02:00:00"),
        "bucket_end": datetime.fromisoformat("2026-11-14T03:00:00"),
        "granularity_s": 3600,
        "endpoint": "chat",
        "project_id": "proj_Lant",
        "workspace_id": None,
        "key_id": "key_Lant1",
        "key_name": None,
        "user_id": None,
        "model": "gpt-5-2025-08-07",
        "service_tier": "default",
        "is_batch": False,
        "requests": 7,
        "input_tokens_total": 900,
        "input_tokens_uncached": 600,
        "cache_read_tokens": 250,
        "cache_write_tokens": 50,
        "output_tokens": 120,
        "other_quantity": None,
        "other_unit": None,
        "grouped_by": "api_key_id,batch,model,project_id,service_tier",
        "raw": '{"input_audio_tokens":3}',
    }
    assert reading.notes == []


def test_input_tokens_hold_cached_ones_so_the_uncached_rest_is_computed() -> None:
    (row,) = rows(read_json(page(bucket(0, result(input_uncached_tokens=None))))[1])
    assert (row["input_tokens_total"], row["input_tokens_uncached"]) == (900, 600)


def test_parts_that_do_not_add_up_are_said() -> None:
    reading = read_json(page(bucket(0, result(input_uncached_tokens=601))))[1]
    assert "not the sum" in reading.notes[0]
    assert rows(reading)[0]["input_tokens_total"] == 900


def test_the_natural_key_names_the_row_but_no_measure() -> None:
    first = read_json(page(bucket(0, result())))[1].answers[0].native_id
    later = read_json(page(bucket(0, result(output_tokens=5000, num_model_requests=90))))[1].answers[0].native_id
    other = read_json(page(bucket(0, result(model="gpt-5|mini"))))[1].answers[0].native_id
    assert first == later
    assert first.startswith("chat|2026-11-14T00:00:00Z|3600|api_key_id=key_Lant1|batch=false|")
    assert "model=gpt-5\\|mini" in other


def test_a_count_written_as_text_names_no_row() -> None:
    written = [{"input_tokens": "900.0", "input_text_tokens": "5", "num_model_requests": n} for n in ("7", "8")]
    keys = set()
    for changes in written:
        _, reading = read_json(page(bucket(0, result(**changes))))
        (answer,) = reading.answers
        assert answer.row is not None
        assert (answer.row["input_tokens_total"], answer.row["requests"]) == (900, int(changes["num_model_requests"]))
        assert answer.row["grouped_by"] == "api_key_id,batch,model,project_id,service_tier"
        keys.add(answer.native_id)
    assert len(keys) == 1


def test_sessions_of_the_code_interpreter_are_read_in_both_spellings() -> None:
    name = "organization.usage.code_interpreter_sessions.result"
    for spelt in ("num_sessions", "sessions"):
        _, reading = read_json(page(bucket(0, {"object": name, spelt: 12, "project_id": "proj_Lant"})))
        (row,) = rows(reading)
        assert (row["other_quantity"], row["other_unit"], row["endpoint"]) == (12, "sessions", "code_interpreter")


def test_results_that_differ_in_an_unknown_dimension_have_different_keys() -> None:
    pair = [result(api_source=source) for source in ("agents_api", "unlabeled")]
    reading = read_json(page(bucket(0, *pair)))[1]
    assert len({answer.native_id for answer in reading.answers}) == 2
    assert rows(reading)[0]["grouped_by"].startswith("api_key_id,api_source,")


@pytest.mark.parametrize(
    ("name", "measures", "endpoint", "expected"),
    [
        ("embeddings", {"input_tokens": 16, "num_model_requests": 2}, "embeddings", (2, 16, None, None)),
        ("moderations", {"input_tokens": 9, "num_model_requests": 1}, "moderations", (1, 9, None, None)),
        ("images", {"images": 4, "num_model_requests": 2}, "images", (2, None, 4, "images")),
        ("audio_speeches", {"characters": 45, "num_model_requests": 1}, "tts", (1, None, 45, "characters")),
        ("audio_transcriptions", {"seconds": 20, "num_model_requests": 1}, "stt", (1, None, 20, "seconds")),
        ("vector_stores", {"usage_bytes": 1024}, "vector_store", (None, None, 1024, "bytes")),
        ("code_interpreter_sessions", {"num_sessions": 3}, "code_interpreter", (None, None, 3, "sessions")),
        ("file_searches", {"num_requests": 5}, "file_search", (5, None, None, None)),
        (
            "web_searches",
            {"num_requests": 6, "num_model_requests": 4},
            "web_search",
            (4, None, 6, "searches"),
        ),
        ("web_searches", {"num_requests": 6}, "web_search", (6, None, 6, "searches")),
        ("something_new", {"input_tokens": 1}, "something_new", (None, 1, None, None)),
    ],
)
def test_every_endpoint_fills_its_own_columns(
    name: str, measures: dict[str, int], endpoint: str, expected: tuple[Any, ...]
) -> None:
    reading = read_json(
        page(bucket(0, {"object": f"organization.usage.{name}.result", "project_id": "p", **measures}))
    )[1]
    (row,) = rows(reading)
    assert row["endpoint"] == endpoint
    assert tuple(row[c] for c in ("requests", "input_tokens_total", "other_quantity", "other_unit")) == expected
    if endpoint in ("vector_store", "code_interpreter"):
        assert not reading.notes
    else:
        assert reading.notes == [f"{endpoint}: not grouped by API key"]


def forms() -> list[Any]:
    one, two = bucket(0, result()), bucket(1, result(api_key_id="key_Lant2"))
    flat = [{**r, "start_time": b["start_time"], "end_time": b["end_time"]} for b in (one, two) for r in b["results"]]
    return [
        pytest.param([page(one, two)], id="page"),
        pytest.param([[page(one), page(two)]], id="array of pages"),
        pytest.param([page(one), page(two)], id="lines of pages"),
        pytest.param([one, two], id="lines of buckets"),
        pytest.param([[one, two]], id="array of buckets"),
        pytest.param(flat, id="lines of results"),
        pytest.param([flat], id="array of results"),
        pytest.param([page(bucket(0, result(), spelt="result"), bucket(1, result(), spelt="result"))], id="result"),
        pytest.param([bucket(0, result(), spelt="result"), bucket(1, result(), spelt="result")], id="result lines"),
        pytest.param([page(bucket(-1), one, two)], id="first bucket empty"),
        pytest.param([bucket(-1), one, two], id="first bucket of lines empty"),
        pytest.param([page(), page(one, two)], id="first page empty"),
        pytest.param([page(*(bucket(-n) for n in range(90, 0, -1)), one, two)], id="long empty lead, hourly"),
    ]


@pytest.mark.parametrize("values", forms())
def test_all_forms_give_the_same_rows(values: list[Any]) -> None:
    source, reading = read_json(*values)
    assert source == "openai_usage"
    assert [row["bucket_start"].hour for row in rows(reading)] == [0, 1]
    assert {row["granularity_s"] for row in rows(reading)} == {3600}


def test_contiguous_buckets_are_one_stretch_also_where_they_are_empty() -> None:
    reading = read_json(page(bucket(0), bucket(1, result()), bucket(2), bucket(5)))[1]
    assert [(row["covered_from"].hour, row["covered_until"].hour) for row in reading.coverage] == [
        (0, 3),
        (5, 6),
    ]
    assert reading.coverage[0]["endpoint"] == "chat"
    assert reading.coverage[0]["granularity_s"] == 3600
    assert reading.coverage[0]["truncated"] is False


def test_only_the_last_page_tells_that_an_export_is_cut() -> None:
    whole = read_json([page(bucket(0, result()), more=True), page(bucket(1, result()))])[1]
    cut = read_json([page(bucket(0, result())), page(bucket(1, result()), more=True)])[1]
    assert [row["truncated"] for row in whole.coverage] == [False]
    assert [row["truncated"] for row in cut.coverage] == [True]
    assert any(note.startswith("truncated") for note in cut.notes)


def test_a_bucket_still_open_at_receipt_proves_no_absence() -> None:
    received = datetime.fromisoformat("2026-11-14T01:30:00")
    reading = read_json(page(bucket(0, result()), bucket(1, result())), received_at=received)[1]
    assert len(rows(reading)) == 2
    assert [row["covered_until"].hour for row in reading.coverage] == [1]
    assert "chat: buckets still open at receipt prove nothing about absence" in reading.notes


def test_without_any_result_nothing_is_shown_to_be_zero() -> None:
    source, reading = read_json(page(bucket(0), bucket(1)))
    assert source == "openai_usage"
    assert reading.coverage == []
    assert "the endpoint cannot be told" in reading.notes[0]


def test_empty_buckets_of_several_endpoints_count_for_none() -> None:
    images = {"object": "organization.usage.images.result", "images": 1, "num_model_requests": 1}
    reading = read_json(page(bucket(0, result()), bucket(1)), page(bucket(0), bucket(1, images)))[1]
    assert [(r["endpoint"], r["covered_from"].hour, r["covered_until"].hour) for r in reading.coverage] == [
        ("chat", 0, 1),
        ("images", 1, 2),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input_tokens": "many"}, "input_tokens is not a whole number"),
        ({"output_tokens": 1.5}, "output_tokens is not a whole number"),
        ({"object": "organization.costs.result"}, "not a result of a usage endpoint"),
    ],
)
def test_what_cannot_be_counted_is_a_defect_and_its_neighbour_is_read(changes: dict[str, Any], reason: str) -> None:
    reading = read_json(page(bucket(0, result(), result(**changes))))[1]
    assert [answer.defect for answer in reading.answers] == ["", reason]


def test_whole_numbers_may_be_written_with_a_fraction() -> None:
    (row,) = rows(read_json(page(bucket(0, result(num_model_requests=3.0))))[1])
    assert row["requests"] == 3


def test_costs_in_the_same_envelope_are_left_to_their_format() -> None:
    cost = {"object": "organization.costs.result", "amount": {"value": 1.5, "currency": "usd"}}
    assert claimants(json.dumps(page(bucket(0, cost)))) == ["openai_costs"]
    assert claimants(json.dumps(page(bucket(-1, width=86400), bucket(0, cost, width=86400)))) == ["openai_costs"]
