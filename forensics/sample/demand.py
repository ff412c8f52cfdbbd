"""How much each provider key is used, hour by hour: the ordinary demand and what was laid on top.

Whole requests and whole tokens. The same key and hour always give the same figures, so that usage
pages, costs and gateway logs made from them agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from forensics.sample.story import END, INCIDENT_DAY, STATED_LAUNCH, Customer, Settings
from forensics.sample.times import HOUR, hour_of_day, weekday

_SHAPE = (
    5,
    3,
    2,
    2,
    3,
    10,
    60,
    250,
    600,
    850,
    950,
    1000,
    900,
    950,
    1000,
    950,
    850,
    600,
    350,
    200,
    120,
    70,
    30,
    12,
)
_WEEKEND = 250  # thousandths of a working day

MINI, LARGE, PRO = "gpt-5-mini-2025-08-07", "gpt-5-2025-08-07", "gpt-5-pro-2025-10-06"
HAIKU, SONNET, OPUS = "claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929", "claude-opus-4-5-20251101"

# US dollars for a million tokens, in cents: uncached input, cached input, cache write, output
PRICES: dict[str, tuple[int, int, int, int]] = {
    MINI: (25, 2, 25, 200),
    LARGE: (125, 12, 125, 1000),
    PRO: (1500, 1500, 1500, 12000),
    HAIKU: (100, 10, 125, 500),
    SONNET: (300, 30, 375, 1500),
    OPUS: (500, 50, 625, 2500),
}


@dataclass(frozen=True)
class Use:
    """Use of one model by one key in one bucket; input is the sum of its three parts."""

    key_id: str
    project: str
    model: str
    requests: int
    uncached: int
    cached: int
    written: int
    output: int

    @property
    def input(self) -> int:
        """All input tokens."""
        return self.uncached + self.cached + self.written


@dataclass(frozen=True)
class Demand:
    """The ordinary use of a key: requests an hour at the peak, and per request its tokens."""

    key_id: str
    project: str
    model: str
    peak: int
    input_tokens: int
    output_tokens: int
    first: int = 0
    last: int = END


@dataclass(frozen=True)
class Burst:
    """Extra use of a key in `[first, last)`: requests in each hour."""

    key_id: str
    project: str
    model: str
    first: int
    last: int
    requests: int
    input_tokens: int
    output_tokens: int


def _hour(clock: int) -> int:
    return INCIDENT_DAY + clock * HOUR


def project_of(customer: Customer, label: str) -> str:
    """Give the project or workspace a key of the customer belongs to."""
    head = "wrkspc_01" if customer.provider == "anthropic" else "proj_"
    return f"{head}{customer.name[:6]}{label}"


REPLACED_AT = {"Tarnhaven": _hour(12), "Zephrane": _hour(13)}
REPLACEMENT = {"Tarnhaven": "apikey_01TarnNw3Xb8", "Zephrane": "key_Zp8Wn2QrC5"}
QUILLMERE_NEW_KEY = "key_Qn4Ev1LxZ8"
_PLANS: dict[str, tuple[str, int, int, int]] = {
    "Brindlewick": (MINI, 34, 1400, 420),
    "Tarnhaven": (SONNET, 90, 2600, 700),
    "Oskelund": (LARGE, 80, 1900, 510),
    "Pellamore": (LARGE, 120, 1500, 380),
    "Vexholm": (SONNET, 70, 2100, 640),
    "Yarrowdene": (HAIKU, 150, 1200, 300),
    "Quillmere": (LARGE, 60, 2200, 590),
    "Dorvalis": (MINI, 140, 1700, 450),
    "Zephrane": (LARGE, 75, 1800, 530),
}
_BURSTS: dict[str, tuple[tuple[str, int, int, int, int, int], ...]] = {
    "Brindlewick": ((PRO, _hour(3), _hour(20), 140, 5200, 3100),),
    "Tarnhaven": ((OPUS, _hour(3), END, 210, 6100, 3300),),
    "Oskelund": ((LARGE, _hour(5), _hour(13), 620, 4300, 2200),),
    "Pellamore": ((LARGE, STATED_LAUNCH[0], STATED_LAUNCH[1], 900, 1500, 380),),
    "Quillmere": ((LARGE, _hour(4), _hour(12), 480, 5100, 2700),),
    "Zephrane": ((LARGE, _hour(4), _hour(20), 560, 4700, 2400),),
}


@lru_cache(maxsize=128)
def demands(customer: Customer) -> tuple[Demand, ...]:
    """Give the keys of a customer's organisation; one or two of them are in no inventory."""
    model, peak, into, out = _PLANS.get(customer.name, (MINI, 20, 900, 240))
    small = HAIKU if customer.provider == "anthropic" else MINI
    head, name = ("apikey_01", customer.name[:4]) if customer.provider == "anthropic" else ("key_", customer.name[:3])
    main, side = project_of(customer, "Prod"), project_of(customer, "Labs")
    last = REPLACED_AT.get(customer.name, END)
    found = [
        Demand(customer.key_id, main, model, peak, into, out, last=last),
        Demand(f"{head}{name}Stg4Lm", side, small, max(6, peak // 8), 700, 160),
    ]
    if customer.name in REPLACEMENT:
        found.append(Demand(REPLACEMENT[customer.name], main, model, peak, into, out, first=last))
    elif len(customer.name) % 2:
        found.append(Demand(f"{head}{name}Btc9Rw", side, small, max(5, peak // 12), 2400, 90))
    return tuple(found)


@lru_cache(maxsize=128)
def bursts(customer: Customer) -> tuple[Burst, ...]:
    """Give what lies on top of the ordinary demand of a customer."""
    main = project_of(customer, "Prod")
    found = [Burst(customer.key_id, main, *burst) for burst in _BURSTS.get(customer.name, ())]
    if customer.name == "Quillmere":
        found.append(Burst(QUILLMERE_NEW_KEY, main, LARGE, _hour(4), _hour(12), 190, 5100, 2700))
    return tuple(found)


def _use(rng: Random, key: str, project: str, model: str, requests: int, into: int, out: int) -> Use:
    total = requests * into * rng.randrange(960, 1041) // 1000
    cached = total * rng.randrange(240, 280) // 1000
    written = total * rng.randrange(20, 30) // 1000 if model.startswith("claude") else 0
    output = requests * out * rng.randrange(950, 1051) // 1000
    return Use(key, project, model, requests, total - cached - written, cached, written, output)


def ordinary(settings: Settings, demand: Demand, hour: int) -> Use | None:
    """Ordinary use of one key in an hour, None where there was none."""
    if not demand.first <= hour < demand.last:
        return None
    rng = Random(f"{settings.seed}/demand/{demand.key_id}/{hour}")
    scale = _SHAPE[hour_of_day(hour)] * (_WEEKEND if weekday(hour) >= 5 else 1000)
    requests = (demand.peak * scale * rng.randrange(925, 1076) + 500_000_000) // 1_000_000_000
    if not requests:
        return None
    return _use(rng, demand.key_id, demand.project, demand.model, requests, demand.input_tokens, demand.output_tokens)


def uses(settings: Settings, customer: Customer, hour: int) -> list[Use]:
    """All use of a customer's organisation in an hour, one entry a key and model, in the order of both."""
    merged: dict[tuple[str, str], Use] = {}
    for demand in demands(customer):
        use = ordinary(settings, demand, hour)
        if use is not None:
            merged[use.key_id, use.model] = use
    for burst in bursts(customer):
        if not burst.first <= hour < burst.last:
            continue
        rng = Random(f"{settings.seed}/burst/{burst.key_id}/{hour}")
        count = burst.requests * rng.randrange(850, 1151) // 1000
        extra = _use(rng, burst.key_id, burst.project, burst.model, count, burst.input_tokens, burst.output_tokens)
        base = merged.get((extra.key_id, extra.model))
        merged[extra.key_id, extra.model] = extra if base is None else _sum(base, extra)
    return [merged[pair] for pair in sorted(merged)]


def _sum(one: Use, two: Use) -> Use:
    return Use(
        one.key_id,
        one.project,
        one.model,
        one.requests + two.requests,
        one.uncached + two.uncached,
        one.cached + two.cached,
        one.written + two.written,
        one.output + two.output,
    )
