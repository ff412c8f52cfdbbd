"""View of what estimates rest on, and of the model calls that the intruder made in cloud accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.report.keys import Cost, read_cost
from forensics.report.reading import CaseReading, Row, read_json, read_time

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Calls of one model by the intruder in one account and region; `not_priced` says why there is no cost."""

    account: str
    region: str
    model: str
    calls: int
    sized: int
    first: datetime | None
    last: datetime | None
    cost: Cost | None
    not_priced: str


@dataclass(frozen=True, slots=True)
class PriceSource:
    """A price table that prices of this case are from."""

    name: str
    as_of: str
    sha256: str
    models: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Model calls of the intruder, and the price tables in force at the last exposure run."""

    uses: tuple[ModelUse, ...]
    cut: int
    tables: tuple[PriceSource, ...]


def read_costs(case: CaseReading) -> Costs:
    """Return what the last exposure run stored, in order of account, region and model."""
    rows = case.rows("SELECT * FROM model_use ORDER BY account_id, region, model, provider")
    tables = case.rows(
        """SELECT table_name AS name, max(as_of) AS as_of, table_sha256 AS sha256, count(DISTINCT provider || '|' || model) AS models
           FROM model_price GROUP BY table_name, table_sha256 ORDER BY table_name, table_sha256"""
    )
    return Costs(
        tuple(_use(row) for row in rows[:_SHOWN]),
        max(0, len(rows) - _SHOWN),
        tuple(PriceSource(r["name"] or "", r["as_of"] or "", r["sha256"] or "", r["models"]) for r in tables),
    )


def _use(row: Row) -> ModelUse:
    answer = read_json(row["answer"], {})
    return ModelUse(
        row["account_id"] or "",
        row["region"] or "",
        row["model"] or "",
        _number(answer.get("calls")),
        _number(answer.get("calls_with_tokens")),
        read_time(answer.get("first")),
        read_time(answer.get("last")),
        read_cost(answer.get("estimate"), str((answer.get("estimate") or {}).get("kind") or "")),
        str(answer.get("not_priced") or ""),
    )


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0
