"""Alerts on volume and cost, detection of unusual logins, and lists of allowed addresses."""

from __future__ import annotations

from forensics.analysis.facts import Row
from forensics.analysis.posture.answer import PostureAnswer, PostureFacts, keys_of, named
from forensics.model.posture import Standing

_QUERY = ("posture.guarding_acts",)


def _standing(
    facts: PostureFacts, question: str, text: str, subject: str, logs: tuple[str, ...], lack: str
) -> PostureAnswer:
    """Answer by the last act of each holder: one that took a guard away and nobody set again is a no."""
    acts = [r for r in facts.rows["guarding_acts"] if r["subject"] == subject]
    last: dict[str, Row] = {}
    for row in acts:
        if row["effect"] in {"set", "removed"}:
            last[row["holder"]] = row
    gone = [r for r in last.values() if r["effect"] == "removed"]
    there = [r for r in last.values() if r["effect"] == "set"]
    used = [r for r in acts if r["effect"] == "used"]
    if gone:
        told = [f"{r['action']} of {_holder(r)} by {r['actor'] or 'nobody named'}" for r in gone]
        return PostureAnswer(
            question, text, Standing.NO, f"taken away and not set again: {named(told)}", _QUERY, keys_of(gone)
        )
    if there or used:
        told = [f"{r['action']} of {_holder(r)}" for r in (*there, *used[:1])]
        return PostureAnswer(question, text, Standing.YES, named(told), _QUERY, keys_of([*there, *used]))
    if any(facts.has(log) for log in logs):
        why = "nothing of the kind was set, used or taken away in the window; what was set before it leaves no record"
        return PostureAnswer(question, text, Standing.NOT_SEEN, why, _QUERY)
    return PostureAnswer(question, text, Standing.NOT_EVALUABLE, lack, _QUERY)


def _holder(row: Row) -> str:
    provider, _, owner = row["holder"].partition("|")
    return f"{provider} {owner}".strip()


def alerts_on_spikes(facts: PostureFacts) -> PostureAnswer:
    """Whether something alerts on spikes of volume or cost."""
    text = "Does something alert on spikes of request volume or cost, or limit them?"
    return _standing(
        facts,
        "alerts_on_spikes",
        text,
        "alert",
        ("cloudtrail", "audit"),
        "neither CloudTrail nor an audit log of a provider",
    )


def unusual_logins_detected(facts: PostureFacts) -> PostureAnswer:
    """Whether something looks for logins from unusual places or devices (ATT&CK T1078)."""
    text = "Does something detect logins from unusual places or devices?"
    return _standing(facts, "unusual_logins_detected", text, "login", ("cloudtrail",), "no CloudTrail")


def addresses_allow_listed(facts: PostureFacts) -> PostureAnswer:
    """Whether provider accounts accept listed source addresses only."""
    text = "Do provider accounts accept keys from listed source addresses only?"
    return _standing(facts, "addresses_allow_listed", text, "address", ("audit",), "no audit log of a provider")


QUESTIONS = (alerts_on_spikes, unusual_logins_detected, addresses_allow_listed)
