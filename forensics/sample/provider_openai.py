"""OpenAI exports: hourly completions usage and daily costs, as the pages of the administration API.

Times are unix seconds, bucket ends exclusive, money dollars as JSON numbers of at most six decimals.
https://platform.openai.com/docs/api-reference/usage and .../usage/costs
"""

from __future__ import annotations

from collections import defaultdict

from forensics.sample.demand import PRICES, Use, uses
from forensics.sample.identities import Record, digits
from forensics.sample.story import END, Customer, Settings
from forensics.sample.times import DAY, HOUR

_PAGE = 168  # the limit of hourly buckets in one page


def _result(use: Use) -> Record:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": use.input,
        "output_tokens": use.output,
        "num_model_requests": use.requests,
        "project_id": use.project,
        "user_id": None,
        "api_key_id": use.key_id,
        "model": use.model,
        "batch": None,
        "service_tier": None,
        "input_cached_tokens": use.cached,
        "input_uncached_tokens": use.uncached,
        "input_cache_write_tokens": use.written,
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
    }


def _partial(use: Use, share: int) -> Use:
    """Give a bucket read before the provider had counted all of it; share in thousandths."""
    parts = (use.requests, use.uncached, use.cached, use.written, use.output)
    return Use(use.key_id, use.project, use.model, *(part * share // 1000 for part in parts))


def pages(name: str, buckets: list[Record], size: int) -> list[Record]:
    """Buckets cut into pages that name their successor; the last names none."""
    found = []
    for start in range(0, max(len(buckets), 1), size):
        more = start + size < len(buckets)
        token = f"page_{digits(f'{name}/{start}', 32)}" if more else None
        found.append({"object": "page", "data": buckets[start : start + size], "has_more": more, "next_page": token})
    return found


def usage_pages(settings: Settings, customer: Customer, taken: int = END) -> list[Record]:
    """Usage grouped by key, model and project up to `taken`; its last five hours are then incomplete."""
    buckets = []
    for hour in range(settings.since, min(END, taken + HOUR - 1), HOUR):
        if hour >= taken:
            break
        found = uses(settings, customer, hour)
        late = (taken - hour) // HOUR
        if taken < END and late < 5:
            found = [part for use in found if (part := _partial(use, 150 + 170 * late)).requests]
        buckets.append(
            {
                "object": "bucket",
                "start_time": hour,
                "end_time": hour + HOUR,
                "results": [_result(use) for use in found],
            }
        )
    return pages(f"{customer.name}/{taken}", buckets, _PAGE)


def _line(key: str, project: str, model: str, part: str, tokens: int, cents: int) -> Record:
    micros = (tokens * cents + 50) // 100  # cents for a million tokens are micro-dollars for a hundred
    return {
        "object": "organization.costs.result",
        "amount": {"value": micros / 1_000_000, "currency": "usd"},
        "line_item": f"{model}, {part}",
        "project_id": project,
        "user_id": None,
        "api_key_id": key,
        "quantity": tokens,
        "quantity_unit": "tokens",
    }


def cost_page(settings: Settings, customer: Customer) -> Record:
    """Costs of each day by key and line item, in one page."""
    buckets = []
    for day in range(settings.since, END, DAY):
        sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for hour in range(day, day + DAY, HOUR):
            for use in uses(settings, customer, hour):
                for index, tokens in enumerate((use.uncached, use.cached, use.output)):
                    sums[use.key_id, use.project, use.model][index] += tokens
        results = []
        for (key, project, model), counts in sorted(sums.items()):
            prices = PRICES[model]
            for part, tokens, cents in zip(
                ("input", "cached input", "output"), counts, (prices[0], prices[1], prices[3]), strict=True
            ):
                results.append(_line(key, project, model, part, tokens, cents))
        buckets.append({"object": "bucket", "start_time": day, "end_time": day + DAY, "results": results})
    return pages(f"{customer.name}/costs", buckets, len(buckets))[0]
