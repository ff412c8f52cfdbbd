"""The exposure axis: was the stored key read, and could the evidence have shown it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from forensics.analysis.facts import Alternative, Facts, Reason, Row, times
from forensics.analysis.keys import Key
from forensics.analysis.ledger import innocent
from forensics.analysis.ledger.logged import NAMES, checked, lacks
from forensics.analysis.ledger.places import Place, place_of
from forensics.analysis.ledger.register import ordered
from forensics.analysis.ledger.values import left_at, value_of
from forensics.analysis.ledger.wrapping import wrapped_acts
from forensics.analysis.policy import Policy
from forensics.model.clock import iso
from forensics.model.verdict import Exposure

#: Classes of evidence, the strongest first.
ORDER = (
    Exposure.READ,
    Exposure.DECRYPTED,
    Exposure.CONFIGURATION_READ,
    Exposure.STORE_COPIED,
    Exposure.POSSIBLY,
)
_WORDS = {
    Exposure.READ: "read",
    Exposure.DECRYPTED: "decrypted by its encryption context",
    Exposure.CONFIGURATION_READ: "the configuration that holds it was read",
    Exposure.STORE_COPIED: "the store that holds it was copied, shared, opened or scanned",
    Exposure.POSSIBLY: "possibly handed out",
}
#: Reads of settings count for newcomers even where a listing leaves open which page was read.
_SETTINGS = "exposure.runtime_reads"
#: Acts on a store that say something only when the intruder did them: everybody else writes policies all day.
_INTRUDERS_ONLY = frozenset(
    {"PutBucketPolicy", "PutBucketAcl", "PutBucketReplication", "CreateVolume", "AttachVolume", "PutResourcePolicy",
     "ReplicateSecretToRegions"}
)  # fmt: skip


@dataclass(slots=True)
class ExposureAnswer:
    """The exposure axis of one key with its reasons; `first` and `last` are times of acts that expose it.

    `again` holds the intruder's reads of a value that was stored after this key had left its place.
    """

    value: Exposure
    first: datetime | None = None
    last: datetime | None = None
    reasons: list[Reason] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    reads: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge_exposure(key: Key, facts: Facts, policy: Policy) -> ExposureAnswer:
    """Return the exposure axis of a key."""
    place = place_of(key)
    entries = _entries(key, place, facts)
    suspect = [r for r in entries if facts.root_of(r)]
    mine = [r for r in suspect if r["value"] == "this"]
    later = [r for r in suspect if r["value"] == "later" and r["outcome"] == "success"]
    successes = [r for r in mine if r["outcome"] == "success"]
    if place is None and not successes:
        text = "where this key is stored is not known: no read of it can be recognised"
        reason = Reason("exposure", text, "inventory", "exposure.location_reads")
        return ExposureAnswer(Exposure.NOT_EVALUABLE, reasons=[reason])
    if not successes and later and place is not None and not _successors(key, place, facts):
        why = "the value read was stored after this key had left its place; no row of the inventory names another key"
        successes = [{**r, "access": Exposure.POSSIBLY.value, "why": why} for r in later]
    if successes:
        answer = _seen(successes, mine or successes, facts)
    else:
        newcomers = [r for r in entries if _is_newcomer(r, facts)]
        answer = _possible(newcomers, facts) if newcomers else _none(place, mine, entries, facts, policy)
    answer.again = later
    _notes(key, place, suspect, answer, facts)
    return answer


def _entries(key: Key, place: Place | None, facts: Facts) -> list[Row]:
    """Return all acts on the key's place or on the key itself, each with the value it handed out."""
    rows = [r for r in facts.register.naming(key.provider, key.key_id) if _may_speak(r, key, facts)]
    if place is None:
        return [{**r, "value": "this"} for r in rows]
    changes = facts.changes_at.at(place)
    left = left_at(key, place, changes, facts.holdings)
    at_place = [r for r in facts.register.touching(place) if _may_speak(r, key, facts)]
    rows += [*at_place, *wrapped_acts(key, place, facts)]
    return [{**_in_clear(r), "value": value_of(r, key, changes, left)} for r in ordered(_once(rows))]


def _may_speak(row: Row, key: Key, facts: Facts) -> bool:
    """Whether a log of another store than AWS may speak of a key: two owners can have the same path or name."""
    organisation = facts.settings.organisation
    return not row.get("owner") or not organisation or row["owner"] in {organisation, key.customer}


def _once(rows: list[Row]) -> list[Row]:
    held: dict[str, Row] = {}
    for row in rows:
        known = held.get(row["event_key"])
        if known is None or _rank(row) < _rank(known):
            held[row["event_key"]] = row
    return list(held.values())


def _rank(row: Row) -> int:
    return ORDER.index(Exposure(row["access"]))


def _in_clear(row: Row) -> Row:
    """A parameter asked for without decryption comes back as it is stored: in clear only when it is no SecureString."""
    if row["access"] == Exposure.READ.value and row.get("with_decryption") == "false":
        why = "asked for without decryption: an encrypted parameter then comes back encrypted"
        return {**row, "access": Exposure.POSSIBLY.value, "why": why}
    return row


def _successors(key: Key, place: Place, facts: Facts) -> bool:
    created = key.created_at
    return any(
        k.created_at is not None and k.key_id != key.key_id and (created is None or k.created_at > created)
        for k in facts.holdings.at(place)
    )


def _is_newcomer(read: Row, facts: Facts) -> bool:
    """Whether a principal that never did so before the baseline ended read the key's value afterwards."""
    return (
        read["outcome"] == "success"
        and read["value"] == "this"
        and (read["access"] != Exposure.POSSIBLY.value or read["query_id"] == _SETTINGS)
        and read["action"] not in _INTRUDERS_ONLY
        and not read["usual_reads"]
        and not read["invoked_by"]
        and facts.baseline_until is not None
        and read["event_time"] >= facts.baseline_until
    )


def _seen(successes: list[Row], suspect: list[Row], facts: Facts) -> ExposureAnswer:
    value = min((Exposure(r["access"]) for r in successes), key=ORDER.index)
    answer = ExposureAnswer(value, successes[0]["event_time"], successes[-1]["event_time"], reads=suspect)
    for kind in ORDER:
        for query_id in sorted({r["query_id"] for r in successes if r["access"] == kind.value}):
            rows = [r for r in successes if r["access"] == kind.value and r["query_id"] == query_id]
            answer.reasons.append(_reason(kind, query_id, rows, facts))
    answer.alternatives += innocent.of_reads(successes, value, facts)
    return answer


def _reason(kind: Exposure, query_id: str, rows: list[Row], facts: Facts) -> Reason:
    first = rows[0]
    who = first["session_name"] or first["actor"] or "an unnamed principal"
    text = (
        f"{_WORDS[kind]} {times(len(rows))} by the intruder, first {iso(first['event_time'])} by {who}"
        f" from {first['source_ip'] or 'no address'} ({first['action']})"
    )
    whys = sorted({r["why"] for r in rows if r.get("why")})
    text += f": {'; '.join(whys)}" if whys else ""
    return Reason("exposure", text, facts.root_of(first), query_id, tuple(r["event_key"] for r in rows))


def _possible(unusual: list[Row], facts: Facts) -> ExposureAnswer:
    first = unusual[0]
    stated = bool(facts.settings.known)
    value = Exposure.POSSIBLY if stated else min((Exposure(r["access"]) for r in unusual), key=ORDER.index)
    why = (
        "not attributed to the intruder"
        if stated
        else "no intruder is stated in the settings, so every new reader counts"
    )
    act = _WORDS[Exposure(first["access"])]
    text = f"{act} by a principal that had not done so before: {first['actor']} at {iso(first['event_time'])}; {why}"
    keys = tuple(r["event_key"] for r in unusual)
    reason = Reason("exposure", text, f"event {first['event_key']}", first["query_id"], keys)
    return ExposureAnswer(
        value, first["event_time"], unusual[-1]["event_time"], [reason], innocent.of_newcomers(), unusual
    )


def _none(place: Place | None, suspect: list[Row], entries: list[Row], facts: Facts, policy: Policy) -> ExposureAnswer:
    """No suspect read was seen: that is `none_seen` only where every read path was logged over the whole window."""
    reasons = []
    if suspect:
        text = f"{len(suspect)} attempts by the intruder to read it were denied or failed"
        keys = tuple(r["event_key"] for r in suspect)
        reasons.append(Reason("exposure", text, "denied", suspect[0]["query_id"], keys))
    missing = lacks(place, facts, policy) if place else ["where it is stored is not known"]
    if missing or place is None:
        text = "no read by the intruder was seen, but the evidence cannot rule it out: " + "; ".join(missing)
        reasons.append(Reason("exposure", text, "coverage", "exposure.region_hours"))
        return ExposureAnswer(Exposure.NOT_EVALUABLE, reasons=reasons, reads=suspect)
    reads = [r for r in entries if r["outcome"] == "success" and r["value"] == "this"]
    readers = sorted({r["actor"] or "-" for r in reads})
    text = (
        f"no read by the intruder or a new principal over the whole window; {len(reads)} reads by {', '.join(readers) or 'nobody'},"
        f" all usual. {NAMES.get(place.kind, place.kind)} of {place.region or 'its region'} is logged in every stretch of"
        f" {policy.log_gap_hours} hours and no trail there was changed. {checked(facts)}.{_reach(place, facts)}"
    )
    reasons.append(Reason("exposure", text, "coverage", "exposure.region_hours"))
    return ExposureAnswer(Exposure.NONE_SEEN, reasons=reasons, reads=suspect)


def _reach(place: Place, facts: Facts) -> str:
    """Say how far CloudTrail reaches in the region of a place: a read after that would not be seen."""
    if place.kind == "vault":
        return ""
    reach = "; ".join(h.words() for h in facts.trails.values() if place.region in ("", h.what)) or "no trail"
    return f" As of the horizon, {reach}"


def _notes(key: Key, place: Place | None, suspect: list[Row], answer: ExposureAnswer, facts: Facts) -> None:
    earlier = [r for r in suspect if r["value"] == "earlier" and r["outcome"] == "success"]
    if earlier:
        answer.notes.append(
            f"{len(earlier)} reads by the intruder are not counted: they came before this key was made and stored, and had"
            " an earlier value of its place"
        )
    if answer.again:
        first = answer.again[0]
        answer.notes.append(
            f"exposed again: after this key had been replaced, the intruder read the new value {times(len(answer.again))},"
            f" first {iso(first['event_time'])}; the key that took its place must be rotated too"
        )
    if place is not None:
        held = facts.holdings.at(place)
        if len(held) > 1:
            answer.notes.append(
                f"{len(held)} keys of {len({k.customer for k in held})} customers lie at this place: one read hands out all"
            )
