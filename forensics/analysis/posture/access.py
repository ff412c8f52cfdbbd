"""Second factors, long-lived keys and rights in AWS."""

from __future__ import annotations

from forensics.analysis.posture.answer import PostureAnswer, PostureFacts, keys_of, named
from forensics.model.posture import Standing

_LOGINS, _USERS = "posture.console_logins", "posture.reported_users"


def second_factor(facts: PostureFacts) -> PostureAnswer:
    """Whether logins of users and root needed a second factor."""
    text = "Did console logins of users and root need a second factor (MFA)?"
    logins, users = facts.rows["console_logins"], facts.rows["reported_users"]
    without = [r for r in logins if r["second_factor"].lower() != "yes"]
    unguarded = [r for r in users if (r["has_password"] or r["is_root"]) and not r["has_mfa"]]
    queries = (_LOGINS, _USERS)
    if without or unguarded:
        parts = []
        if without:
            who = sorted({r["actor"] or "-" for r in without})
            parts.append(f"{len(without)} of {len(logins)} logins went without, by {named(who)}")
        if unguarded:
            parts.append(
                f"the credential report lists {len(unguarded)} users with a password and none: {named([r['user_name'] for r in unguarded])}"
            )
        return PostureAnswer(
            "second_factor", text, Standing.NO, "; ".join(parts), queries, (*keys_of(without), *keys_of(unguarded))
        )
    guarded = [r for r in users if r["has_password"] or r["is_root"]]
    if guarded:
        why = f"every user with a password in the credential report has one, and none of {len(logins)} logins went without"
        return PostureAnswer("second_factor", text, Standing.YES, why, queries, (*keys_of(guarded), *keys_of(logins)))
    if logins:
        why = f"all {len(logins)} logins used one; no credential report shows whether others could do without"
        return PostureAnswer("second_factor", text, Standing.NOT_SEEN, why, queries, keys_of(logins))
    if facts.has("cloudtrail"):
        return PostureAnswer(
            "second_factor", text, Standing.NOT_SEEN, "no login of a user and no credential report", queries
        )
    return PostureAnswer(
        "second_factor", text, Standing.NOT_EVALUABLE, "neither CloudTrail nor a credential report", queries
    )


def no_long_lived_keys(facts: PostureFacts) -> PostureAnswer:
    """Whether roles were used in place of long-lived keys."""
    text = "Were roles used instead of long-lived access keys?"
    used, holders = facts.rows["long_lived_keys"], [r for r in facts.rows["reported_users"] if r["has_key"]]
    queries = ("posture.long_lived_keys", _USERS)
    if used or holders:
        parts = []
        if used:
            parts.append(
                f"{len(used)} long-lived keys made {sum(r['uses'] for r in used)} successful calls: {named([r['credential_id'] for r in used])}"
            )
        if holders:
            parts.append(f"the credential report lists active keys of {named([r['user_name'] for r in holders])}")
        return PostureAnswer(
            "no_long_lived_keys", text, Standing.NO, "; ".join(parts), queries, (*keys_of(used), *keys_of(holders))
        )
    if facts.rows["reported_users"] and facts.has("cloudtrail"):
        why = "no long-lived key made a call, and the credential report lists none that is active"
        return PostureAnswer(
            "no_long_lived_keys", text, Standing.YES, why, queries, keys_of(facts.rows["reported_users"])
        )
    if facts.has("cloudtrail"):
        why = "no long-lived key made a call; without a credential report unused ones are not known"
        return PostureAnswer("no_long_lived_keys", text, Standing.NOT_SEEN, why, queries)
    return PostureAnswer(
        "no_long_lived_keys", text, Standing.NOT_EVALUABLE, "neither CloudTrail nor a credential report", queries
    )


def least_privilege(facts: PostureFacts) -> PostureAnswer:
    """Whether rights were bound to the work. Logs can refute it, never prove it: what was allowed is in no log."""
    text = "Were rights limited to what the work needs?"
    broad, beyond = facts.rows["broad_rights"], facts.rows["reads_beyond_habit"]
    queries = ("posture.broad_rights", "posture.reads_beyond_habit")
    if not facts.has("cloudtrail"):
        return PostureAnswer("least_privilege", text, Standing.NOT_EVALUABLE, "no CloudTrail", queries)
    parts = []
    if broad:
        parts.append(
            f"rights without bounds were given {len(broad)} times, by {named(sorted({r['actor'] or '-' for r in broad}))}"
        )
    if beyond:
        secrets = sum(r["secrets"] for r in beyond)
        parts.append(
            f"{named([r['actor'] or '-' for r in beyond])} could read {secrets} secrets that they had never read before the baseline ended"
        )
    if parts:
        return PostureAnswer(
            "least_privilege", text, Standing.NO, "; ".join(parts), queries, (*keys_of(broad), *keys_of(beyond))
        )
    compared = "" if facts.baseline_until else "; without a stated T0 reads were not compared with what was usual"
    why = f"no sign of rights beyond the work{compared}; the policies themselves are not in the logs"
    return PostureAnswer("least_privilege", text, Standing.NOT_SEEN, why, queries)


QUESTIONS = (second_factor, least_privilege, no_long_lived_keys)
