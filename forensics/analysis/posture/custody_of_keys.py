"""How provider keys were kept, renewed and ended, and whether their changes can be attributed."""

from __future__ import annotations

from forensics.analysis.facts import Row
from forensics.analysis.posture.answer import PostureAnswer, PostureFacts, keys_of, named
from forensics.model.clock import iso
from forensics.model.posture import Standing
from forensics.model.verdict import SEEN

_AT_RISK = frozenset(value.value for value in SEEN)
_MANAGED = ("secret:", "ssm:")


def _at_risk(facts: PostureFacts) -> list[Row]:
    return [k for k in facts.keys if k["exposure"] in _AT_RISK or k["abuse"] == "established"]


def _name(key: Row) -> str:
    return f"{key['customer'] or key['provider']} {key['key_id']}"


def _rows_of(keys: list[Row]) -> tuple[str, ...]:
    """Return the records that the verdicts of keys rest on, the reads before the rest."""
    return tuple(dict.fromkeys(e for k in keys for r in k["reasons"] for e in r["event_keys"][:5]))


def every_key_rotated(facts: PostureFacts) -> PostureAnswer:
    """Whether every key at risk was replaced or revoked, and when."""
    text = "Was every exposed or misused key rotated, and when?"
    queries = ("exposure.store_changes", "exposure.provider_acts")
    keys = _at_risk(facts)
    if not keys:
        why = "no key is known to be exposed or misused"
        return PostureAnswer("every_key_rotated", text, Standing.NOT_EVALUABLE, why, queries)
    done = [k for k in keys if k["rotated_at"] or k["revoked_at"]]
    left = [k for k in keys if k not in done]
    said = [
        f"{_name(k)} {'revoked' if k['revoked_at'] else 'replaced'} {iso(k['revoked_at'] or k['rotated_at'])}"
        for k in done
    ]
    if left:
        told = f"; {named(said)}" if said else ""
        why = f"of {len(keys)} keys {len(left)} show neither a new value nor a revocation: {named([_name(k) for k in left])}{told}"
        return PostureAnswer("every_key_rotated", text, Standing.NO, why, queries, _rows_of(left))
    return PostureAnswer("every_key_rotated", text, Standing.YES, named(said, 8), queries, _rows_of(done))


def old_keys_stopped(facts: PostureFacts) -> PostureAnswer:
    """Whether keys that were rotated or revoked do no work any more."""
    text = "Do old keys no longer work after rotation?"
    queries = ("exposure.usage_buckets",)
    changed = [k for k in facts.keys if k["rotated_at"] or k["revoked_at"]]
    if not changed:
        why = "no rotation or revocation is in the evidence"
        return PostureAnswer("old_keys_stopped", text, Standing.NOT_EVALUABLE, why, queries)
    known = [k for k in changed if k["last_use"]]
    late = [k for k in known if k["last_use"] > max(t for t in (k["rotated_at"], k["revoked_at"]) if t) and _after(k)]
    if late:
        told = [f"{_name(k)}, last used until {iso(k['last_use'])}" for k in late]
        why = f"used after the change: {named(told)}"
        return PostureAnswer("old_keys_stopped", text, Standing.NO, why, queries, _rows_of(late))
    if len(known) < len(changed):
        why = f"the usage of {len(changed) - len(known)} of {len(changed)} changed keys is not in the evidence"
        return PostureAnswer("old_keys_stopped", text, Standing.NOT_EVALUABLE, why, queries, _rows_of(known))
    why = f"no use of {len(changed)} changed keys in a bucket after the change; whether they still would work is in no log"
    return PostureAnswer("old_keys_stopped", text, Standing.NOT_SEEN, why, queries, _rows_of(known))


def _after(key: Row) -> bool:
    """Whether the last bucket with use began after the change: one that straddles it says nothing."""
    moment = max(t for t in (key["rotated_at"], key["revoked_at"]) if t)
    return bool(key["last_bucket_from"] and key["last_bucket_from"] >= moment)


def kept_in_a_manager(facts: PostureFacts) -> PostureAnswer:
    """Whether the inventory keeps every key in a secret manager."""
    text = "Are provider keys kept in a secret manager?"
    queries = ("exposure.location_reads",)
    placed = [k for k in facts.keys if k["location"]]
    outside = [k for k in placed if not k["location"].startswith(_MANAGED)]
    if outside:
        told = [f"{_name(k)} in {k['location']}" for k in outside]
        return PostureAnswer("kept_in_a_manager", text, Standing.NO, named(told), queries, _rows_of(outside))
    if placed and len(placed) == len(facts.keys):
        why = f"all {len(placed)} keys, by the inventory and the names in the logs"
        return PostureAnswer("kept_in_a_manager", text, Standing.YES, why, queries, _rows_of(placed))
    why = (
        f"the place of {len(facts.keys) - len(placed)} of {len(facts.keys)} keys is not known"
        if facts.keys
        else "no key is known"
    )
    return PostureAnswer("kept_in_a_manager", text, Standing.NOT_EVALUABLE, why, queries)


def rotated_by_schedule(facts: PostureFacts) -> PostureAnswer:
    """Whether stored secrets got new values by a service, on schedule."""
    text = "Do stored secrets rotate by themselves?"
    queries = ("posture.secret_store_acts",)
    acts = facts.rows["secret_store_acts"]
    scheduled = [r for r in acts if r["by_schedule"]]
    if scheduled:
        why = f"a service stored new values of {named([r['location'] for r in scheduled])}"
        if len(scheduled) == len(acts):
            return PostureAnswer(
                "rotated_by_schedule", text, Standing.YES, why, queries, keys_of(scheduled, "value_key")
            )
        why += f"; of {len(acts) - len(scheduled)} other secrets in use no such act is in the window"
        return PostureAnswer(
            "rotated_by_schedule", text, Standing.NOT_SEEN, why, queries, keys_of(scheduled, "value_key")
        )
    if not facts.has("cloudtrail"):
        return PostureAnswer("rotated_by_schedule", text, Standing.NOT_EVALUABLE, "no CloudTrail", queries)
    by_hand = [r for r in acts if r["new_values"]]
    why = (
        f"new values were stored by people only: {named([r['location'] for r in by_hand])}"
        if by_hand
        else "no new value was stored"
    )
    return PostureAnswer("rotated_by_schedule", text, Standing.NOT_SEEN, why, queries, keys_of(by_hand, "value_key"))


def secret_reads_logged(facts: PostureFacts) -> PostureAnswer:
    """Whether reads of stored secrets are in an audit log."""
    text = "Are reads of stored secrets in an audit log?"
    queries = ("posture.secret_store_acts",)
    read = [r for r in facts.rows["secret_store_acts"] if r["reads"]]
    if read:
        why = f"{sum(r['reads'] for r in read)} reads of {len(read)} secrets; gaps of the log are in the section on what could not be seen"
        return PostureAnswer("secret_reads_logged", text, Standing.YES, why, queries, keys_of(read))
    if facts.has("cloudtrail"):
        return PostureAnswer(
            "secret_reads_logged", text, Standing.NOT_SEEN, "no read of a secret is in the log", queries
        )
    return PostureAnswer("secret_reads_logged", text, Standing.NOT_EVALUABLE, "no CloudTrail", queries)


def key_changes_attributed(facts: PostureFacts) -> PostureAnswer:
    """Whether each change of a key at a provider has its time and a person."""
    text = "Does each change of a provider key have a time and a person?"
    queries = ("posture.key_changes",)
    changes = facts.rows["key_changes"]
    bare = [r for r in changes if not (r["has_time"] and r["has_person"])]
    if bare:
        told = [f"{r['action']} of {r['target_key_id'] or 'a key'} by {r['actor'] or 'nobody named'}" for r in bare]
        why = f"{len(bare)} of {len(changes)} changes do not name a person and a time: {named(told)}"
        return PostureAnswer("key_changes_attributed", text, Standing.NO, why, queries, keys_of(bare))
    if changes:
        owners = len({r["owner"] for r in changes})
        why = f"all {len(changes)} changes, in the audit logs of {owners} owners; who sent no audit log is not covered"
        return PostureAnswer("key_changes_attributed", text, Standing.YES, why, queries, keys_of(changes))
    if facts.has("audit"):
        return PostureAnswer(
            "key_changes_attributed", text, Standing.NOT_SEEN, "no change of a key in the audit logs", queries
        )
    return PostureAnswer("key_changes_attributed", text, Standing.NOT_EVALUABLE, "no audit log of a provider", queries)


QUESTIONS = (
    every_key_rotated, old_keys_stopped, kept_in_a_manager, rotated_by_schedule, secret_reads_logged, key_changes_attributed,
)  # fmt: skip
