"""The one clock. Commands take it; nothing else asks the system for the time."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the current time in UTC, or SOURCE_DATE_EPOCH where it is set.

    Source of the convention: https://reproducible-builds.org/specs/source-date-epoch/
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return datetime.fromtimestamp(int(epoch), tz=UTC)
    return datetime.now(tz=UTC)


def iso(moment: datetime) -> str:
    """Return `moment` as ISO 8601 with `Z`; naive values are UTC; microseconds only where they are not zero."""
    plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return plain.isoformat() + "Z"
