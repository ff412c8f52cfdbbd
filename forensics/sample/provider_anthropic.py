"""Anthropic exports: hourly message usage and the daily cost report.

Times are RFC 3339 with exclusive ends; cost amounts are decimal strings in cents.
https://platform.claude.com/docs/en/api/admin/usage_report and .../cost_report
"""

from __future__ import annotations

from collections import defaultdict

from forensics.sample.demand import PRICES, Use, uses
from forensics.sample.identities import Record, digits
from forensics.sample.story import END, Customer, Settings
from forensics.sample.times import DAY, HOUR, iso

_PAGE = 168
_NAMES = {
    "claude-haiku-4-5-20251001": "Claude Haiku 4.5",
    "claude-sonnet-4-5-20250929": "Claude Sonnet 4.5",
    "claude-opus-4-5-20251101": "Claude Opus 4.5",
}


def _result(use: Use) -> Record:
    return {
        "uncached_input_tokens": use.uncached,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": use.written},
        "cache_read_input_tokens": use.cached,
        "output_tokens": use.output,
        "server_tool_use": {"web_search_requests": 0},
        "api_key_id": use.key_id,
        "workspace_id": use.project,
        "account_id": None,
        "service_account_id": None,
        "model": use.model,
        "service_tier": None,
        "context_window": None,
        "inference_geo": None,
    }


def _pages(name: str, buckets: list[Record], size: int) -> list[Record]:
    found = []
    for start in range(0, max(len(buckets), 1), size):
        more = start + size < len(buckets)
        token = f"page_{digits(f'{name}/{start}', 28)}" if more else None
        found.append({"data": buckets[start : start + size], "has_more": more, "next_page": token})
    return found


def usage_pages(settings: Settings, customer: Customer) -> list[Record]:
    """Usage grouped by key, model and workspace over the whole period."""
    buckets: list[Record] = [
        {
            "starting_at": iso(hour),
            "ending_at": iso(hour + HOUR),
            "results": [_result(use) for use in uses(settings, customer, hour)],
        }
        for hour in range(settings.since, END, HOUR)
    ]
    return _pages(customer.name, buckets, _PAGE)


def cents_text(tokens: int, cents: int) -> str:
    """Price of tokens at `cents` a million, as a decimal string of cents with six places."""
    whole, rest = divmod(tokens * cents, 1_000_000)
    return f"{whole}.{rest:06d}"


def cost_page(settings: Settings, customer: Customer) -> Record:
    """Costs of each day by workspace and description; the report knows no keys."""
    parts = (
        ("uncached_input_tokens", "Input Tokens"),
        ("cache_read_input_tokens", "Input Tokens, Cache Read"),
        ("cache_creation.ephemeral_5m_input_tokens", "Input Tokens, Cache Write"),
        ("output_tokens", "Output Tokens"),
    )
    buckets: list[Record] = []
    for day in range(settings.since, END, DAY):
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for hour in range(day, day + DAY, HOUR):
            for use in uses(settings, customer, hour):
                for index, tokens in enumerate((use.uncached, use.cached, use.written, use.output)):
                    sums[use.project, use.model][index] += tokens
        results: list[Record] = [
            {
                "amount": cents_text(tokens, cents),
                "currency": "USD",
                "cost_type": "tokens",
                "description": f"{_NAMES[model]} Usage - {label}",
                "model": model,
                "service_tier": "standard",
                "context_window": "0-200k",
                "token_type": kind,
                "workspace_id": workspace,
                "inference_geo": "global",
            }
            for (workspace, model), counts in sorted(sums.items())
            for (kind, label), tokens, cents in zip(parts, counts, PRICES[model], strict=True)
        ]
        buckets.append({"starting_at": iso(day), "ending_at": iso(day + DAY), "results": results})
    return _pages(f"{customer.name}/costs", buckets, len(buckets))[0]
