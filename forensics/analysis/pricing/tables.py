"""The price tables in force, and the prices of the models that a case's evidence names.

A case's own file (`prices.toml` or `prices.csv` in its folder) goes before the list that travels with the program: a
model that it names is priced by it alone. Of the rows of one table the first that fits names the price.
"""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forensics.model.errors import CaseFault
from forensics.model.prices import KINDS, Price, PriceTable, read_prices
from forensics.resources import price_list
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

    from forensics.store.case_folder import CaseFolder

#: What the list is called where an estimate is shown.
LIST_NAME = "list prices (genai-prices 0.2.3)"

_MODELS = """
SELECT provider, model FROM (
  SELECT provider, model FROM ai_usage
  UNION ALL SELECT provider, model FROM ai_request WHERE provider = 'aws_bedrock'
  UNION ALL SELECT 'aws_bedrock', coalesce(request_model_id, resource) FROM aws_event
            WHERE event_source IN ('bedrock.amazonaws.com', 'bedrock-runtime.amazonaws.com', 'bedrock-mantle.amazonaws.com'))
WHERE provider IS NOT NULL AND model IS NOT NULL
GROUP BY provider, model ORDER BY provider, model
"""


@lru_cache(maxsize=1)
def _listed() -> PriceTable:
    return read_prices(price_list().read_bytes(), price_list().name)


def tables_of(folder: CaseFolder) -> list[PriceTable]:
    """Return the price tables of a case in the order in which they are asked.

    Raises UsageFault for faults of the case's own file, CaseFault when it cannot be read.
    """
    listed = _listed()
    tables = [PriceTable(LIST_NAME, listed.sha256, listed.prices)]
    own = folder.prices_path
    if own is None:
        return tables
    try:
        content = own.read_bytes()
    except OSError as error:
        raise CaseFault("the price table cannot be read", place=own.name, hint=str(error.strerror)) from error
    return [read_prices(content, own.name), *tables]


def rows_for(connection: duckdb.DuckDBPyConnection, tables: list[PriceTable]) -> list[dict[str, Any]]:
    """Return the rows of table `model_price`: the prices of every model that usage and model calls name."""
    finders = [(table, Finder(table)) for table in tables]
    out: list[dict[str, Any]] = []
    for row in rows_of(connection, _MODELS):
        for table, finder in finders:
            prices = finder.find(row["provider"], row["model"])
            if prices:
                out += [_row(price, row["model"], table) for price in prices]
                break
    return out


def unpriced_models(connection: duckdb.DuckDBPyConnection, tables: list[PriceTable]) -> list[dict[str, Any]]:
    """Return provider and model of what the evidence names and no table prices."""
    finders = [Finder(table) for table in tables]
    return [
        row for row in rows_of(connection, _MODELS) if not any(f.find(row["provider"], row["model"]) for f in finders)
    ]


class Finder:
    """Finds the prices of a model in one table."""

    def __init__(self, table: PriceTable) -> None:
        self._exact: dict[tuple[str, str], list[tuple[int, Price]]] = {}
        self._loose: dict[str, list[tuple[int, Price]]] = {}
        for place, price in enumerate(table.prices):
            if price.pattern[0] in "~*" or price.pattern[-1] == "*":
                self._loose.setdefault(price.provider, []).append((place, price))
            else:
                self._exact.setdefault((price.provider, price.pattern.casefold()), []).append((place, price))

    def find(self, provider: str, model: str) -> list[Price]:
        """Return the prices of a model: those of the pattern that fits first, none of which overlap."""
        exact = self._exact.get((provider, model.casefold()), [])
        first = next(((place, price) for place, price in self._loose.get(provider, []) if price.fits(model)), None)
        if first is None or (exact and exact[0][0] < first[0]):
            return _apart([price for _, price in exact])
        return _apart([price for _, price in self._loose[provider] if price.pattern == first[1].pattern])


def _apart(prices: list[Price]) -> list[Price]:
    """Leave out a price whose days another of the same service and size already holds: one usage, one price."""
    kept: list[Price] = []
    for price in prices:
        if not any(
            held.service == price.service and held.above == price.above and _overlap(held, price) for held in kept
        ):
            kept.append(price)
    return kept


def _overlap(one: Price, other: Price) -> bool:
    return (one.since or date.min) < (other.until or date.max) and (other.since or date.min) < (one.until or date.max)


def _row(price: Price, model: str, table: PriceTable) -> dict[str, Any]:
    return {
        "provider": price.provider,
        "model": model,
        "service": price.service,
        "above_tokens": price.above,
        "valid_from": datetime.combine(price.since or date(1970, 1, 1), time()),
        "valid_until": datetime.combine(price.until or date(9999, 1, 1), time()),
        "currency": price.currency,
        **{f"{kind}_price": price.per_token[kind] for kind in KINDS},
        "table_name": table.name,
        "as_of": price.as_of,
        "table_sha256": table.sha256,
    }
