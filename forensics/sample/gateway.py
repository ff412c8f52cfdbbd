"""Brindlewick's own LiteLLM gateway: one spend row a request, as its database gives them.

Columns of LiteLLM_SpendLogs: https://docs.litellm.ai/docs/proxy/logging_spec . The rows of an hour add
up to what the provider counted as ordinary use of the key in that hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from random import Random

from forensics.sample.cloudtrail import encode, uuid
from forensics.sample.demand import PRICES, demands, ordinary
from forensics.sample.identities import Record
from forensics.sample.story import END, GATEWAY_EGRESS, GATEWAY_LOG_FROM, Settings, named
from forensics.sample.times import HOUR, iso

ALIAS = "brindlewick-prod"
KEY_HASH = hashlib.sha256(b"invented virtual key of the sample gateway").hexdigest()


def log_from(settings: Settings) -> int:
    """First second the gateway log covers."""
    return max(GATEWAY_LOG_FROM, settings.since)


def shares(rng: Random, total: int, count: int) -> list[int]:
    """`count` whole numbers around the mean that add up to `total`."""
    mean, rest = divmod(total, count)
    found = [mean + (1 if index < rest else 0) for index in range(count)]
    for index in range(0, count - 1, 2):
        shift = rng.randrange(0, mean // 3 + 1)
        found[index] += shift
        found[index + 1] -= shift
    return found


def _row(rng: Random, at: int, model: str, into: int, cached: int, out: int) -> Record:
    prices = PRICES[model]
    micros = ((into - cached) * prices[0] + cached * prices[1] + out * prices[3] + 50) // 100
    lasted = rng.randrange(900, 5200)
    return {
        "request_id": f"chatcmpl-{uuid(rng)}",
        "call_type": "acompletion",
        "api_key": KEY_HASH,
        "spend": micros / 1_000_000,
        "total_tokens": into + out,
        "prompt_tokens": into,
        "completion_tokens": out,
        "startTime": f"{iso(at)[:-1]}.{rng.randrange(1000):03d}000Z",
        "endTime": f"{iso(at + lasted // 1000)[:-1]}.999000Z",
        "request_duration_ms": lasted,
        "model": model,
        "model_group": "gpt-5-mini",
        "custom_llm_provider": "openai",
        "api_base": "https://api.openai.com",
        "user": "default",
        "end_user": "",
        "metadata": {
            "user_api_key_alias": ALIAS,
            "requester_ip_address": GATEWAY_EGRESS,
            "user_agent": "brindlewick-desk/4.2",
            "additional_usage_values": {"cache_read_input_tokens": cached},
        },
        "cache_hit": "False",
        "requester_ip_address": GATEWAY_EGRESS,
        "status": "success",
    }


def spend_lines(settings: Settings) -> Iterator[str]:
    """One JSON text a request, in the order of time."""
    demand = demands(named("Brindlewick"))[0]
    for hour in range(log_from(settings), END, HOUR):
        use = ordinary(settings, demand, hour)
        if use is None:
            continue
        rng = Random(f"{settings.seed}/gateway/{hour}")
        # away from both ends of the hour, so that gateway and provider count a request in the same bucket
        times = sorted(hour + rng.randrange(20, HOUR - 20) for _ in range(use.requests))
        inputs = shares(rng, use.input, use.requests)
        cached = shares(rng, use.cached, use.requests)
        outputs = shares(rng, use.output, use.requests)
        for at, into, kept, out in zip(times, inputs, cached, outputs, strict=True):
            yield encode(_row(rng, at, use.model, into, min(kept, into), out))
