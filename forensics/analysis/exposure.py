"""Verdicts: both axes of every key, with reasons, roots and innocent explanations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forensics.analysis.abuse import AbuseAnswer, judge_abuse
from forensics.analysis.cost import Costs, costs_of
from forensics.analysis.facts import Alternative, Facts, Row
from forensics.analysis.horizon import Horizon
from forensics.analysis.keys import Key
from forensics.analysis.ledger.places import place_of
from forensics.analysis.misuse.innocent import of_many
from forensics.analysis.misuse.together import together
from forensics.analysis.policy import DEFAULT, Policy
from forensics.analysis.reads import ExposureAnswer, judge_exposure
from forensics.model.clock import iso
from forensics.model.verdict import SEEN, Abuse, Verdict, headline

if TYPE_CHECKING:
    from forensics.analysis.inventory.aliases import Aliases

_READ_FIELDS = (
    "event_key",
    "event_time",
    "access",
    "action",
    "actor",
    "session_name",
    "credential_id",
    "source_ip",
    "outcome",
    "evidence",
    "location",
    "region",
    "usual_reads",
    "value",
    "query_id",
)


def judge(keys: list[Key], facts: Facts, policy: Policy = DEFAULT, names: Aliases | None = None) -> list[Row]:
    """Return the answer for each key, most severe first, in the documented shape of `exposure --json`.

    `names`: by what else than ids acts may name them.
    """
    facts.hold(keys, names)
    answers = [_answer(key, facts, policy) for key in keys]
    for answer, sign in zip(answers, together([_begun(a) for a in answers], policy), strict=True):
        if sign is not None:
            answer["signs"].append(sign.as_json(policy))
            answer["reasons"].append(sign.reason().as_json())
            answer["alternatives"].append(of_many().as_json())
    order = list(Verdict)
    answers.sort(key=lambda a: (order.index(a["verdict"]), a["customer"], a["provider"], a["key_id"]))
    return answers


def _begun(answer: Row) -> tuple[str, datetime | None, tuple[str, ...]]:
    """Return customer, begin of unusual use and the events that show it."""
    shown = (r["event_keys"] for r in answer["reasons"] if r["axis"] == "abuse" and r["event_keys"])
    start = answer["first_use_unexplained"]["from"] if answer["first_use_unexplained"] else None
    return answer["customer"], start, tuple(next(shown, ()))


def _answer(key: Key, facts: Facts, policy: Policy) -> Row:
    exposure = judge_exposure(key, facts, policy)
    rotated = _rotation(key, exposure, facts)
    abuse = judge_abuse(key, exposure, facts, policy, rotated)
    verdict = headline(exposure.value, abuse.value)
    revoked = abuse.revoked["event_time"] if abuse.revoked else key.revoked_at
    last, active = _still_active(abuse, facts, policy)
    horizon = _horizon(key, abuse, facts)
    used = abuse.series.buckets.last_used() if abuse.series else None
    notes = [*key.notes, *exposure.notes, *abuse.notes]
    if facts.settings.t0 is None:
        notes.append(
            "T0 is not stated: where a baseline was needed it ends 24 hours before the first exposure of the key"
        )
    last_act = facts.last_act() if rotated and exposure.value in SEEN and not exposure.again else None
    if rotated and last_act and last_act > rotated:
        notes.append(
            f"its place got a new value at {iso(rotated)}, while the intruder still acted until {iso(last_act)}: no read of"
            " the new value was seen, but the intruder had not been shut out"
        )
    if rotated is None and key.rotated_at:
        notes.append(f"rotation at {iso(key.rotated_at)} is stated by the inventory; the logs do not show it")
    if key.revoked_at and not abuse.revoked:
        notes.append(f"revocation at {iso(key.revoked_at)} is stated by the inventory; no provider log shows it")
    costs = (
        costs_of(key, facts, exposure.first or facts.settings.t0, abuse.series)
        if abuse.value in {Abuse.ESTABLISHED, Abuse.UNEXPLAINED, Abuse.EXPLAINED}
        else Costs()
    )
    reasons = [*exposure.reasons, *abuse.reasons]
    return {
        "provider": key.provider,
        "key_id": key.key_id,
        "customer": key.customer,
        "kind": key.kind,
        "hint": key.hint,
        "location": f"{key.location_kind}:{key.location_region}:{key.location}" if key.location else "",
        "basis": key.basis,
        "exposure": exposure.value.value,
        "abuse": abuse.value.value,
        "verdict": verdict,
        "decision": "open",
        "exposed_at": _interval(exposure.first, exposure.last) if exposure.value in SEEN else None,
        "first_use_unexplained": _interval(abuse.first_from, abuse.first_to),
        "excess_cost": costs.excess,
        "costs": costs.figures,
        "rotated_at": rotated or key.rotated_at,
        "revoked_at": revoked,
        "still_active": active,
        "last_use": last,
        "last_bucket_from": used[0] if used else None,
        "as_of": _until(horizon, facts) if horizon else None,
        "as_of_source": horizon.source if horizon else None,
        "reasons": [r.as_json() for r in reasons],
        "signs": [s.as_json(policy) for s in abuse.found],
        "misuse_path": abuse.path or None,
        "alternatives": [
            a.as_json() for a in (*exposure.alternatives, *abuse.alternatives, *_alternatives(exposure, abuse))
        ],
        "exposed_again": _interval(exposure.again[0]["event_time"], exposure.again[-1]["event_time"])
        if exposure.again
        else None,
        "reads": [_read(r, facts) for r in (*exposure.reads, *exposure.again)],
        "notes": notes,
    }


def _read(row: Row, facts: Facts) -> Row:
    """Return an act on the place of a key: who, by which session and chain, from where, when, and whether usually."""
    known = {n: row.get(n) for n in _READ_FIELDS}
    return {**known, "chain": facts.chain(row["credential_id"]), "root": facts.root_of(row), "why": row.get("why", "")}


def _interval(start: datetime | None, end: datetime | None) -> Row | None:
    return {"from": start, "to": end} if start else None


def _alternatives(exposure: ExposureAnswer, abuse: AbuseAnswer) -> list[Alternative]:
    if abuse.value is Abuse.NONE_SEEN and exposure.value in SEEN:
        return [
            Alternative(
                "The key was used in small amounts that ordinary use hides",
                False,
                "a request log with addresses would show it",
            )
        ]
    return []


def _rotation(key: Key, exposure: ExposureAnswer, facts: Facts) -> datetime | None:
    """Return when a new value was stored at the key's place after its first exposure (or T0), by the logs."""
    after = exposure.first or facts.settings.t0 or facts.since
    place = place_of(key)
    for row in facts.changes_at.at(place) if place else ():
        if row["event_time"] >= after and row["event_key"] not in facts.suspects:
            when: datetime = row["event_time"]
            return when
    return None


def _still_active(abuse: AbuseAnswer, facts: Facts, policy: Policy) -> tuple[datetime | None, bool | None]:
    """Return the end of the last bucket with use, and whether that is within a day before the horizon of the export.

    Use that was counted is a fact however late; that there was none is only known where the export is whole.
    """
    series = abuse.series
    until = _until(series.horizon, facts) if series else None
    if series is None or until is None:
        return None, None
    used = series.buckets.last_used()
    last = used[1] if used else None
    day = timedelta(hours=policy.active_hours)
    if last is not None and until - last <= day:
        return last, True
    return last, None if series.truncated or not series.covers(until - day, until) else False


def _horizon(key: Key, abuse: AbuseAnswer, facts: Facts) -> Horizon | None:
    """Return the horizon that holds for a key: of its usage, else of CloudTrail where it is stored, else None."""
    if abuse.series is not None:
        return abuse.series.horizon
    region = key.location_region
    return max(
        (h for h in facts.trails.values() if h.until is not None and region in ("", h.what)),
        key=lambda h: (h.until, h),
        default=None,
    )


def _until(horizon: Horizon, facts: Facts) -> datetime | None:
    """Return the horizon, or the end of the window where that comes first."""
    return None if horizon.until is None else min(horizon.until, facts.until)


def unlisted(keys: list[Key], seen: list[tuple[str, str, str, str]]) -> list[Row]:
    """Return provider key ids that the logs mention and the inventory does not; never dropped."""
    listed = {(k.provider, k.key_id) for k in keys}
    return [{"provider": p, "owner": o, "key_id": k} for p, o, k, _ in seen if (p, k) not in listed]


def verdict_rows(answers: list[Row], dump: Any) -> list[Row]:
    """Return rows of table verdict; `dump` writes an answer as JSON text."""
    names = ("provider", "key_id", "customer", "exposure", "abuse", "verdict")
    return [{**{n: str(a[n]) for n in names}, "answer": dump(a)} for a in answers]
