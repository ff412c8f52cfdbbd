"""Writes the CloudTrail log files, each on its own, so that several processes can share the work."""

from __future__ import annotations

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


@dataclass(frozen=True)
class _Part:
    """One unit of a log file: its records as written, and as signed where that differs."""

    text: str
    signed: str | None
    times: list[str]


def _part(plan: Plan, slot: Slot, first: int, repeats: list[Record]) -> _Part:
    """Build the records of one unit, in no order, the altered one altered."""
    hour = first - first % HOUR
    noise = _unit_noise(plan, slot.region, first, slot.seconds)
    events = noise + _inside(plan.planted.get((slot.region, hour), []), first, slot.seconds) + repeats
    Random(f"{plan.settings.seed}/order/{slot.region}/{first}").shuffle(events)
    signed, times = ",".join(map(encode, events)), [event["eventTime"] for event in events]
    if (slot.region, hour) != (US, ALTERED_HOUR) or slot.delivered > DIGEST_UNTIL:
        return _Part(signed, None, times)
    target = altered_event(noise)
    if target is None:
        return _Part(signed, None, times)
    before, after = encode(target), encode({**target, "sourceIPAddress": "192.0.2.27"})
    return _Part(signed.replace(before, after), signed, times)


def write_slot(folder: Path, plan: Plan, slot: Slot, level: int) -> LogFile | None:
    """Write one log file below `folder`; None where the slot holds no event."""
    repeats = _repeats(plan, slot)
    count, oldest, newest = 0, "9", "0"
    path = folder / slot.key
    with GzipFile(path, level) as target:
        target.write(b'{"Records":[')
        for first in range(slot.first, slot.last, slot.seconds):
            part = _part(plan, slot, first, repeats if first == slot.first else [])
            if not part.times:
                continue
            comma = "," if count else ""
            signed = None if part.signed is None else (comma + part.signed).encode()
            target.write((comma + part.text).encode(), signed)
            count += len(part.times)
            oldest, newest = min(oldest, *part.times), max(newest, *part.times)
        target.write(b"]}")
    if not count:
        path.unlink()
        return None
    return LogFile(slot.key, slot.region, target.digest, slot.delivered, oldest, newest, count, len(repeats))


def _elsewhere() -> Slot:
    hour = T0 - T0 % HOUR
    return Slot(AP, 0, hour, hour + HOUR, HOUR)


_SHARED: list[tuple[Path, Plan, int]] = []


def _share(folder: Path, plan: Plan, level: int) -> None:
    """Keep in a process what all its files need, instead of sending it with each."""
    _SHARED[:] = [(folder, plan, level)]


def _task(slot: Slot) -> LogFile | None:
    folder, plan, level = _SHARED[0]
    return write_slot(folder, plan, slot, level)


def write_trail(folder: Path, plan: Plan) -> list[LogFile]:
    """Write all log files below `folder`; in the order of their regions and times."""
    share = max(1, plan.settings.files * 2 // 3)
    found = [*slots(plan, US, share), *slots(plan, EU, max(1, plan.settings.files - share)), _elsewhere()]
    if plan.settings.events <= _ALONE:
        _share(folder, plan, 9)
        return [made for made in map(_task, found) if made]
    workers = min(8, cpu_count() or 1)
    with ProcessPoolExecutor(workers, initializer=_share, initargs=(folder, plan, 3)) as pool:
        return [made for made in pool.map(_task, found) if made]
