"""Several customers at once: unusual use that began in the same hours at others is no accident of one customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from forensics.analysis.misuse.sign import Sign
from forensics.analysis.policy import Policy
from forensics.model.clock import iso


def together(begun: Sequence[tuple[str, datetime | None, tuple[str, ...]]], policy: Policy) -> list[Sign | None]:
    """Return for each (customer, begin of unusual use, events that show it) a sign when enough other customers began within the same hours.

    The key's own use is no part of it: the sign rests on the others alone.
    """
    span = timedelta(hours=policy.together_hours)
    out: list[Sign | None] = []
    for customer, start, _ in begun:
        if start is None or not customer:
            out.append(None)
            continue
        beside = [(c, keys) for c, s, keys in begun if c and c != customer and s is not None and abs(s - start) <= span]
        others = {c for c, _ in beside}
        keys = tuple(sorted({k for _, shown in beside for k in shown[:1]}))
        text = (
            f"unusual use of keys of {len(others)} other customers began within {policy.together_hours} hours of {iso(start)}:"
            " that points to a common cause, such as the place where their keys were stored or an event at the provider"
        )
        enough = len(others) + 1 >= policy.together_customers
        out.append(
            Sign("together", text, "usage of other customers", "exposure.usage_buckets", keys) if enough else None
        )
    return out
