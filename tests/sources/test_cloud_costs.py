"""Bills of the clouds: rows of AI services alone, money in units, quantities never taken for tokens."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_text, read_values
from tests.stores import new_store

AZURE_HEAD = "Date,MeterCategory,MeterSubCategory,MeterName,UnitOfMeasure,Quantity,CostInBillingCurrency,BillingCurrency,ResourceId,SubscriptionId,ConsumedService"
AZURE = (
    "11/04/2026,Cognitive Services,Azure OpenAI,gpt 4o Inp glbl Tokens,1K Tokens,18.211,0.0455275,eur,/r/a,s-1,Microsoft.CognitiveServices",
    "11/04/2026,Storage,Tables,Writes,10K,2,0.1,EUR,/r/store,s-1,Microsoft.Storage",
)
TYPES = {
    "USE1-Claude4.6Sonnet-input-tokens": ("Claude4.6Sonnet", "input"),
    "USE1-Claude4.6Sonnet-output-tokens": ("Claude4.6Sonnet", "output"),
    "EUW3-Nova-Pro-cache-read-input-token-count": ("Nova-Pro", "cache_read"),
    "USW2-Claude4.6Sonnet-cache-write-input-token-count": ("Claude4.6Sonnet", "cache_write"),
    "USE1-Claude4.6Sonnet-mantle-input-tokens-standard": ("Claude4.6Sonnet", "input"),
    "USE1-ProvisionedThroughput": (None, None),
}
PRINCIPAL = "arn:aws:iam::111122223333:user/BedrockAPIKey-234s"
CUR = (
    "line_item_usage_start_date,line_item_usage_end_date,line_item_product_code,line_item_usage_type,line_item_operation,"
    "line_item_usage_amount,line_item_unblended_cost,line_item_currency_code,line_item_usage_account_id,"
    "line_item_line_item_type,line_item_iam_principal,product_product_name"
)
CLASSIC = (
    "lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,lineItem/UsageType,lineItem/Operation,"
    "lineItem/UsageAmount,lineItem/UnblendedCost,lineItem/CurrencyCode,lineItem/UsageAccountId,lineItem/LineItemType,"
    "lineItem/IamPrincipal,product/ProductName"
)


def line(
    usage: str = "USE1-Claude4.6Sonnet-input-tokens", code: str = "AmazonBedrock", name: str = "Amazon Bedrock"
) -> str:
    hour = "2026-11-14T02:00:00Z,2026-11-14T03:00:00Z"
    return f"{hour},{code},{usage},InvokeModel,18.211,0.0546330001,USD,111122223333,Usage,{PRINCIPAL},{name}"


def test_azure_reads_ai_meters_month_first() -> None:
    source, reading = read_text("\r\n".join((AZURE_HEAD, *AZURE)))
    assert source == "azure_cost"
    first, second = reading.answers
    assert second.out_of_scope == "costs of other services are not read"
    assert first.row is not None
    assert (first.row["period_start"], first.row["period_end"]) == (
        datetime.fromisoformat("2026-11-04"),
        datetime.fromisoformat("2026-11-05"),
    )
    assert (first.row["amount"], first.row["currency"]) == (Decimal("0.045527500000"), "EUR")
    assert (first.row["line_item"], first.row["token_type"]) == ("gpt 4o Inp glbl Tokens", "input")
    raw = json.loads(first.row["raw"])
    assert (raw["Quantity"], raw["UnitOfMeasure"]) == ("18.211", "1K Tokens")  # thousands, not tokens


@pytest.mark.parametrize("broken", [AZURE[0].replace("11/04", "31/12"), AZURE[0].replace("0.0455275", "free")])
def test_azure_rows_without_date_or_cost_are_defects(broken: str) -> None:
    assert read_text(f"{AZURE_HEAD}\n{broken}\n")[1].answers[0].defect


@pytest.mark.parametrize("header", [CUR, CLASSIC, CLASSIC.lower()])
def test_both_generations_of_the_cost_and_usage_report_are_read(header: str) -> None:
    source, reading = read_text("\n".join((header, line(), line("BoxUsage:t3.micro", "AmazonEC2", "EC2"))))
    assert source == "aws_cost_report"
    first, second = reading.answers
    assert second.out_of_scope
    assert first.row is not None
    assert first.row["amount"] == Decimal("0.054633000100")
    assert (first.row["user_id"], first.row["project_id"]) == (PRINCIPAL, "111122223333")
    assert first.row["period_end"] == datetime.fromisoformat("2026-11-14T03:00:00")
    assert "18.211" in json.loads(first.row["raw"]).values()


@pytest.mark.parametrize("usage", sorted(TYPES))
def test_usage_types_tell_model_and_kind_of_token(usage: str) -> None:
    row = read_text(f"{CUR}\n{line(usage)}\n")[1].answers[0].row
    assert row is not None
    assert (row["model"], row["token_type"]) == TYPES[usage]


def test_a_marketplace_model_is_of_bedrock_by_its_name() -> None:
    text = f"{CUR}\n{line(code='4hs7inventedcode', name='Claude Opus (Amazon Bedrock Edition)')}\n"
    assert read_text(text)[1].answers[0].row


def test_lines_alike_in_one_report_are_all_kept_and_a_later_report_supersedes() -> None:
    connection = new_store()
    early = f"{CUR}\n{line()}\n{line()}\n".encode()
    later = f"{CUR}\n{line()}\n{line()}\n".replace("0.0546330001", "0.06").encode()
    when = datetime.fromisoformat("2026-11-15T00:00:00")
    read_bytes(connection, "a", early, owner="acme", received_at=when)
    read_bytes(connection, "b", later, owner="acme", received_at=when.replace(day=16))
    assert connection.execute("SELECT count(*) FROM ai_cost").fetchall() == [(4,)]
    assert connection.execute("SELECT sum(amount) FROM ai_cost_current").fetchall() == [(Decimal("0.12"),)]


def parts(*files: tuple[str, str, int]) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Read (further columns, their values, day of receipt) as files; return how many rows there are and what counts."""
    connection = new_store()
    for number, (names, values, day) in enumerate(files):
        read_bytes(
            connection, f"part-{number}", f"{CUR}{names}\n{line()}{values}\n".encode(), owner="acme",
            received_at=datetime(2026, 11, day),
        )  # fmt: skip
    return (
        connection.execute("SELECT count(*) FROM ai_cost").fetchall(),
        connection.execute("SELECT count(*), sum(amount) FROM ai_cost_current").fetchall(),
    )


ONE, TWO = (1, Decimal("0.054633000100")), (2, Decimal("0.109266000200"))


@pytest.mark.parametrize(
    ("names", "first", "second"),
    [
        (",resource_tags_user_team", ",blue", ",green"),
        (",resource_tags_user_team", ",blue", ","),
        (",resource_tags", ',"{""user_team"":""blue""}"', ',"{""user_team"":""green""}"'),
        (",product_sku,identity_line_item_id", ",S1,a", ",S2,b"),
        (",pricing/RateCode", ",R1", ",R2"),
        (",bill_payer_account_id", ",111122223333", ",444455556666"),
    ],
)
def test_lines_of_two_parts_that_differ_in_columns_without_one_of_the_store_both_count(
    names: str, first: str, second: str
) -> None:
    assert parts((names, first, 15), (names, second, 15)) == ([(2,)], [TWO])
    assert parts((names, first, 15), (names, first, 15)) == ([(1,)], [ONE])  # the same file twice


@pytest.mark.parametrize(
    ("names", "first", "later"),
    [
        (",identity_line_item_id", ",a", ",b"),
        (",bill_invoice_id,line_item_unblended_rate", ",,0.003", ",I-77,0.002"),
        (",resource_tags", ',"{""a"":""1"",""b"":""2""}"', ',"{""b"": ""2"", ""a"": ""1""}"'),
    ],
)
def test_a_later_delivery_of_a_line_supersedes_it_whatever_its_id_rate_and_invoice_are(
    names: str, first: str, later: str
) -> None:
    assert parts((names, first, 15), (names, later, 16)) == ([(2,)], [ONE])


def test_deliveries_with_other_columns_are_views_of_the_same_costs() -> None:
    assert parts(("", "", 15), (",resource_tags_user_team", ",blue", 16)) == ([(2,)], [ONE])
    row = read_text(f"{CUR},resource_tags_user_apikey,product_sku\n{line()},x,S1\n")[1].answers[0].row
    assert row is not None
    assert "sku" in row["grouped_by"].split(",")
    assert "key" not in row["grouped_by"]  # a customer's name of a tag is no grouping by keys


def test_reports_without_principals_say_so() -> None:
    reading = read_text(f"{CUR}\n{line().replace(PRINCIPAL, '')}\n")[1]
    assert reading.notes == ["costs: the report was made without IAM principals"]
    assert read_values("aws_cost_report", [1]).answers[0].defect
    assert claimants("Date,Service,Cost\n2026-11-14,Bedrock,1\n") == []


def test_the_report_as_parquet_gives_what_its_csv_gives() -> None:
    """The usual form of the report since its second version: times and costs are typed, the product is a map."""
    names, values = CUR.split(","), line().split(",")
    row: dict[str, object] = dict(zip(names, values, strict=True))
    for name in ("line_item_usage_start_date", "line_item_usage_end_date"):
        row[name] = datetime.fromisoformat(str(row[name])).replace(tzinfo=None)
    for name in ("line_item_usage_amount", "line_item_unblended_cost"):
        row[name] = float(str(row[name]))
    row["product"] = {"product_name": row.pop("product_product_name")}
    small = {
        **row,
        "line_item_unblended_cost": 0.00000012,
        "line_item_usage_type": "USE1-Claude4.6Sonnet-output-tokens",
    }
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([row, small]), out)
    connection = new_store()
    reading, account = read_bytes(connection, "a.parquet", out.getvalue().to_pybytes())
    assert (reading.source_id, account["accepted"], account["defect"]) == ("aws_cost_report", 2, 0)
    columns = "amount, currency, token_type, period_start, period_end, user_id"
    hour = (datetime(2026, 11, 14, 2), datetime(2026, 11, 14, 3), PRINCIPAL)
    assert connection.execute(f"SELECT {columns} FROM ai_cost ORDER BY amount DESC").fetchall() == [
        (Decimal("0.054633000100"), "USD", "input", *hour),
        (Decimal("0.000000120000"), "USD", "output", *hour),
    ]
