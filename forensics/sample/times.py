"""Whole UTC seconds as the only clock of the sample, and their text forms."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

HOUR = 3600
DAY = 86400
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_EPOCH_DAY = date(1970, 1, 1)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def epoch(text: str) -> int:
    """Seconds since 1970 of a text like `2026-05-05T02:11:00Z`; ValueError on any other form."""
    if not _FORM.fullmatch(text):
        raise ValueError(f"{text!r} is no time of the sample")
    return int(datetime.fromisoformat(text).timestamp())


@lru_cache(maxsize=512)
def _day_text(number: int) -> str:
    return (_EPOCH_DAY + timedelta(days=number)).isoformat()


def iso(seconds: int) -> str:
    """`2026-05-05T02:11:00Z`."""
    number, rest = divmod(seconds, DAY)
    return f"{_day_text(number)}T{rest // HOUR:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def compact(seconds: int) -> str:
    """`20260505T021100Z`, the form in digest object names."""
    return iso(seconds).replace("-", "").replace(":", "")


def day_path(seconds: int) -> str:
    """`2026/05/05`, the folder form of the S3 delivery."""
    return _day_text(seconds // DAY).replace("-", "/")


def american(seconds: int) -> str:
    """`May 5, 2026, 2:11:00 AM`, the form STS and IAM use inside responseElements."""
    day = _EPOCH_DAY + timedelta(days=seconds // DAY)
    hour, rest = divmod(seconds % DAY, HOUR)
    half = "AM" if hour < 12 else "PM"
    clock = f"{hour % 12 or 12}:{rest // 60:02d}:{rest % 60:02d} {half}"
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}, {clock}"


def weekday(seconds: int) -> int:
    """0 for Monday to 6 for Sunday."""
    return (seconds // DAY + 3) % 7


def hour_of_day(seconds: int) -> int:
    """0 to 23, UTC."""
    return seconds % DAY // HOUR


def day_start(seconds: int) -> int:
    """Midnight of the day."""
    return seconds - seconds % DAY
