"""The two axes of a verdict and the one table that makes its headline."""

from __future__ import annotations

from enum import StrEnum


class Exposure(StrEnum):
    """How a key was exposed, worst evidence class first."""

    READ = "read"
    DECRYPTED = "decrypted"
    CONFIGURATION_READ = "configuration_read"
    STORE_COPIED = "store_copied"
    POSSIBLY = "possibly"
    NONE_SEEN = "none_seen"
    NOT_EVALUABLE = "not_evaluable"


class Abuse(StrEnum):
    """What the provider's side shows of a key."""

    ESTABLISHED = "established"
    UNEXPLAINED = "unexplained"
    EXPLAINED = "explained"
    NONE_SEEN = "none_seen"
    NOT_EVALUABLE = "not_evaluable"


class Verdict(StrEnum):
    """The headline, most severe first."""

    CONFIRMED = "confirmed"
    MISUSED_PATH_NOT_SEEN = "misused_path_not_seen"
    SUSPICIOUS = "suspicious"
    EXPOSED_NOT_EVALUABLE = "exposed_not_evaluable"
    EXPOSED_NO_ABUSE_SEEN = "exposed_no_abuse_seen"
    EXPLAINED = "explained"
    NOT_EVALUABLE = "not_evaluable"
    NOT_EXPOSED = "not_exposed"


#: Exposures that count as seen.
SEEN = frozenset(
    {Exposure.READ, Exposure.DECRYPTED, Exposure.CONFIGURATION_READ, Exposure.STORE_COPIED, Exposure.POSSIBLY}
)

#: What each headline means, in one sentence for the report.
MEANING: dict[Verdict, str] = {
    Verdict.CONFIRMED: "Exposure was seen and misuse is established by a direct link.",
    Verdict.MISUSED_PATH_NOT_SEEN: "Misuse is established, but how the key got out was not seen here. It is never 'unaffected'.",
    Verdict.SUSPICIOUS: "Usage departs from the key's own past and nobody has explained it; statistics alone never establish misuse.",
    Verdict.EXPOSED_NOT_EVALUABLE: "The key was exposed and the evidence cannot show whether it was misused; notify as if exposed.",
    Verdict.EXPOSED_NO_ABUSE_SEEN: "The key was exposed; the usage supplied shows nothing unusual up to its end.",
    Verdict.EXPLAINED: "Usage departs from the past and a named person explained it; nothing contradicts the explanation.",
    Verdict.NOT_EVALUABLE: "The evidence supplied cannot answer the question for this key.",
    Verdict.NOT_EXPOSED: "Every logged way to read the key was looked at over the whole window: no read, and no unusual use.",
}


def headline(exposure: Exposure, abuse: Abuse) -> Verdict:
    """Return the headline of both axes.

    Established misuse outranks everything; unexplained use comes next; then what an exposure leaves open.
    """
    seen = exposure in SEEN
    if abuse is Abuse.ESTABLISHED:
        return Verdict.CONFIRMED if seen else Verdict.MISUSED_PATH_NOT_SEEN
    if abuse is Abuse.UNEXPLAINED:
        return Verdict.SUSPICIOUS
    if abuse is Abuse.EXPLAINED:
        return Verdict.EXPLAINED
    if seen:
        return Verdict.EXPOSED_NO_ABUSE_SEEN if abuse is Abuse.NONE_SEEN else Verdict.EXPOSED_NOT_EVALUABLE
    if exposure is Exposure.NONE_SEEN and abuse is Abuse.NONE_SEEN:
        return Verdict.NOT_EXPOSED
    return Verdict.NOT_EVALUABLE
