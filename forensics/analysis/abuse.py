"""The abuse axis: direct links first, then use left over after what explains it, then signs and what explains them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from forensics.analysis.facts import Alternative, Facts, Reason, Row
from forensics.analysis.keys import Key
from forensics.analysis.misuse import act_signs, links, shape_signs, source_signs, use_signs
from forensics.analysis.misuse.expected import Expected, expected_use, left_over, unexplained
from forensics.analysis.misuse.innocent import launches, others
from forensics.analysis.misuse.shown import not_shown
from forensics.analysis.misuse.sign import BY_DAY, OF_USE, Sign, weighed, within
from forensics.analysis.policy import Policy
from forensics.analysis.reads import ExposureAnswer
from forensics.analysis.signs import Signs, find_signs
from forensics.analysis.usage import Series, preferred, series_of
from forensics.model.case import GUARD, Statement
from forensics.model.clock import iso
from forensics.model.verdict import Abuse

#: Signs that do not come from the counts which a remainder is made of.
_BESIDE_REMAINDER = frozenset({"model", "tier", "control_plane"})
_PROXY = (
    "the misuse seen ran through a gateway or the own product: the key itself need not have got out, and rotating it ends"
    " nothing while that session or address may use the gateway"
)


@dataclass(slots=True)
class AbuseAnswer:
    """The abuse axis of one key; `first_from` and `first_to` bound the first use that is unexplained or established.

    `path` tells how established misuse ran: `direct`, `own_proxy`, or "" when it is not established.
    """

    value: Abuse
    reasons: list[Reason] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    first_from: datetime | None = None
    first_to: datetime | None = None
    series: Series | None = None
    signs: Signs | None = None
    found: list[Sign] = field(default_factory=list)
    revoked: Row | None = None
    path: str = ""
    notes: list[str] = field(default_factory=list)

    def began(self, start: datetime, end: datetime) -> None:
        """Note a time of misuse; the earliest counts."""
        if self.first_from is None or start < self.first_from:
            self.first_from, self.first_to = start, end


def judge_abuse(
    key: Key, exposure: ExposureAnswer, facts: Facts, policy: Policy, rotated: datetime | None = None
) -> AbuseAnswer:
    """Return the abuse axis of a key; `rotated` is when its place got a new value, by the logs."""
    answer = AbuseAnswer(Abuse.NOT_EVALUABLE, series=series_of(key, facts))
    answer.revoked = links.revocation(key, facts)
    since = exposure.first or facts.settings.t0
    answer.found = _signs(key, exposure, facts, policy, answer, rotated)
    expected = expected_use(key, facts)
    direct = [
        *links.by_act(key, facts, answer.began),
        *links.by_request(key, facts, answer.began),
        *links.after_revocation(answer.series, answer.revoked, answer.began),
    ]
    remainder = _remainder(expected, since, answer, policy)
    if answer.series is not None:
        answer.notes += answer.series.notes
    answer.notes += not_shown(key, facts, answer.series)
    if direct or remainder:
        answer.value = Abuse.ESTABLISHED
        answer.path = "direct" if remainder or any(x.path == "direct" for x in direct) else "own_proxy"
        if answer.path == "own_proxy":
            answer.notes.append(_PROXY)
        answer.reasons += [*(x.reason for x in direct), *remainder]
        answer.reasons += [s.reason() for s in answer.found if s.kind != "remainder"]
        answer.alternatives += others()
        return answer
    _statistics(key, since, facts, answer, policy, expected)
    return answer


def _signs(
    key: Key, exposure: ExposureAnswer, facts: Facts, policy: Policy, answer: AbuseAnswer, rotated: datetime | None
) -> list[Sign]:
    """Return every sign of a key, in a fixed order; what cannot be compared gives none."""
    since = exposure.first or facts.settings.t0 or facts.since
    baseline_until = _baseline_end(exposure, facts)
    series, found = answer.series, []
    if series is not None:
        answer.signs = find_signs(series, baseline_until, since, facts.until, policy)
        found += use_signs.volume_and_model(answer.signs)
    if baseline_until is not None:
        if series is not None:
            days = facts.usage_days.get((key.provider, key.key_id), [])
            days = [d for d in preferred(key, days) if d["granularity_s"] == series.granularity_s]
            found += use_signs.dormant(series, since, facts.until, policy)
            found += shape_signs.tiers(days, baseline_until, since, policy)
            found += use_signs.off_hours(series, baseline_until, since, facts.until, policy)
            found += shape_signs.token_shape(days, baseline_until, since, policy)
        billed = preferred(key, facts.billed.get((key.provider, key.key_id), []))
        found += use_signs.cost(billed, baseline_until, since, policy)
        found += source_signs.sources(key, facts, baseline_until, since, policy)
    found += act_signs.after_end(key, facts, series, rotated, answer.revoked)
    found += act_signs.changes(key, facts, baseline_until, since)
    return found


def _baseline_end(exposure: ExposureAnswer, facts: Facts) -> datetime | None:
    if facts.baseline_until is not None:
        return facts.baseline_until
    return exposure.first - GUARD if exposure.first else None


def _remainder(expected: Expected | None, since: datetime | None, answer: AbuseAnswer, policy: Policy) -> list[Reason]:
    """Return use left over after complete logs, when one further independent sign stands beside it; else note it as a sign."""
    series = answer.series
    if expected is None or series is None or series.granularity_s != 3600 or since is None:
        return []
    left = left_over(series, expected, since, policy)
    if len(left) < policy.remainder_buckets:
        return []
    first, total = left[0][0], sum(rest for _, rest in left)
    who = ", ".join(expected.by)
    text = (
        f"{total} requests in {len(left)} hours from {iso(first.start)} are left over after the gateway's log, which {who}"
        " declared complete"
    )
    keys = tuple(k for bucket, _ in left for k in bucket.event_keys)
    beside = [s for s in answer.found if s.kind in _BESIDE_REMAINDER and not _is_expected(s, expected, answer)]
    span = (first.start, left[-1][0].end)
    answer.found.append(Sign("remainder", text, f"statement of {who}", "exposure.gateway_hours", keys, *span))
    if not beside:
        return []
    answer.began(first.start, first.end)
    models = sorted(m for m in (answer.signs.new_models if answer.signs else {}) if not expected.knows(m))
    what = (
        f"a model that neither the key nor the gateway had used before appears: {', '.join(models)}"
        if models
        else beside[0].text
    )
    root = f"usage of {', '.join(models)}" if models else beside[0].root
    return [Reason("abuse", f"{text}; and {what}", f"statement of {who}; {root}", "exposure.gateway_hours", keys)]


def _is_expected(sign: Sign, expected: Expected, answer: AbuseAnswer) -> bool:
    """Whether the stated logs hold the new models too: then they are the customer's own."""
    models = answer.signs.new_models if answer.signs else {}
    return sign.kind == "model" and all(expected.knows(m) for m in models)


def _statistics(
    key: Key, since: datetime | None, facts: Facts, answer: AbuseAnswer, policy: Policy, expected: Expected | None
) -> None:
    heavy = weighed(answer.found, policy) >= policy.unexplained_weight
    series, signs = answer.series, answer.signs
    if heavy:
        _unexplained(key, facts, answer, policy, expected)
        return
    answer.reasons += [s.reason() for s in answer.found]
    if series is None or signs is None:
        why = (
            "no usage that names this key was supplied"
            if not key.customer
            else f"{key.customer} sent no usage that names this key"
        )
        answer.reasons.append(Reason("abuse", why, "coverage", "exposure.usage_buckets"))
        return
    if signs.state:
        answer.reasons.append(Reason("abuse", signs.state, "coverage", "exposure.usage_buckets"))
        return
    _none_seen(since or facts.since, series, signs, facts, answer, policy)


def _unexplained(key: Key, facts: Facts, answer: AbuseAnswer, policy: Policy, expected: Expected | None) -> None:
    """Signs of weight: unexplained, unless a stated launch or the customer's own complete log covers all of them."""
    answer.reasons += [s.reason() for s in answer.found]
    timed = [s for s in answer.found if s.start is not None and s.end is not None and policy.weight(s.kind)]
    if timed:
        exact = [s for s in timed if s.kind not in BY_DAY] or timed
        answer.began(*min(_first(s, answer) for s in exact))
    of_use = all(s.kind in OF_USE for s in answer.found if policy.weight(s.kind))
    launch = _launch(key, facts, timed) if of_use else None
    logged = of_use and launch is None and _logged(answer, expected, policy)
    answer.value = Abuse.EXPLAINED if launch or logged else Abuse.UNEXPLAINED
    answer.alternatives += launches(key, facts, launch, expected if logged else None)
    answer.alternatives += others()


def _first(sign: Sign, answer: AbuseAnswer) -> tuple[datetime, datetime]:
    """Return the first bucket of a sign where there is one, so that the bounds of first use are those of a bucket."""
    start, end = sign.start or datetime.max, sign.end or datetime.max  # noqa: DTZ901 - naive UTC
    step = timedelta(seconds=answer.series.granularity_s) if answer.series and sign.kind in OF_USE else end - start
    return start, min(end, start + step)


def _launch(key: Key, facts: Facts, signs: list[Sign]) -> Statement | None:
    """Return the stated launch whose times hold every sign."""
    return next(
        (
            s
            for s in facts.settings.statements
            if s.kind == "launch"
            and s.key_id == key.key_id
            and s.provider == key.provider
            and all(within(sign, s.since, s.until) for sign in signs)
        ),
        None,
    )


def _logged(answer: AbuseAnswer, expected: Expected | None, policy: Policy) -> bool:
    """Whether the customer's own complete logs hold every unusual bucket, and every new model."""
    signs = answer.signs
    if expected is None or signs is None or answer.series is None or answer.series.granularity_s != 3600:
        return False
    if any(s.kind not in {"volume", "model"} for s in answer.found if s.kind in OF_USE):
        return False
    buckets = [*signs.spikes, *(b for found in signs.new_models.values() for b in found)]
    covered = all(expected.speaks_of(b) and not unexplained(b, expected, policy) for b in buckets)
    return bool(buckets) and covered and all(expected.knows(m) for m in signs.new_models)


def _none_seen(
    start: datetime, series: Series, signs: Signs, facts: Facts, answer: AbuseAnswer, policy: Policy
) -> None:
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
