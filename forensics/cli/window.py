"""--since and --until as people write them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import typer

from forensics.model.errors import UsageFault
from forensics.model.times import parse_time

SinceOption = Annotated[
    str, typer.Option("--since", help="Start, inclusive: 2026-05-05 (a UTC day) or a time with zone.")
]
UntilOption = Annotated[str, typer.Option("--until", help="End, exclusive: same forms.")]


def bound(text: str, option: str) -> datetime | None:
    """Return naive UTC for an option's text, None for none.

    A date alone is its first instant in UTC. Raises UsageFault for anything else without a zone.
    """
    if not text:
        return None
    day_alone = re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()) is not None
    moment = parse_time(text, assume_utc=day_alone)
    if moment is None:
        local = parse_time(text)
        what = "is a local time without zone" if local else "is no date or time"
        raise UsageFault(
            f"{text!r} {what}",
            place=option,
            hint="write 2026-05-05, 2026-05-05T02:11:00Z or 2026-05-05T04:11:00+02:00",
        )
    return moment
