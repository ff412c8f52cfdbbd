"""The abuse axis: direct links first, then statistics, then what explains them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from forensics.analysis.facts import Alternative, Facts, Reason, Row, times
from forensics.analysis.keys import Key
from forensics.analysis.policy import Policy
from forensics.analysis.reads import ExposureAnswer
from forensics.analysis.signs import Signs, episode, find_signs, inside
from forensics.analysis.usage import Series, owned, preferred, series_of
from forensics.model.case import GUARD, Statement
from forensics.model.clock import iso
from forensics.model.verdict import Abuse

#: Some exporters write underscores for dots.
_REVOKING = frozenset({"api_key.deleted", "api_key_deleted", "admin_api_key_deleted", "platform_api_key_deleted"})
_ENDED = frozenset({"inactive", "archived", "expired"})
_NO_ADDRESS = (
    "the provider's usage export carries no address and no user agent, so where the calls came from is not shown"
)


@dataclass(slots=True)
class AbuseAnswer:
    """The abuse axis of one key; `first_from` and `first_to` bound the first use that is unexplained or established."""

    value: Abuse
    reasons: list[Reason] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    first_from: datetime | None = None
    first_to: datetime | None = None
    series: Series | None = None
    signs: Signs | None = None
    revoked: Row | None = None
    notes: list[str] = field(default_factory=list)

    def began(self, start: datetime, end: datetime) -> None:
        """Note a time of misuse; the earliest counts."""
        if self.first_from is None or start < self.first_from:
            self.first_from, self.first_to = start, end


def judge_abuse(key: Key, exposure: ExposureAnswer, facts: Facts, policy: Policy) -> AbuseAnswer:
    """Return the abuse axis of a key."""
    answer = AbuseAnswer(Abuse.NOT_EVALUABLE, series=series_of(key, facts))
    answer.revoked = _revocation(key, facts)
    since = exposure.first or facts.settings.t0
    if answer.series is not None:
        answer.notes += answer.series.notes
        answer.signs = find_signs(
            answer.series, _baseline_end(exposure, facts), since or facts.since, facts.until, policy
        )
    links = [
        *_links_by_address(key, facts, answer),
        *_links_by_request(key, facts, answer),
        *_use_after_revocation(answer),
        *_remainder(key, since, facts, answer, policy),
    ]
    if links:
        answer.value = Abuse.ESTABLISHED
        answer.reasons += links + _signs_reasons(answer)
        _ask_innocent(answer)
        return answer
    _statistics(key, since, facts, answer, policy)
    return answer


def _baseline_end(exposure: ExposureAnswer, facts: Facts) -> datetime | None:
    if facts.baseline_until is not None:
        return facts.baseline_until
    return exposure.first - GUARD if exposure.first else None


def _mine(key: Key, row: Row, *names: str) -> bool:
    """Whether a row of the key's own owner names the key; another customer's log says nothing about it."""
    return row["provider"] == key.provider and owned(key, row["owner"] or "") and key.key_id in {row[n] for n in names}


def _ends_key(act: Row) -> bool:
    """Whether an act of the provider's log ended its target key: deleted, or its status set to one that is over."""
    if act["action"] in _REVOKING:
        return True
    if act["action"] != "platform_api_key_updated":
        return False
    try:
        updates = json.loads(act["details"] or "{}").get("updates") or []
    except (ValueError, AttributeError):
        return False
    return any(isinstance(u, dict) and u.get("type") == "status" and u.get("current_value") in _ENDED for u in updates)


def _revocation(key: Key, facts: Facts) -> Row | None:
    """Return the first act in the provider's own log that ended the key, or None."""
    ends = (a for a in facts.acts if _mine(key, a, "target_key_id") and a["outcome"] != "failure" and _ends_key(a))
    return next(ends, None)


def _links_by_address(key: Key, facts: Facts, answer: AbuseAnswer) -> list[Reason]:
    """The key acted, or was changed, from an address that only the intruder in AWS used."""
    acts = [
        a
        for a in facts.acts
        if a["tainted_address"] and a["outcome"] != "failure" and _mine(key, a, "actor_key_id", "target_key_id")
    ]
    if not acts:
        return []
    first = acts[0]
    answer.began(first["event_time"], first["event_time"])
    used = sum(1 for a in acts if a["actor_key_id"] == key.key_id)
    what = (
        f"the key was used {times(used)}"
        if used
        else f"the key was changed ({', '.join(sorted({a['action'] for a in acts}))})"
    )
    text = f"{what} at the provider from {first['tainted_address']}, an address of the intruder in AWS, first {iso(first['event_time'])}"
    return [
        Reason(
            "abuse",
            text,
            f"{first['root']}; address {first['tainted_address']}",
            "exposure.provider_acts",
            tuple(a["event_key"] for a in acts),
        )
    ]


def _aliases(key: Key, facts: Facts) -> set[str]:
    return {
        s.key_alias
        for s in facts.settings.statements
        if s.key_id == key.key_id and s.provider == key.provider and s.key_alias
    }


def _links_by_request(key: Key, facts: Facts, answer: AbuseAnswer) -> list[Reason]:
    aliases = _aliases(key, facts)
    rows = [
        r
        for r in facts.tainted_requests
        if owned(key, r["owner"] or "")
        and (r["key_id"] == key.key_id or (r["key_name"] in aliases and r["upstream_provider"] in (None, key.provider)))
    ]
    if not rows:
        return []
    first = rows[0]
    answer.began(first["event_time"], first["event_time"])
    text = f"{len(rows)} requests with this key came from {first['tainted_address']}, an address of the intruder in AWS, first {iso(first['event_time'])}"
    return [
        Reason(
            "abuse",
            text,
            f"{first['root']}; address {first['tainted_address']}",
            "exposure.requests_from_tainted",
            tuple(r["event_key"] for r in rows),
        )
    ]


def _use_after_revocation(answer: AbuseAnswer) -> list[Reason]:
    if answer.revoked is None or answer.series is None:
        return []
    at = answer.revoked["event_time"]
    late = [b for b in answer.series.buckets if b.start >= at and (b.tokens or b.requests)]
    if not late:
        return []
    answer.began(late[0].start, late[0].end)
    text = (
        f"the provider's own log proves that the key was revoked at {iso(at)}, yet {len(late)} buckets wholly after it show"
        f" successful use, from {iso(late[0].start)} to {iso(late[-1].end)}"
    )
    keys = (answer.revoked["event_key"], *(k for b in late for k in b.event_keys))
    return [Reason("abuse", text, f"event {answer.revoked['event_key']}", "exposure.usage_buckets", keys)]


def _complete_gateway(key: Key, facts: Facts) -> Statement | None:
    return next(
        (
            s
            for s in facts.settings.statements
            if s.kind == "gateway_complete" and s.key_id == key.key_id and s.provider == key.provider
        ),
        None,
    )


def _remainder(key: Key, since: datetime | None, facts: Facts, answer: AbuseAnswer, policy: Policy) -> list[Reason]:
    """Usage left over after a gateway's log that a named person declared complete, with one further independent sign."""
    statement = _complete_gateway(key, facts)
    if statement is None or answer.series is None or answer.series.granularity_s != 3600 or since is None:
        return []
    logged: dict[datetime, int] = {}
    models: set[str] = set()
    for row in preferred(key, facts.gateway):
        if row["key_name"] == statement.key_alias and row["upstream_provider"] in (None, key.provider):
            logged[row["hour"]] = logged.get(row["hour"], 0) + row["requests"]
            models.add(row["model"] or "")
    if not logged:
        return []
    low, high = (
        max(statement.since or min(logged), since),
        min(statement.until or max(logged), max(logged) + timedelta(hours=1)),
    )
    left = []
    for bucket in answer.series.buckets:
        rest = bucket.requests - logged.get(bucket.start, 0)
        if (
            low <= bucket.start
            and bucket.end <= high
            and rest > policy.remainder_requests
            and rest * 1000 > policy.remainder_share * bucket.requests
        ):
            left.append((bucket, rest))
    new = {
        m: b
        for m, b in (answer.signs.new_models if answer.signs else {}).items()
        if not any(m in known or known in m for known in models if known)
    }
    if len(left) < policy.remainder_buckets or not new:
        return []
    total = sum(rest for _, rest in left)
    first = left[0][0]
    answer.began(first.start, first.end)
    text = (
        f"{total} requests in {len(left)} hours from {iso(first.start)} are left over after the gateway's log, which {statement.by or 'the customer'}"
        f" declared complete; and a model that neither the key nor the gateway had used before appears: {', '.join(sorted(new))}"
    )
    keys = tuple(k for bucket, _ in left for k in bucket.event_keys)
    return [
        Reason(
            "abuse",
            text,
            f"statement of {statement.by}; usage of {', '.join(sorted(new))}",
            "exposure.gateway_hours",
            keys,
        )
    ]


def _signs_reasons(answer: AbuseAnswer) -> list[Reason]:
    signs, out = answer.signs, []
    if signs is None:
        return []
    if signs.spikes:
        start, end = episode(signs.spikes)
        text = (
            f"{len(signs.spikes)} buckets from {iso(start)} to {iso(end)} hold {signs.observed} {signs.metric}, usual for the same hours"
            f" are {signs.expected} (median by {signs.season})"
        )
        out.append(
            Reason(
                "abuse",
                text,
                "usage volume",
                "exposure.usage_buckets",
                tuple(k for b in signs.spikes for k in b.event_keys),
            )
        )
    for model, buckets in sorted(signs.new_models.items()):
        text = f"the model {model} was never used by this key before {iso(signs.baseline_until) if signs.baseline_until else '-'}; first in the bucket of {iso(buckets[0].start)}"
        out.append(
            Reason(
                "abuse",
                text,
                "usage by model",
                "exposure.usage_buckets",
                tuple(k for b in buckets for k in b.event_keys),
            )
        )
    return out


def _statistics(key: Key, since: datetime | None, facts: Facts, answer: AbuseAnswer, policy: Policy) -> None:
    series, signs = answer.series, answer.signs
    if series is None or signs is None:
        why = (
            "no usage that names this key was supplied"
            if not key.customer
            else f"{key.customer} sent no usage that names this key"
        )
        answer.reasons.append(Reason("abuse", why, "coverage", "exposure.usage_buckets"))
        return
    answer.notes.append(_NO_ADDRESS)
    if signs.state:
        answer.reasons.append(Reason("abuse", signs.state, "coverage", "exposure.usage_buckets"))
        return
    if signs.any:
        answer.reasons += _signs_reasons(answer)
        buckets = [*signs.spikes, *(b for found in signs.new_models.values() for b in found)]
        answer.began(*min((b.start, b.end) for b in buckets))
        launch = next(
            (
                s
                for s in facts.settings.statements
                if s.kind == "launch"
                and s.key_id == key.key_id
                and s.provider == key.provider
                and inside(buckets, s.since, s.until)
            ),
            None,
        )
        answer.value = Abuse.EXPLAINED if launch else Abuse.UNEXPLAINED
        _launches(key, facts, launch, answer)
        _ask_innocent(answer)
        return
    start = since or facts.since
    needed = facts.until - timedelta(hours=policy.usage_end_hours)
    known = series.horizon.until
    whole = known is not None and known >= needed
    if start < needed and not (whole and series.covers(start + timedelta(seconds=series.granularity_s), needed)):
        text = f"nothing unusual in the usage supplied, but it ends or has gaps before the window does ({series.horizon.words()})"
        answer.reasons.append(Reason("abuse", text, "coverage", "exposure.usage_buckets"))
        return
    answer.value = Abuse.NONE_SEEN
    text = f"nothing unusual in {signs.compared} buckets after {iso(start)}, compared with use from {iso(signs.baseline_from or facts.since)} to {iso(signs.baseline_until or facts.since)}; as of the horizon, {series.horizon.words()}"
    answer.reasons.append(Reason("abuse", text, "usage volume", "exposure.usage_buckets"))


def _launches(key: Key, facts: Facts, launch: Statement | None, answer: AbuseAnswer) -> None:
    if launch:
        when = f"{iso(launch.since) if launch.since else 'any time'} to {iso(launch.until) if launch.until else 'any time'}"
        answer.alternatives.append(
            Alternative(
                f"A launch or campaign of {key.customer or 'the customer'}",
                True,
                f"stated by {launch.by} for {when}: {launch.text}",
            )
        )
        return
    stated = [s for s in facts.settings.statements if s.kind == "launch" and s.key_id == key.key_id]
    result = (
        "a launch was stated, but the unusual use goes beyond its times"
        if stated
        else "ask the customer whether a launch, migration or batch job ran then"
    )
    answer.alternatives.append(Alternative("A launch, migration or batch job of the customer", bool(stated), result))


def _ask_innocent(answer: AbuseAnswer) -> None:
    answer.alternatives.append(
        Alternative(
            "Another application of the customer shares the key",
            False,
            "ask the customer which applications use this key, and for their logs",
        )
    )
    answer.alternatives.append(
        Alternative(
            "A change of price, model default or prompt changed the shape of ordinary use",
            False,
            "ask the customer for its deployments of that week",
        )
    )
