"""Writes the CloudTrail log files, each on its own, so that several processes can share the work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from os import cpu_count
from pathlib import Path
from random import Random

from forensics.sample.cloudtrail import encode
from forensics.sample.gzip_file import GzipFile
from forensics.sample.identities import Record
from forensics.sample.story import AP, DIGEST_UNTIL, EU, T0, US
from forensics.sample.times import HOUR, epoch
from forensics.sample.trail_plan import ALTERED_HOUR, Plan, Slot, slots

_ALONE = 100_000  # up to this many events one process is quicker than several


@dataclass(frozen=True)
class LogFile:
    """A written log file: its S3 key, the hash of its content as signed, its times and records."""

    key: str
    region: str
    sha256: str
    delivered: int
    oldest: str
    newest: str
    records: int
    repeats: int


def altered_event(noise: list[Record]) -> Record | None:
    """Give the harmless event of the altered file: an engineer's look at machines."""
    for event in noise:
        if event["eventName"].startswith("Describe") and event["sourceIPAddress"].startswith("192.0.2.2"):
            return event
    return None


def _inside(events: list[Record], first: int, seconds: int) -> list[Record]:
    if seconds == HOUR:
        return events
    return [event for event in events if first <= epoch(event["eventTime"]) < first + seconds]


@lru_cache(maxsize=2)
def _noise(plan_of: int, region: str, hour: int) -> list[Record]:
    """Noise of an hour, kept while files shorter than an hour ask for it again."""
    return _PLANS[plan_of].noise(region, hour)


_PLANS: dict[int, Plan] = {}


def _unit_noise(plan: Plan, region: str, first: int, seconds: int) -> list[Record]:
    if seconds == HOUR:
        return plan.noise(region, first)
    _PLANS[id(plan)] = plan
    return _inside(_noise(id(plan), region, first - first % HOUR), first, seconds)


def _repeats(plan: Plan, slot: Slot) -> list[Record]:
    """Events of the file before that this file holds a second time, about one in a hundred."""
    if slot.number == 0:
        return []
    first = slot.first - slot.seconds
    rng = Random(f"{plan.settings.seed}/repeats/{slot.region}/{slot.number}")
    chance = min(0.5, 0.01 * (slot.last - slot.first) / slot.seconds)
    noise = _unit_noise(plan, slot.region, first, slot.seconds)
    spared = altered_event(noise) if first - first % HOUR == ALTERED_HOUR else None
    return [event for event in noise if rng.random() < chance and event is not spared]


def _texts(plan: Plan, slot: Slot, repeats: list[Record]) -> Iterator[tuple[str, str | None, str]]:
    """Text as written, text as signed where it differs, and event time of each record of a file."""
    for first in range(slot.first, slot.last, slot.seconds):
        hour = first - first % HOUR
        noise = _unit_noise(plan, slot.region, first, slot.seconds)
        events = noise + _inside(plan.planted.get((slot.region, hour), []), first, slot.seconds)
        if first == slot.first:
            events += repeats
        target = None
        if (slot.region, hour) == (US, ALTERED_HOUR) and slot.delivered <= DIGEST_UNTIL:
            target = altered_event(noise)
        Random(f"{plan.settings.seed}/order/{slot.region}/{first}").shuffle(events)
        for event in events:
            text = encode(event)
            if event is target:
                ip = event["sourceIPAddress"]
                other = '"sourceIPAddress":"192.0.2.27"'
                yield text.replace(f'"sourceIPAddress":"{ip}"', other), text, event["eventTime"]
            else:
                yield text, None, event["eventTime"]


def write_slot(folder: Path, plan: Plan, slot: Slot, level: int) -> LogFile | None:
    """Write one log file below `folder`; None where the slot holds no event."""
    repeats = _repeats(plan, slot)
    count, oldest, newest = 0, "9", "0"
    path = folder / slot.key
    with GzipFile(path, level) as target:
        target.write(b'{"Records":[')
        for text, signed, at in _texts(plan, slot, repeats):
            comma = "," if count else ""
            target.write((comma + text).encode(), None if signed is None else (comma + signed).encode())
            count += 1
            oldest, newest = min(oldest, at), max(newest, at)
        target.write(b"]}")
    if not count:
        path.unlink()
        return None
    return LogFile(slot.key, slot.region, target.digest, slot.delivered, oldest, newest, count, len(repeats))


def _elsewhere() -> Slot:
    hour = T0 - T0 % HOUR
    return Slot(AP, 0, hour, hour + HOUR, HOUR)


def _task(work: tuple[Path, Plan, Slot, int]) -> LogFile | None:
    return write_slot(*work)


def write_trail(folder: Path, plan: Plan) -> list[LogFile]:
    """Write all log files below `folder`; in the order of their regions and times."""
    share = max(1, plan.settings.files * 2 // 3)
    found = slots(plan, US, share) + slots(plan, EU, max(1, plan.settings.files - share)) + [_elsewhere()]
    large = plan.settings.events > _ALONE
    work = [(folder, plan, slot, 3 if large else 9) for slot in found]
    if not large:
        return [made for made in map(_task, work) if made]
    with ProcessPoolExecutor(max_workers=min(8, cpu_count() or 1)) as pool:
        return [made for made in pool.map(_task, work) if made]
