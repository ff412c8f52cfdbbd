"""Write `list_prices.csv` anew from the data module of an unpacked genai-prices wheel: the facts, not its code.

The module is read as a syntax tree and never imported: importing it would bring an HTTP client along. Taken are the
prices per token of the providers whose usage Keytrail reads. Left out and named on stderr are models that are told
by several conditions at once, or whose price depends on the time of day.
A kind of token that the source gives no price of its own costs there what it is part of (cached input costs what input
costs); such prices are written out. Source: https://github.com/pydantic/genai-prices (MIT, see forensics/model/list_prices.LICENSE).
"""

from __future__ import annotations

import argparse
import ast
import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.model.prices import COLUMNS, KINDS, STANDARD

#: Providers of the source by the name that usage has here; the second one lends its prices where the first lacks a model.
PROVIDERS = {
    "openai": "openai", "anthropic": "anthropic", "aws_bedrock": "aws", "google": "google", "vertex": "google",
    "mistral": "mistral", "deepseek": "deepseek", "fireworks": "fireworks", "xai": "x-ai", "azure_openai": "azure",
}  # fmt: skip
LENT = {"azure_openai": "openai"}

Prices = dict[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """A constructor call of the module: its name and keyword arguments; positional ones under their number."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """Return an argument, or None."""
        return self.values.get(name)


def evaluate(node: ast.expr) -> Any:
    """Return the value of a literal or constructor call. Raises ValueError for any other expression."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if name == "Decimal":
            return evaluate(node.args[0])
        values = {str(n): evaluate(value) for n, value in enumerate(node.args)}
        return Call(name, values | {str(k.arg): evaluate(k.value) for k in node.keywords})
    if isinstance(node, ast.List | ast.Tuple):
        return [evaluate(item) for item in node.elts]
    if isinstance(node, ast.Attribute):  # a constant of a module, such as a time zone
        return Call(node.attr)
    return ast.literal_eval(node)


def patterns(match: Call) -> list[str]:
    """Return the names that a clause of the source matches. Raises ValueError for one that no pattern tells."""
    if match.name == "ClauseOr":
        return [pattern for part in match.get("or_") for pattern in patterns(part)]
    if match.name == "ClauseRegex":
        return [f"~{match.get('regex')}"]
    forms = {"ClauseEquals": ("equals", "{}"), "ClauseStartsWith": ("starts_with", "{}*"),
             "ClauseEndsWith": ("ends_with", "*{}"), "ClauseContains": ("contains", "*{}*")}  # fmt: skip
    if match.name not in forms:
        raise ValueError(match.name)
    argument, form = forms[match.name]
    return [form.format(match.get(argument))]


def levels(prices: Call) -> Iterator[tuple[int, Prices]]:
    """Yield (input tokens above which it holds, price by kind) of one set of prices."""
    named = {kind: prices.get(f"{kind}_mtok") for kind in KINDS}
    steps = sorted({0} | {t.get("start") for v in named.values() if isinstance(v, Call) for t in v.get("tiers")})
    for step in steps:
        yield step, {kind: _at(value, step) for kind, value in named.items() if value is not None}


def _at(value: Any, step: int) -> str:
    if not isinstance(value, Call):
        return str(value)
    held = [tier.get("price") for tier in value.get("tiers") if tier.get("start") <= step]
    return str(held[-1] if held else value.get("base"))


def _day(constraint: Call | None) -> str:
    """Return the day from which a price holds. Raises ValueError for another condition."""
    if constraint is None:
        return ""
    if constraint.name != "StartDateConstraint":
        raise ValueError(constraint.name)
    given = constraint.get("start_date").values
    return f"{given['0']:04d}-{given['1']:02d}-{given['2']:02d}"


def _whole(prices: Prices) -> Prices:
    """Write out what the source leaves to the kind that another is part of."""
    if "input" not in prices:
        return prices
    out = dict(prices)
    out.setdefault("cache_read", out["input"])
    out.setdefault("cache_write", out["input"])
    out.setdefault("cache_write_1h", out["cache_write"])
    return out


def rows_of_model(model: Call) -> Iterator[tuple[str, int, str, str, Prices]]:
    """Yield (service, above, from, until, prices). Raises ValueError for a model whose prices have no such form."""
    given = model.get("prices")
    conditional = given if isinstance(given, list) else [Call("ConditionalPrice", {"prices": given})]
    dated = sorted((_day(one.get("constraint")), one.get("prices")) for one in _in_order(conditional))
    bases: list[tuple[str, str, Call]] = []
    for place, (start, prices) in enumerate(dated):
        end = dated[place + 1][0] if place + 1 < len(dated) else ""
        bases.append((start, end, prices))
        for above, found in levels(prices):
            yield STANDARD, above, start, end, _whole(found)
    for variant in model.get("price_variants") or []:
        when = variant.get("when")
        service = when.get("service_tier") or ("batch" if when == {"processing": "batch"} else "")
        begin = _day(variant.get("constraint"))
        if not service or service == "default":
            continue
        for start, end, prices in bases:
            low = max(start, begin)
            if end and low >= end:
                continue
            own = dict(levels(variant.get("prices")))
            for above, found in levels(prices):
                nearest = own[max(step for step in own if step <= above)]
                yield service, above, low, end, _whole(found | nearest)


def _in_order(conditional: list[Call]) -> list[Call]:
    """Refuse what a sort by day would not keep: the last active price counts in the source."""
    days = [_day(one.get("constraint")) for one in conditional]
    if days != sorted(days) or len(set(days)) != len(days):
        raise ValueError("days out of order")
    return conditional


def table_rows(source: list[Call], as_of: str) -> Iterator[dict[str, str]]:
    """Yield the rows of the table, in an order in which the first that fits counts."""
    by_id = {provider.get("id"): provider for provider in source}
    for name, identity in sorted(PROVIDERS.items()):
        models = [*by_id[identity].get("models"), *(by_id[LENT[name]].get("models") if name in LENT else [])]
        for model in models:
            try:
                names, found = patterns(model.get("match")), list(rows_of_model(model))
            except ValueError as fault:
                sys.stderr.write(f"left out: {name} {model.get('id')} ({fault})\n")
                continue
            for pattern in names:
                for service, above, start, end, prices in found:
                    if not prices or (prices.get("input") == "0" and prices.get("output") == "0"):
                        continue
                    yield {
                        "provider": name, "model": pattern, "service": service, "above": str(above or ""), "from": start,
                        "until": end, "currency": "USD", "as_of": as_of, **prices,
                    }  # fmt: skip


def main() -> None:
    """Write the table to standard output."""
    parser = argparse.ArgumentParser(prog="python -m forensics.analysis.pricing.snapshot", description=__doc__)
    parser.add_argument("data", type=Path, help="genai_prices/data.py of an unpacked wheel")
    parser.add_argument("--as-of", required=True, help="day of the release, 2026-11-01")
    given = parser.parse_args()
    tree = ast.parse(given.data.read_text(encoding="utf-8"))
    listed = next(n.value for n in tree.body if isinstance(n, ast.AnnAssign) and n.value is not None)
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(table_rows(evaluate(listed), given.as_of))


if __name__ == "__main__":
    main()
