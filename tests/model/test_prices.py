"""Price files: what is read, and what is refused with every fault."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from forensics.model.errors import UsageFault
from forensics.model.prices import read_prices
from forensics.resources import price_list

TOML = b"""
currency = "eur"
as_of = 2026-05-01
[[price]]
provider = "openai"
model = "gpt-5*"
input = "1.25"
cache_read = "0.125"
output = "10"
from = 2026-01-01
until = 2026-07-01
[[price]]
provider = "openai"
model = "gpt-5*"
service = "Batch"
output = 5
"""


def test_toml_takes_shared_columns_and_keeps_kinds_apart():
    table = read_prices(TOML, "prices.toml")
    first, second = table.prices
    assert (first.currency, first.since, first.until, first.service) == (
        "EUR",
        date(2026, 1, 1),
        date(2026, 7, 1),
        "standard",
    )
    assert first.per_token["input"] == Decimal("0.00000125") and first.per_token["cache_read"] == Decimal("0.000000125")
    assert first.per_token["cache_write"] is None
    assert second.service == "batch" and second.per_token["output"] == Decimal("0.000005")
    assert table.as_of == "2026-05-01" and len(table.sha256) == 64


def test_csv_reads_the_same():
    text = "provider,model,currency,input,cache_read,output,from,until,as_of\r\nopenai,gpt-5*,EUR,1.25,0.125,10,2026-01-01,2026-07-01,2026-05-01\r\n"
    assert (
        read_prices(b"\xef\xbb\xbf" + text.encode(), "prices.csv").prices == read_prices(TOML, "prices.toml").prices[:1]
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (b'model = "gpt*5"\ninput = "1"', "* stands at an end only"),
        (b'model = "*"\ninput = "1"', "* stands at an end only"),
        (b'model = "~("\ninput = "1"', "model '~('"),
        (b'model = "m"\ninput = 1.25', "a float is not exact"),
        (b'model = "m"\ninput = "-1"', "no price per million"),
        (b'model = "m"\ninput = "NaN"', "no price per million"),
        (b'model = "m"\ninput = "0.0000001"', "more than six decimal places"),
        (b'model = "m"', "no price of any kind"),
        (b'model = "m"\ninput = "1"\nprise = "2"', "unknown column prise"),
        (b'model = "m"\ninput = "1"\ncurrency = "dollar"', "no code of three letters"),
        (b'model = "m"\ninput = "1"\nabove = -1', "number of tokens"),
        (b'model = "m"\ninput = "1"\nfrom = 2026-05-02\nuntil = 2026-05-01', "from must be before until"),
        (b'model = "m"\ninput = "1"\nfrom = 2026-05-02T00:00:00Z', "must be a day"),
    ],
)
def test_faults_are_named(changed, told):
    head = b'[[price]]\nprovider = "p"\nas_of = 2026-05-01\n' + (
        b"" if b"currency" in changed else b'currency = "USD"\n'
    )
    with pytest.raises(UsageFault) as fault:
        read_prices(head + changed, "prices.toml")
    assert told in str(fault.value)


def test_all_faults_at_once_and_never_an_empty_table():
    with pytest.raises(UsageFault) as fault:
        read_prices(b"provider,model,currency,input,as_of\np,m,USD,x,2026-05-01\np,,USD,1,2026-05-01\n", "prices.csv")
    assert "price 1:" in str(fault.value) and "price 2: without model" in str(fault.value)
    with pytest.raises(UsageFault, match="no price in it"):
        read_prices(b"provider,model\n", "prices.csv")
    with pytest.raises(UsageFault, match="not a price table"):
        read_prices(b"\xff\xfe", "prices.csv")


@pytest.mark.parametrize(
    ("pattern", "fits", "not_"),
    [
        ("gpt-5", "GPT-5", "gpt-5-mini"),
        ("gpt-5*", "gpt-5-mini", "a-gpt-5"),
        ("*-mini", "gpt-5-mini", "gpt-5-mini-2025"),
        ("*opus*", "us.anthropic.claude-opus-4", "claude-haiku"),
        ("~^gpt-6-\\d{4}$", "gpt-6-2026", "gpt-6-20"),
    ],
)
def test_patterns(pattern, fits, not_):
    row = f"provider,model,currency,input,as_of\np,{pattern},USD,1,2026-05-01\n"
    (price,) = read_prices(row.encode(), "prices.csv").prices
    assert price.fits(fits) and not price.fits(not_)


def test_the_list_of_the_program_reads_and_has_its_licence():
    table = read_prices(price_list().read_bytes(), "list_prices.csv")
    assert table.as_of and {"openai", "anthropic", "aws_bedrock"} <= {p.provider for p in table.prices}
    assert "MIT" in price_list().with_name("list_prices.LICENSE").read_text(encoding="utf-8")
