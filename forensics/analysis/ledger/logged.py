"""What the evidence cannot rule out: every way to read a place must be logged before "none seen" may be said."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from forensics.analysis.ledger.places import RUNTIMES, Place
from forensics.model.clock import iso
from forensics.model.times import to_epoch

if TYPE_CHECKING:
    from forensics.analysis.facts import Facts, Row
    from forensics.analysis.policy import Policy

NAMES = {"secret": "Secrets Manager", "ssm": "Parameter Store", "lambda": "Lambda", "s3": "S3", "vault": "Vault"}
_SOURCES = {"secret": "secretsmanager.amazonaws.com", "ssm": "ssm.amazonaws.com", **RUNTIMES}
_BLINDING = frozenset(
    {
        "StopLogging",
        "DeleteTrail",
        "PutEventSelectors",
        "UpdateTrail",
        "DeleteEventDataStore",
        "StopEventDataStoreIngestion",
    }
)
_FAULTS = {
    "missing": "log files that a digest lists are missing",
    "missing_digest": "digests are missing",
}
#: Places whose reads no log of AWS shows in full, with what would.
_BLIND = {
    "rds": "reads inside a database do not show in CloudTrail: its own audit log, or the application's, would show them",
    "ebs": "reads of files on a disk do not show in CloudTrail: the machine's own logs would show them",
    "kms": "the place is a key and not a store: the log of the application that uses it would show reads",
    "application": "reads in the application show only in its own log, and nobody declared that log complete",
}


def checked(facts: Facts) -> str:
    """Say whether the log files were checked against digests."""
    if any(row["state"] == "checked" and row["files"] for row in facts.integrity):
        return "No log file failed its check against the digests that were supplied"
    return "The log files were not checked against digests"


def lacks(place: Place, facts: Facts, policy: Policy) -> list[str]:
    """Return what the evidence lacks to say that a place was not read; empty when nothing does."""
    if place.kind in _BLIND:
        return [_BLIND[place.kind]]
    if place.kind == "vault":
        if not facts.vault_hours:
            return ["no Vault audit log was supplied"]
        return [
            f"the Vault audit log has no record from {a} to {b}" for a, b in _gaps(facts.vault_hours, facts, policy)
        ]
    if place.kind in {"s3", "dynamodb"}:
        return _of_data_events(place, facts, policy)
    regions = [place.region] if place.region else sorted(facts.hours)
    if not regions:
        return ["no CloudTrail events were supplied"]
    out: list[str] = []
    source = _SOURCES.get(place.kind, "")
    for region in regions:
        if (region, source) not in facts.services:
            out.append(f"no {NAMES.get(place.kind, place.kind)} event of {region} is in the evidence")
            continue
        out += _of_region(region, facts, policy)
    if place.kind == "secret":
        out += [
            f"the intruder read secrets by filter at {iso(r['event_time'])}, and no single record shows which"
            for r in facts.register.unlisted_batches
            if r["region"] in regions and facts.root_of(r)
        ]
    return out


def _of_data_events(place: Place, facts: Facts, policy: Policy) -> list[str]:
    """Reads of objects and items show only in data events of their bucket or table."""
    store = place.name.partition("/")[0]
    regions = sorted(r for r, name in facts.data_events if name == store and (not place.region or r == place.region))
    if not regions:
        return [f"no data event of {store} is in the evidence: reads of it would not show"]
    return [lack for region in regions for lack in _of_region(region, facts, policy)]


def _of_region(region: str, facts: Facts, policy: Policy) -> list[str]:
    if region not in facts.region_lacks:
        hours = [r["hour"] for r in facts.hours.get(region, [])]
        facts.region_lacks[region] = [
            *_integrity(region, facts),
            *(f"{region} has no event from {a} to {b}" for a, b in _gaps(hours, facts, policy)),
            *(
                f"{row['action']} on trail {row['trail']} at {iso(row['event_time'])} may hide reads in {region}"
                for row in facts.logging
                if row["action"] in _BLINDING and _affects(row, region, facts)
            ),
        ]
    return facts.region_lacks[region]


def _integrity(region: str, facts: Facts) -> list[str]:
    """Return what the check of digests leaves open in a region; a fault whose region is unknown counts everywhere."""
    return [
        f"{row['files']} {_FAULTS.get(row['state'], 'log files failed their check (' + row['state'] + ')')} in"
        f" {row['region'] or 'an unknown region'}, e.g. {row['first_object']}"
        for row in facts.integrity
        if row["state"] != "checked" and row["region"] in ("", region)
    ]


def _gaps(hours: list[int], facts: Facts, policy: Policy) -> list[tuple[str, str]]:
    start, end = to_epoch(facts.since) // 3600, -(-to_epoch(facts.until) // 3600)
    marks = [start - 1, *sorted(set(hours)), end]
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC
    return [
        (iso(epoch + timedelta(hours=a + 1)), iso(epoch + timedelta(hours=b)))
        for a, b in pairwise(marks)
        if b - a - 1 > policy.log_gap_hours
    ]


def _affects(row: Row, region: str, facts: Facts) -> bool:
    """A trail of the roster affects its stated regions; one that nobody described may be of all regions."""
    name = str(row["trail"] or "").rpartition("/")[2]
    for trail in facts.settings.trails:
        if trail.name == name:
            return region in trail.regions
    return True
