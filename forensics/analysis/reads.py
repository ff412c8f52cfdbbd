"""The exposure axis: was the stored key read, and could the evidence have shown it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from forensics.analysis.facts import Alternative, Facts, Reason, Row, times
from forensics.analysis.keys import Key
from forensics.analysis.policy import Policy
from forensics.model.clock import iso
from forensics.model.times import to_epoch
from forensics.model.verdict import Exposure

_ORDER = (Exposure.READ, Exposure.DECRYPTED, Exposure.CONFIGURATION_READ)
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
_COLUMN = {"secret": "secret_events", "ssm": "parameter_events", "lambda": "function_events"}
_NAMES = {"secret": "Secrets Manager", "ssm": "Parameter Store", "lambda": "Lambda"}
_WORDS = {
    Exposure.READ: "read",
    Exposure.DECRYPTED: "decrypted by its encryption context",
    Exposure.CONFIGURATION_READ: "its function's configuration was read",
}


@dataclass(slots=True)
class ExposureAnswer:
    """The exposure axis of one key with its reasons; `first` and `last` are times of suspect reads."""

    value: Exposure
    first: datetime | None = None
    last: datetime | None = None
    reasons: list[Reason] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    reads: list[Row] = field(default_factory=list)


def _touches(read: Row, key: Key) -> bool:
    if key.location_region and read["region"] != key.location_region:
        return False
    if read["location_kind"] == "ssm_path":
        return key.location_kind == "ssm" and key.location.startswith(str(read["location"]).rstrip("/") + "/")
    return bool(read["location_kind"] == key.location_kind and read["location"] == key.location)


def judge_exposure(key: Key, facts: Facts, policy: Policy) -> ExposureAnswer:
    """Return the exposure axis of a key."""
    if key.location_kind not in _COLUMN:
        text = "where this key is stored is not known: no read of it can be recognised"
        return ExposureAnswer(
            Exposure.NOT_EVALUABLE, reasons=[Reason("exposure", text, "inventory", "exposure.location_reads")]
        )
    touching = [r for r in facts.reads if _touches(r, key)]
    suspect = [r for r in touching if r["event_key"] in facts.suspects]
    successes = [r for r in suspect if r["outcome"] == "success"]
    if successes:
        return _seen(successes, suspect, facts)
    unusual = [
        r
        for r in touching
        if r["outcome"] == "success" and not r["usual_reads"] and not r["invoked_by"] and _after_baseline(r, facts)
    ]
    if unusual:
        return _possible(unusual, facts)
    return _none(key, suspect, touching, facts, policy)


def _after_baseline(read: Row, facts: Facts) -> bool:
    return facts.baseline_until is not None and read["event_time"] >= facts.baseline_until


def _seen(successes: list[Row], suspect: list[Row], facts: Facts) -> ExposureAnswer:
    classes = {r["access"] for r in successes}
    value = next(v for v in _ORDER if v.value in classes)
    answer = ExposureAnswer(value, successes[0]["event_time"], successes[-1]["event_time"], reads=suspect)
    for kind in _ORDER:
        rows = [r for r in successes if r["access"] == kind.value]
        if rows:
            first = rows[0]
            who = first["session_name"] or first["actor"] or "an unnamed principal"
            text = (
                f"{_WORDS[kind]} {times(len(rows))} by the intruder, first {iso(first['event_time'])} by {who}"
                f" from {first['source_ip'] or 'no address'} ({first['action']})"
            )
            root = facts.suspects[first["event_key"]]["root"]
            answer.reasons.append(
                Reason("exposure", text, root, "exposure.location_reads", tuple(r["event_key"] for r in rows))
            )
    usual = sum(r["usual_reads"] for r in successes[:1])
    result = (
        f"that principal had read it {times(usual)} before"
        if usual
        else "that principal had not read it before the baseline ended"
    )
    answer.alternatives.append(Alternative("The reader does this as part of its ordinary work", True, result))
    answer.alternatives.append(
        Alternative(
            "Somebody of the organisation used the credential for maintenance",
            False,
            "ask the organisation for change records of that hour",
        )
    )
    return answer


def _possible(unusual: list[Row], facts: Facts) -> ExposureAnswer:
    first = unusual[0]
    stated = bool(facts.settings.known)
    value = (
        Exposure.POSSIBLY
        if stated
        else next((v for v in _ORDER if v.value in {r["access"] for r in unusual}), Exposure.POSSIBLY)
    )
    why = (
        "not attributed to the intruder"
        if stated
        else "no intruder is stated in the settings, so every new reader counts"
    )
    text = f"read by a principal that had not read it before: {first['actor']} at {iso(first['event_time'])}; {why}"
    reason = Reason(
        "exposure",
        text,
        f"event {first['event_key']}",
        "exposure.location_reads",
        tuple(r["event_key"] for r in unusual),
    )
    alternative = Alternative(
        "A new version of a service or a new operator reads it",
        False,
        "ask the organisation who this principal is",
    )
    return ExposureAnswer(value, first["event_time"], unusual[-1]["event_time"], [reason], [alternative], unusual)


def _none(key: Key, suspect: list[Row], touching: list[Row], facts: Facts, policy: Policy) -> ExposureAnswer:
    """No suspect read was seen: that is `none_seen` only where every read path was logged over the whole window."""
    reasons = []
    if suspect:
        text = f"{len(suspect)} attempts by the intruder to read it were denied or failed"
        reasons.append(
            Reason("exposure", text, "denied", "exposure.location_reads", tuple(r["event_key"] for r in suspect))
        )
    lacks = _lacks(key, facts, policy)
    if lacks:
        text = "no read by the intruder was seen, but the evidence cannot rule it out: " + "; ".join(lacks)
        reasons.append(Reason("exposure", text, "coverage", "exposure.region_hours"))
        return ExposureAnswer(Exposure.NOT_EVALUABLE, reasons=reasons, reads=suspect)
    readers = sorted({r["actor"] or "-" for r in touching if r["outcome"] == "success"})
    text = (
        f"no read by the intruder or a new principal over the whole window; {len(touching)} reads by {', '.join(readers) or 'nobody'},"
        f" all usual. {_NAMES[key.location_kind]} of {key.location_region or 'its region'} is logged in every stretch of"
        f" {policy.log_gap_hours} hours and no trail there was changed. {_checked(facts)}. As of the horizon, {_reach(key, facts)}"
    )
    reasons.append(Reason("exposure", text, "coverage", "exposure.region_hours"))
    return ExposureAnswer(Exposure.NONE_SEEN, reasons=reasons, reads=suspect)


def _reach(key: Key, facts: Facts) -> str:
    """Say how far CloudTrail reaches in the region of a key: a read after that would not be seen."""
    region = key.location_region
    return "; ".join(h.words() for h in facts.trails.values() if region in ("", h.what)) or "no trail"


def _checked(facts: Facts) -> str:
    """Say whether the log files were checked against digests."""
    if any(row["state"] == "checked" and row["files"] for row in facts.integrity):
        return "No log file failed its check against the digests that were supplied"
    return "The log files were not checked against digests"


_FAULTS = {
    "missing": "log files that a digest lists are missing",
    "missing_digest": "digests are missing",
}


def _integrity_lacks(region: str, facts: Facts) -> list[str]:
    """Return what the check of digests leaves open in a region; a fault whose region is unknown counts everywhere."""
    return [
        f"{row['files']} {_FAULTS.get(row['state'], 'log files failed their check (' + row['state'] + ')')} in"
        f" {row['region'] or 'an unknown region'}, e.g. {row['first_object']}"
        for row in facts.integrity
        if row["state"] != "checked" and row["region"] in ("", region)
    ]


def _lacks(key: Key, facts: Facts, policy: Policy) -> list[str]:
    regions = [key.location_region] if key.location_region else sorted(facts.hours)
    if not regions:
        return ["no CloudTrail events were supplied"]
    lacks: list[str] = []
    for region in regions:
        rows = facts.hours.get(region, [])
        if not sum(r[_COLUMN[key.location_kind]] for r in rows):
            lacks.append(f"no {_NAMES[key.location_kind]} event of {region} is in the evidence")
            continue
        lacks += _integrity_lacks(region, facts)
        lacks += [f"{region} has no event from {a} to {b}" for a, b in _gaps([r["hour"] for r in rows], facts, policy)]
        lacks += [
            f"{row['action']} on trail {row['trail']} at {iso(row['event_time'])} may hide reads in {region}"
            for row in facts.logging
            if row["action"] in _BLINDING and _affects(row, region, facts)
        ]
    return lacks


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
