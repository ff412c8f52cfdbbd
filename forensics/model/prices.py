"""Price tables of models: how a file of prices is read, and the columns of the prices a case uses.

A price is per million tokens of one kind, in one currency, from a day on (UTC). The kinds are apart: input that no cache
served, input read from a cache, input written to one (for five minutes or for an hour), and output. A kind without a
price is not priced; it never takes the price of another.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from forensics.model.columns import table
from forensics.model.errors import UsageFault

#: The kinds of tokens that have a price of their own.
KINDS = ("input", "cache_read", "cache_write", "cache_write_1h", "output")
#: Columns of a price file, in the order in which one is written.
COLUMNS = ("provider", "model", "service", "above", "from", "until", "currency", *KINDS, "as_of")
#: The service that a request gets when it asks for none.
STANDARD = "standard"

_MILLION = 1_000_000
_PLACES = Decimal(1).scaleb(-12)
#: A price above this (per million tokens) is a slip of the decimal point, and would not fit the sums.
_HIGHEST = Decimal(100_000)

MODEL_PRICE = table(
    "model_price",
    "Prices of the models that the evidence of the case names, from a price table; list prices, never what was billed.",
    """
provider VARCHAR provider as the usage names it
model VARCHAR model as the usage names it
service VARCHAR standard, batch, or the service tier
above_tokens BIGINT for requests of more input tokens than this; 0 for all. Only single requests have such tiers
valid_from TIMESTAMP first moment of the price, UTC, inclusive
valid_until TIMESTAMP end of the price, UTC, exclusive
currency VARCHAR upper case
input_price MONEY per token of uncached input; NULL when the table gives none
cache_read_price MONEY per token read from a cache
cache_write_price MONEY per token written to a cache for a short time
cache_write_1h_price MONEY per token written to a cache for an hour
output_price MONEY per output token
table_name VARCHAR price table it is from
as_of VARCHAR day that the prices were looked up
table_sha256 VARCHAR SHA-256 of that table's file
""",
)

MODEL_USE = table(
    "model_use",
    "Calls of models by the intruder's own credentials in cloud accounts, of the last exposure run.",
    """
provider VARCHAR aws_bedrock
account_id VARCHAR account that was called
region VARCHAR region
model VARCHAR model
answer JSON the entry of `cloud_use` of `exposure --json`
""",
)


@dataclass(frozen=True, slots=True)
class Price:
    """One row of a price table. `pattern` is a model name, with * at either end for any text, or ~ and a regular expression."""

    provider: str
    pattern: str
    service: str
    above: int
    since: date | None
    until: date | None
    currency: str
    per_token: Mapping[str, Decimal | None]
    as_of: str

    def fits(self, model: str) -> bool:
        """Whether a model of this name has this price."""
        if self.pattern.startswith("~"):
            return re.search(self.pattern[1:], model.lower()) is not None
        name, pattern = model.casefold(), self.pattern.casefold()
        text = pattern.strip("*")
        if pattern.startswith("*"):
            return text in name if pattern.endswith("*") else name.endswith(text)
        return name.startswith(text) if pattern.endswith("*") else name == text


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A price file: its name, the SHA-256 of its bytes, its newest day of looking up, and its rows in order."""

    name: str
    sha256: str
    prices: tuple[Price, ...]

    @property
    def as_of(self) -> str:
        """The newest day on which prices of the table were looked up, "" when the file tells none."""
        return max((price.as_of for price in self.prices), default="")


def read_prices(content: bytes, name: str) -> PriceTable:
    """Read a price table from TOML (`[[price]]`) or CSV with the columns of `COLUMNS`; TOML by the name's ending.

    Raises UsageFault that names all faults at once.
    """
    try:
        text = content.decode("utf-8-sig")
        rows = _toml(text) if name.endswith(".toml") else list(csv.DictReader(io.StringIO(text, newline="")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, csv.Error) as error:
        raise UsageFault(f"not a price table: {error}", place=name) from error
    faults: list[str] = []
    prices = []
    for number, row in enumerate(rows, start=1):
        try:
            prices.append(_price(row))
        except (ValueError, InvalidOperation) as error:
            faults.append(f"price {number}: {error}")
    if not rows:
        faults.append("no price in it")
    if faults:
        shown = "; ".join(faults[:20]) + (f"; {len(faults) - 20} more" if len(faults) > 20 else "")
        raise UsageFault(shown, place=name, hint="each price needs provider, model, currency, as_of and a price")
    return PriceTable(name, sha256(content).hexdigest(), tuple(prices))


def _toml(text: str) -> list[dict[str, Any]]:
    data = tomllib.loads(text)
    rows = data.get("price", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise tomllib.TOMLDecodeError("[[price]] must be a list of tables")
    shared = {name: data[name] for name in ("currency", "as_of", "provider") if name in data}
    return [shared | row for row in rows]


def _price(row: Mapping[Any, Any]) -> Price:
    told = {str(name): value for name, value in row.items() if value not in (None, "")}
    unknown = sorted(set(told) - set(COLUMNS))
    if unknown:
        raise ValueError(f"unknown column {', '.join(unknown)}")
    missing = [name for name in ("provider", "model", "currency", "as_of") if name not in told]
    if missing:
        raise ValueError(f"without {', '.join(missing)}")
    pattern, currency = str(told["model"]), str(told["currency"]).upper()
    _check_pattern(pattern)
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise ValueError(f"currency {currency!r} is no code of three letters")
    since, until = _day(told, "from"), _day(told, "until")
    if since and until and since >= until:
        raise ValueError("from must be before until")
    above = int(str(told.get("above", 0)))
    if not 0 <= above < 2**62:
        raise ValueError("above must be a number of tokens")
    per_token = {kind: _per_token(told, kind) for kind in KINDS}
    if all(value is None for value in per_token.values()):
        raise ValueError("no price of any kind")
    as_of = _day(told, "as_of")
    return Price(
        str(told["provider"]), pattern, str(told.get("service", STANDARD)).lower(), above, since, until, currency,
        per_token, as_of.isoformat() if as_of else "",
    )  # fmt: skip


def _check_pattern(pattern: str) -> None:
    if pattern.startswith("~"):
        try:
            re.compile(pattern[1:])
        except re.error as error:
            raise ValueError(f"model {pattern!r}: {error}") from error
    elif "*" in pattern.strip("*") or not pattern.strip("*"):
        raise ValueError(f"model {pattern!r}: * stands at an end only")


def _day(told: Mapping[str, Any], name: str) -> date | None:
    value = told.get(name)
    if isinstance(value, datetime):
        raise ValueError(f"{name} must be a day such as 2026-05-01")  # noqa: TRY004 - one family of faults a row
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))


def _per_token(told: Mapping[str, Any], kind: str) -> Decimal | None:
    if kind not in told:
        return None
    if isinstance(told[kind], float):
        raise ValueError(f'{kind} must be in quotes ("1.25"): a float is not exact')  # noqa: TRY004
    amount = Decimal(str(told[kind]))
    if not amount.is_finite() or not 0 <= amount <= _HIGHEST:
        raise ValueError(f"{kind} {told[kind]} is no price per million tokens")
    price = (amount / _MILLION).quantize(_PLACES)
    if price * _MILLION != amount:
        raise ValueError(f"{kind} {told[kind]} has more than six decimal places")
    return price
