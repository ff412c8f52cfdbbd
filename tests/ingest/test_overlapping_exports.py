"""Exports that overlap, read as files by whole runs of ingest in either order: each figure uses exactly one of them."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from forensics.ingest.run import IngestOptions, ingest
from tests.building import new_case

DAY, HOUR = 86_400, 3_600
START = 1_794_614_400  # 2026-11-14T00:00:00Z
BOTH = pytest.mark.parametrize("order", list(itertools.permutations(range(2))), ids=["as listed", "the other way"])


def page(width: int, count: int, **changes: Any) -> bytes:
    """A page of OpenAI's usage: as many buckets, each with requests and tokens in proportion to its width."""
    share = width // HOUR
    result = {
        "object": "organization.usage.completions.result", "input_tokens": 10 * share, "input_cached_tokens": 0,
        "output_tokens": 5 * share, "num_model_requests": share, "project_id": None, "user_id": None,
        "api_key_id": "key_Lant1", "model": None, "batch": None, "service_tier": None, **changes,
    }  # fmt: skip
    starts = [START + n * width for n in range(count)]
    buckets = [{"object": "bucket", "start_time": at, "end_time": at + width, "results": [result]} for at in starts]
    return json.dumps({"object": "page", "data": buckets, "has_more": False, "next_page": None}).encode()


def download(hours: int) -> bytes:
    """The dashboard's activity file of the same use, by the hour."""
    head = "start_time,end_time,start_time_iso,end_time_iso,num_model_requests,api_key_id,input_tokens,output_tokens\n"
    lines = [
        f"{START + n * HOUR},{START + (n + 1) * HOUR},2026-11-14T{n:02d}:00:00+00:00,2026-11-14T{n:02d}:59:59+00:00,1.0,key_Lant1,10,5\n"
        for n in range(hours)
    ]
    return (head + "".join(lines)).encode()


def console(tokens: int) -> bytes:
    """A day of the Anthropic Console, which names keys and no ids."""
    head = (
        "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
        "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
        "usage_output_tokens,web_search_count,inference_geo,speed\n"
    )
    return f"{head}2026-11-14,claude-opus-4-5,prod,Default,standard,,1,0,0,0,{tokens},0,global,\n".encode()


def read(folder: Path, *files: tuple[str, bytes, str]) -> Any:
    """Ingest each (name, bytes, owner) in a run of its own, and return a question to the store."""
    case = new_case(folder)
    for name, data, owner in files:
        place = folder / f"{owner}-{name}"
        place.write_bytes(data)
        assert ingest(case, [place], IngestOptions(owner=owner, copy=False)).accepted == 1

    def ask(sql: str) -> list[tuple[Any, ...]]:
        with case.writer("test") as connection:
            return list(connection.execute(sql).fetchall())

    return ask


BILLED = "SELECT count(*), sum(amount) FROM ai_cost_current"
USE = "SELECT owner, sum(requests), sum(tokens) FROM key_usage GROUP BY owner ORDER BY owner"


@BOTH
def test_hourly_and_daily_exports_of_a_day_are_one_use(tmp_path: Path, order: tuple[int, ...]) -> None:
    files = [("hours.json", page(HOUR, 24), "Lantmark"), ("day.json", page(DAY, 1), "Lantmark")]
    ask = read(tmp_path, *(files[n] for n in order))
    assert ask("SELECT count(*) FROM ai_usage") == [(25,)]
    assert ask(USE) == [("Lantmark", 24, 360)]
    assert ask("SELECT DISTINCT granularity_s FROM key_usage") == [(HOUR,)]


@BOTH
def test_exports_by_key_and_by_model_are_one_use(tmp_path: Path, order: tuple[int, ...]) -> None:
    by_model = page(HOUR, 24, api_key_id=None, model="gpt-5-2025-08-07")
    files = [("keys.json", page(HOUR, 24), "Lantmark"), ("models.json", by_model, "Lantmark")]
    ask = read(tmp_path, *(files[n] for n in order))
    assert ask("SELECT count(*) FROM ai_usage") == [(48,)]
    assert ask(USE) == [("Lantmark", 24, 360)]


@BOTH
def test_a_download_and_pages_of_the_same_day_are_one_use(tmp_path: Path, order: tuple[int, ...]) -> None:
    files = [("pages.json", page(HOUR, 24), "Lantmark"), ("activity.csv", download(24), "Lantmark")]
    ask = read(tmp_path, *(files[n] for n in order))
    assert ask("SELECT count(*), count(DISTINCT source_id) FROM ai_usage") == [(48, 2)]
    assert ask(USE) == [("Lantmark", 24, 360)]


def test_the_final_export_of_a_day_stands_for_the_partial_one_and_the_difference_is_shown(tmp_path: Path) -> None:
    ask = read(tmp_path, ("part.csv", console(400), "Lantmark"), ("whole.csv", console(900), "Lantmark"))
    assert ask("SELECT output_tokens FROM ai_usage_current") == [(900,)]
    assert ask("SELECT measure, earlier, later, difference FROM ai_usage_superseded") == [
        ("output_tokens", 400, 900, 500)
    ]


INVENTORY = b"""customer,provider,provider_key_id,key_name,location
Lantmark,anthropic,apikey_Lant,prod,
Brindlewick,anthropic,apikey_Brin,prod,
"""


def test_identical_files_of_two_customers_whose_keys_are_both_called_prod_stay_two(tmp_path: Path) -> None:
    files = [("usage.csv", console(400), owner) for owner in ("Lantmark", "Brindlewick")]
    ask = read(tmp_path, ("keys.csv", INVENTORY, "Vendor"), *files)
    assert ask("SELECT owner, key_name, output_tokens FROM ai_usage_current ORDER BY owner") == [
        ("Brindlewick", "prod", 400),
        ("Lantmark", "prod", 400),
    ]
    assert ask("SELECT key_id, sum(tokens) FROM key_usage GROUP BY ALL ORDER BY ALL") == [
        ("apikey_Brin", 401),
        ("apikey_Lant", 401),
    ]
    assert ask("SELECT count(*) FROM ai_usage_superseded") == [(0,)]
    assert ask("SELECT count(*), count(DISTINCT file_sha256) FROM receipt") == [(3, 2)]


def openai_costs(*billed: tuple[str, float]) -> bytes:
    """A day of OpenAI's costs of one key, by line item."""
    results = [
        {
            "object": "organization.costs.result", "amount": {"value": amount, "currency": "usd"}, "line_item": item,
            "project_id": "proj_Lant", "api_key_id": "key_Lant1", "user_id": None, "quantity": None,
        }
        for item, amount in billed
    ]  # fmt: skip
    bucket = {"object": "bucket", "start_time": START, "end_time": START + DAY, "results": results}
    return json.dumps({"object": "page", "data": [bucket], "has_more": False, "next_page": None}).encode()


def openai_download(item: str) -> bytes:
    head = "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,api_key_id\n"
    return f'{head}{START},{START + DAY},x,y,2.5,usd,"{item}",key_Lant1\n'.encode()


@BOTH
@pytest.mark.parametrize("export", [lambda item: openai_costs((item, 2.5)), openai_download], ids=["page", "download"])
@pytest.mark.parametrize(
    ("older", "newer"), [("gpt-5, input", "gpt-5, input_tokens"), ("gpt-5, cached input", "gpt-5, cached_input_tokens")]
)
def test_a_line_item_in_its_older_and_newer_spelling_is_one_cost(
    tmp_path: Path, export: Any, older: str, newer: str, order: tuple[int, ...]
) -> None:
    files = [("older", export(older), "Tarnhaven"), ("newer", export(newer), "Tarnhaven")]
    ask = read(tmp_path, *(files[n] for n in order))
    assert ask(BILLED) == [(1, Decimal("2.5"))]


def test_both_spellings_in_one_file_are_two_costs(tmp_path: Path) -> None:
    case = new_case(tmp_path)
    (tmp_path / "costs.json").write_bytes(openai_costs(("gpt-5, input_tokens", 2.5), ("gpt-5, input", 1.0)))
    ingest(case, [tmp_path / "costs.json"], IngestOptions(owner="Tarnhaven", copy=False))
    with case.writer("test") as connection:
        assert connection.execute(BILLED).fetchall() == [(2, Decimal("3.5"))]


def aws_report(account: str, **more: str) -> bytes:
    """A line of a cost and usage report; `more` are columns that its settings added."""
    line = {
        "line_item_product_code": "AmazonBedrock", "line_item_usage_type": "USE1-Claude4.6Sonnet-input-tokens",
        "line_item_operation": "InvokeModel", "line_item_unblended_cost": "2.5", "line_item_currency_code": "USD",
        "line_item_usage_start_date": "2026-11-14T02:00:00Z", "line_item_usage_end_date": "2026-11-14T03:00:00Z",
        "line_item_usage_account_id": account, "line_item_line_item_type": "Usage", "line_item_usage_amount": "1", **more,
    }  # fmt: skip
    return f"{','.join(line)}\n{','.join(line.values())}\n".encode()


def google_export(**more: object) -> bytes:
    line = {
        "billing_account_id": "b", "service": {"description": "Vertex AI"}, "sku": {"id": "k", "description": "Input"},
        "usage_start_time": "2026-11-14 02:00:00 UTC", "usage_end_time": "2026-11-14 03:00:00 UTC",
        "project": {"id": "p"}, "cost": 2.5, "currency": "USD", **more,
    }  # fmt: skip
    return json.dumps(line).encode()


def azure_export(**more: str) -> bytes:
    line = {
        "Date": "11/14/2026", "MeterCategory": "Azure OpenAI", "MeterName": "gpt-4o Inp Tokens", "Quantity": "1",
        "CostInBillingCurrency": "2.5", "BillingCurrency": "USD", "ResourceId": "/sub/a", "SubscriptionId": "s", **more,
    }  # fmt: skip
    return f"{','.join(line)}\n{','.join(line.values())}\n".encode()


@BOTH
@pytest.mark.parametrize(
    ("plain", "detailed"),
    [
        (aws_report("111122223333"), aws_report("111122223333", line_item_iam_principal="arn:aws:iam::1:user/x")),
        (aws_report("111122223333"), aws_report("111122223333", line_item_resource_id="")),
        (google_export(), google_export(resource={"name": "projects/p/x"})),
        (azure_export(), azure_export(ChargeType="Usage", PricingModel="OnDemand")),
    ],
    ids=["aws with principals", "aws with resources", "google", "azure"],
)
def test_cloud_costs_reported_again_in_more_detail_are_one_cost(
    tmp_path: Path, plain: bytes, detailed: bytes, order: tuple[int, ...]
) -> None:
    files = [("plain", plain, "Tarnhaven"), ("detailed", detailed, "Tarnhaven")]
    ask = read(tmp_path, *(files[n] for n in order))
    assert ask("SELECT count(*) FROM ai_cost") == [(2,)]
    assert ask(BILLED) == [(1, Decimal("2.5"))]
    assert ask("SELECT file_sha256 FROM ai_cost_current") == [(sha256(detailed).hexdigest(),)]


@BOTH
def test_parts_of_one_report_and_reports_of_two_accounts_are_all_costs(tmp_path: Path, order: tuple[int, ...]) -> None:
    first = aws_report("111122223333", line_item_iam_principal="")
    second = aws_report("111122223333", line_item_iam_principal="arn:aws:iam::1:user/x")
    other = aws_report("444455556666")
    files = [("first", first, "Tarnhaven"), ("second", second, "Tarnhaven"), ("other", other, "Tarnhaven")]
    ask = read(tmp_path, *(files[n] for n in order), files[2])
    assert ask(BILLED) == [(3, Decimal("7.5"))]
