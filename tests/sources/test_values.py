"""The values that formats share: masked keys, exact money, whole numbers, stretches and natural keys."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.model.buckets import Bucket, natural_key, says_more
from forensics.model.fields import compact, count, flag, moment, plain
from forensics.model.masking import mask_keys
from forensics.model.money import read_money
from forensics.model.stretches import merge, span

BODY = "Ab3dEf9hIj" * 5


def at(hour: int) -> datetime:
    return datetime.fromisoformat(f"2026-11-14T{hour:02d}:00")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"sk-proj-{BODY}WXYZ", "sk-proj-...WXYZ"),
        (f"key=sk-ant-api03-{BODY}WXYZ!", "key=sk-ant-api03-...WXYZ!"),
        (f"sk-or-v1-{BODY}WXYZ", "sk-or-v1-...WXYZ"),
        (f"sk-{BODY}WXYZ", "sk-...WXYZ"),
        (f"Authorization: Bearer {BODY}WXYZ", "Authorization: Bearer ...WXYZ"),
        (f"bedrock-api-key-{BODY}WXYZ", "bedrock-api-key-...WXYZ"),
        (f"ABSK{BODY}WXYZ==", "ABSK...WXYZ"),
        (f"gsk_{BODY}WXYZ and hf_{BODY}1234", "gsk_...WXYZ and hf_...1234"),
    ],
)
def test_key_material_keeps_prefix_and_last_four(text: str, masked: str) -> None:
    assert mask_keys(text) == masked
    assert mask_keys(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-...f2Kd",
        "sk-ant-api03-R2D...igAA",
        "key_9QxT",
        "apikey_01Rj2N8SVvo6BePZj99NhmiT",
        "AKIACIDEPLOY2LEAK777",
        "risk-assessment-service-production",
        "prod/customers/brindlewick/openai",
        "basic research",
        "arn:aws:sts::111122223333:assumed-role/release-admin/release-4471",
    ],
)
def test_ids_hints_and_names_stay(text: str) -> None:
    assert mask_keys(text) == text


def test_raw_is_compact_sorted_and_without_content() -> None:
    value = {
        "b": Decimal("1.50"),
        "a": {"messages": ["x"], "Prompt": "y", "kept": None, "n": 2},
        "authorization": "abcdefghijkl1234",
        "gone": {"used": 1},
        "list": [{"content": "z"}, None],
    }
    text = compact(value, {("gone", "used")})
    assert text == '{"a":{"n":2},"authorization":"...1234","b":"1.50","list":[{},null]}'


def test_raw_of_a_very_deep_value_is_cut_and_not_refused() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert "[nested deeper]" in compact({"deep": deep})


def test_text_is_storable_whatever_it_holds() -> None:
    assert plain("a\ud800b") == "a\\ud800b"
    assert plain(10**4000) == f"[integer of {(10**4000).bit_length()} bits]"
    assert (plain(True), plain(""), plain("  "), plain([]), plain({})) == ("true", None, None, None, None)
    assert plain(Decimal("1E+999999999")) == "1E+999999999"
    assert plain(Decimal("2.5E+3")) == "2500"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        ("3.0", 3),
        (Decimal("3.0"), 3),
        (Decimal("3E+2"), 300),
        (" 7 ", 7),
        (-1, -1),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (Decimal("3.5"), None),
        (True, None),
        ("", None),
        ("٣", None),
        (Decimal("1E+999999"), None),
        pytest.param(10**4000, None, id="huge"),
    ],
)
def test_whole_numbers(value: Any, number: int | None) -> None:
    assert count(value) == number


def test_booleans_and_times() -> None:
    assert [flag(v) for v in (True, "False", "yes", 1, None)] == [True, False, None, None, None]
    assert moment(1794614400) == datetime.fromisoformat("2026-11-14")
    assert moment(Decimal("1794614400.5")) == datetime.fromisoformat("2026-11-14T00:00:00.500000")
    assert [moment(v) for v in (True, None, {}, "x" * 1000, 5)] == [None] * 5


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=12))
def test_money_of_twelve_places_is_exact_and_cents_are_hundredths(amount: Decimal) -> None:
    assert read_money(str(amount)) == amount
    cents = read_money(amount, minor_digits=2)
    assert cents is not None
    assert abs(cents * 100 - amount) <= Decimal("5E-11")


@pytest.mark.parametrize("value", [None, True, [], {}, "", "a", "NaN", "-inf", "1e16", 10**16, 10**4000, "1_0x"])
def test_what_is_no_money_is_none(value: Any) -> None:
    assert read_money(value) is None


hours = st.integers(0, 20)
stretches = st.lists(st.tuples(hours, hours).map(lambda pair: (at(pair[0]), at(pair[1]))))


@given(stretches)
def test_merged_stretches_hold_the_same_hours_and_never_touch(
    given_stretches: list[tuple[datetime, datetime]],
) -> None:
    def held(parts: list[tuple[datetime, datetime]]) -> set[int]:
        return {hour for start, end in parts for hour in range(start.hour, end.hour)}

    joined = merge(given_stretches)
    assert held(joined) == held(given_stretches)
    assert all(left[1] < right[0] for left, right in pairwise(joined))


def test_the_span_of_events_ends_just_after_the_last() -> None:
    assert span([]) is None
    assert span([at(3), at(1)]) == (at(1), at(3).replace(microsecond=1))


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(alphabet="|\\=ab", max_size=4)))
def test_different_dimensions_never_share_a_natural_key(dimensions: dict[str, str]) -> None:
    bucket = Bucket(at(1), at(2))
    other = {**dimensions, "a": dimensions.get("a", "") + "|"}
    assert natural_key("chat", bucket, dimensions) != natural_key("chat", bucket, other)


def test_only_a_clear_sign_says_that_more_follows() -> None:
    assert says_more([{"has_more": True}])
    assert says_more([{"next_page": "p"}])
    assert not says_more([{"has_more": True}, {"has_more": False, "next_page": None}])
    assert not says_more([])
    assert not says_more([{"has_more": json.loads("{}")}])


@pytest.mark.parametrize(
    "page",
    [
        {"nextPageToken": "t"},
        {"next_page_token": "t"},
        {"nextLink": "https://next.example.com"},
        {"@odata.nextLink": "https://next.example.com"},
        {"NextToken": "t"},
        {"nextToken": "t"},
        {"result_info": {"page": 1, "per_page": 20, "count": 20, "total_count": 21}},
        {"result_info": {"page": 1, "total_pages": 2}},
        {"meta": {"page": 1, "limit": 50, "totalItems": 90, "totalPages": 2}},
        {"total": 3},
    ],
)
def test_every_way_of_naming_a_next_page_is_known(page: dict[str, Any]) -> None:
    assert says_more([page], held=2)
    done = {name: None if isinstance(value, str) else value for name, value in page.items()}
    done |= {"total": 2} if "total" in page else {}
    for place in ("result_info", "meta"):
        if place in page:
            done[place] = page[place] | {"page": 2}
    assert not says_more([done], held=2)


def test_a_total_of_records_is_not_judged_over_several_pages() -> None:
    assert not says_more([{"total": 3}, {"total": 3}], held=2)
    assert not says_more([{"total": "many"}], held=2)
    assert not says_more([{"total": 3}])
