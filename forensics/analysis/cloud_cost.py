"""What the intruder's own model calls in the organisation's cloud accounts cost, by list prices.

There is no baseline: every one of these calls is the intruder's. Where the invocation log has the tokens of a call its
price follows; where it has not (logging was off or never on) the size is assumed, and the figure says so.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from forensics.analysis.facts import Facts, Row

_STEPS = ("low", "mid", "high")
_ASK = "the cost and usage report of AWS for these days would settle it"


def cloud_use(facts: Facts) -> list[Row]:
    """Return one entry an account, region and model: calls, tokens known, and `estimate` (or why there is none)."""
    groups: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in facts.model_calls:
        groups[row["account_id"] or "", row["region"] or "", row["model"] or ""].append(row)
    return [_entry(*name, rows, facts.logged_calls) for name, rows in sorted(groups.items())]


def use_rows(entries: list[Row], dump: Any) -> list[Row]:
    """Return rows of table `model_use`; `dump` writes an entry as JSON text."""
    names = ("provider", "account_id", "region", "model")
    return [{**{n: e[n] for n in names}, "answer": dump(e)} for e in entries]


def _entry(account: str, region: str, model: str, rows: list[Row], logged: list[Row]) -> Row:
    known = [r for r in rows if r["input_tokens"] is not None]
    estimate, why = _estimate(rows, known, logged)
    return {
        "provider": "aws_bedrock",
        "account_id": account,
        "region": region,
        "model": model,
        "calls": len(rows),
        "calls_with_tokens": len(known),
        "input_tokens": sum(r["input_tokens"] for r in known),
        "output_tokens": sum(r["output_tokens"] for r in known),
        "first": rows[0]["event_time"],
        "last": rows[-1]["event_time"],
        "actors": sorted({r["actor"] or r["credential_id"] or "-" for r in rows}),
        "roots": sorted({r["root"] for r in rows}),
        "estimate": estimate,
        "not_priced": why,
        "query_id": "exposure.model_calls",
        "event_keys": [r["event_key"] for r in rows],
    }


def _estimate(rows: list[Row], known: list[Row], logged: list[Row]) -> tuple[Row | None, str]:
    currencies = {r["currency"] for r in rows}
    if None in currencies:
        return None, "no price of this model is known for these days"
    if len(currencies) > 1:
        return None, "the price table changes the currency within these days, and currencies are not added"
    if any(r["input_price"] is None or r["output_price"] is None for r in rows):
        return None, "the price table gives no price of input or output for this model"
    if any(r["amount"] is None for r in known):
        return None, "the price table gives no price of cached tokens for this model"
    unknown = [r for r in rows if r["input_tokens"] is None]
    size = max(logged, key=lambda r: (r["calls"], r["owner"]), default=None)
    if unknown and size is None:
        return None, f"the evidence holds the tokens of none of the account's calls; {_ASK}"
    sums = dict.fromkeys(_STEPS, sum((r["amount"] for r in known), Decimal(0)))
    for row in unknown:
        for step in _STEPS:
            if size is not None:
                sums[step] += size[f"input_{step}"] * row["input_price"] + size[f"output_{step}"] * row["output_price"]
    tables = sorted({(r["table_name"], r["as_of"], r["table_sha256"]) for r in rows})
    told = " and ".join(f"{name} as of {as_of} (SHA-256 {digest[:12]})" for name, as_of, digest in tables)
    basis = f"estimated, not billed, from {told}, before discounts and taxes; every call is the intruder's, so there is no baseline"
    if unknown and size is not None:
        basis += (
            f". {len(unknown)} of {len(rows)} calls have no tokens in the evidence and are assumed to be as large as the lower"
            f" quartile, the median and the upper quartile of the {size['calls']} calls in the invocation log"
            f" ({', '.join(str(size[f'input_{s}']) for s in _STEPS)} tokens in, {', '.join(str(size[f'output_{s}']) for s in _STEPS)} out):"
            f" an intruder's calls may be larger. {_ASK[0].upper()}{_ASK[1:]}"
        )
    else:
        basis += ". The invocation log has the tokens of every call"
    return {
        **{step: amount.quantize(Decimal("0.000001")) for step, amount in sums.items()},
        "currency": currencies.pop(),
        "basis": basis,
        "kind": "assumed" if unknown else "estimated",
        "prices": [{"name": name, "as_of": as_of, "sha256": digest} for name, as_of, digest in tables],
    }, ""
