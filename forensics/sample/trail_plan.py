"""Which events happen in which hour and lie in which log file, known before anything is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from forensics.sample.identities import Record, digits
from forensics.sample.intrusion_entry import enter
from forensics.sample.intrusion_hold import hold
from forensics.sample.noise import hum_of, scheduled, weight
from forensics.sample.planted import Planted
from forensics.sample.response import contain
from forensics.sample.story import ACCOUNT, END, EU, INCIDENT_DAY, US, Settings
from forensics.sample.times import HOUR, compact, day_path, epoch

ALTERED_HOUR = INCIDENT_DAY + 8 * HOUR


class TooFewEventsError(ValueError):
    """`--events` asks for less than the story and the scheduled work need; says how many that is."""


@dataclass
class Plan:
    """Everything that decides the log files; small, and the same in every process."""

    settings: Settings
    planted: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    hum: dict[tuple[str, int], int] = field(default_factory=dict)
    steps: dict[str, list[str]] = field(default_factory=dict)

    @property
    def hours(self) -> range:
        """Beginnings of all hours of the evidence."""
        return range(self.settings.since, END, HOUR)

    def noise(self, region: str, hour: int) -> list[Record]:
        """All ordinary events of an hour."""
        found = scheduled(self.settings, hour, region)
        return found + hum_of(self.settings, hour, region, self.hum.get((region, hour), 0))


@dataclass(frozen=True)
class Slot:
    """One log file: units of equal length from `first` up to `last`, each `seconds` long."""

    region: str
    number: int
    first: int
    last: int
    seconds: int

    @property
    def delivered(self) -> int:
        """When the file reached the bucket: five minutes after its last unit."""
        return self.last + 300

    @property
    def key(self) -> str:
        """The S3 object key."""
        stamp = compact(self.delivered)[:-3] + "Z"
        tail = digits(f"{self.region}/{self.number}/{self.delivered}", 16)
        return (
            f"AWSLogs/{ACCOUNT}/CloudTrail/{self.region}/{day_path(self.delivered)}/"
            f"{ACCOUNT}_CloudTrail_{self.region}_{stamp}_{tail}.json.gz"
        )


def make_plan(settings: Settings) -> Plan:
    """Plant the story, count the scheduled work and spread the rest of `--events` over the hours."""
    pen = Planted(settings)
    enter(pen)
    hold(pen)
    contain(pen)
    grouped: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for event in pen.events:
        at = epoch(event["eventTime"])
        grouped[event["awsRegion"], at - at % HOUR].append(event)
    plan = Plan(settings, dict(grouped), {}, dict(pen.steps))
    places = [(region, hour) for region in (US, EU) for hour in plan.hours]
    needed = len(pen.events) + sum(len(scheduled(settings, hour, region)) for region, hour in places)
    rest = settings.events - needed
    if rest < 0:
        raise TooFewEventsError(f"--events must be at least {needed} for these settings")
    total, seen, given = sum(weight(hour, region) for region, hour in places), 0, 0
    for region, hour in places:
        seen += weight(hour, region)
        plan.hum[region, hour] = rest * seen // total - given
        given += plan.hum[region, hour]
    return plan


def slots(plan: Plan, region: str, count: int) -> list[Slot]:
    """Cut the hours of a region into `count` files of nearly equal length, finer than an hour if needed."""
    hours = len(plan.hours)
    parts = next(
        n for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 360, 3600) if n * hours >= count or n == 3600
    )
    seconds, units = HOUR // parts, hours * parts
    count = max(1, min(count, units))
    edges = [-(-number * units // count) for number in range(count + 1)]
    start = plan.settings.since
    return [
        Slot(region, number, start + edges[number] * seconds, start + edges[number + 1] * seconds, seconds)
        for number in range(count)
    ]
