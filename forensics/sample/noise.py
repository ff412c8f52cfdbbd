"""The ordinary weeks, hour by hour and region by region, with the blind spots the intruder made."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from forensics.sample.identities import Record
from forensics.sample.noise_bulk import hum
from forensics.sample.noise_machines import machine_hour
from forensics.sample.noise_people import cli_quota_check, people_day
from forensics.sample.noise_stores import store_reads
from forensics.sample.story import (
    EU,
    LOGGING_STARTED,
    LOGGING_STOPPED,
    SELECTORS_REDUCED,
    SELECTORS_RESTORED,
    US,
    Settings,
    customers,
)
from forensics.sample.times import HOUR, day_start, epoch, hour_of_day, iso, weekday

KMS_DARK = (SELECTORS_REDUCED, SELECTORS_RESTORED)


def visible(event: Record, region: str) -> bool:
    """Whether the trail of the region was recording this event when it happened."""
    if region != US:
        return True
    at = epoch(event["eventTime"])
    if LOGGING_STOPPED <= at <= LOGGING_STARTED:
        return False
    return not (event["eventSource"].startswith("kms.") and KMS_DARK[0] <= at < KMS_DARK[1])


@lru_cache(maxsize=4)
def _people(seed: int, day: int, region: str) -> tuple[Record, ...]:
    return tuple(people_day(Random(f"{seed}/people/{day}/{region}"), day, seed, region))


def scheduled(settings: Settings, hour: int, region: str) -> list[Record]:
    """Give the events of an hour that do not depend on `--events`."""
    seed = settings.seed
    rng = Random(f"{seed}/machines/{hour}/{region}")
    events = store_reads(rng, hour, seed, region, customers(settings))
    events += machine_hour(rng, hour, seed, region)
    if region == EU:
        events.append(cli_quota_check(rng, hour + rng.randrange(HOUR), seed, region))
    start = f"{hour_text(hour)}:"
    events += [e for e in _people(seed, day_start(hour), region) if e["eventTime"].startswith(start)]
    return [event for event in events if visible(event, region)]


def hour_text(hour: int) -> str:
    """`2026-05-05T02`, the beginning all event times of the hour share."""
    return iso(hour)[:13]


def weight(hour: int, region: str) -> int:
    """How much of the hum falls into an hour: more by day, more on working days, most in us-east-1."""
    by_day = 3 if 7 <= hour_of_day(hour) < 19 and weekday(hour) < 5 else 2
    return by_day * (4 if region == US else 1)


def open_seconds(hour: int, region: str) -> tuple[int, int]:
    """First and past-last second of the hour in which the trail of the region recorded."""
    first, last = hour, hour + HOUR
    if region == US and first < LOGGING_STOPPED < last:
        last = LOGGING_STOPPED
    if region == US and first < LOGGING_STARTED < last:
        first = LOGGING_STARTED + 1
    return first, last


def hum_of(settings: Settings, hour: int, region: str, count: int) -> list[Record]:
    """`count` events of the steady hum in an hour."""
    rng = Random(f"{settings.seed}/hum/{hour}/{region}")
    first, last = open_seconds(hour, region)
    span = last - first
    times = [first + int(rng.random() * span) for _ in range(count)]
    return hum(rng, times, settings.seed, region, KMS_DARK if region == US else None)
