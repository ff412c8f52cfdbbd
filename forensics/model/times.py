"""Read the times that logs and people write. One parser for every form; always naive UTC out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")
_STS = ("%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p")
_EARLIEST = 946684800  # 2000-01-01, nothing in these logs is older
_LATEST = 4102444800  # 2100-01-01
#: Years that no log tells, at both ends of what a date can be: a bucket or an offset added there has no date.
_YEARS = range(2, 9999)


def usable(moment: datetime) -> datetime | None:
    """Return a time, or None where it lies so near to the ends of the calendar that nothing can be added to it."""
    return moment if moment.year in _YEARS else None


def _offset(zone: str) -> timedelta:
    if zone.upper() in {"Z", "UTC"}:
        return timedelta()
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))


def parse_epoch(text: str) -> datetime | None:
    """Return the UTC time of a unix epoch in seconds, milliseconds, microseconds or nanoseconds, else None."""
    if not re.fullmatch(r"\d{9,19}(\.\d{1,9})?", text):
        return None
    whole, _, fraction = text.partition(".")
    value, scale = int(whole), 1
    while value // scale > _LATEST:
        scale *= 1000
    if not _EARLIEST <= value // scale <= _LATEST:
        return None
    rest = (value % scale) * 1_000_000 // scale
    if scale == 1 and fraction:
        rest = int(fraction[:6].ljust(6, "0"))
    return datetime(1970, 1, 1) + timedelta(seconds=value // scale, microseconds=rest)  # noqa: DTZ001 - naive UTC


def parse_time(text: str, *, assume_utc: bool = True) -> datetime | None:
    """Return naive UTC for ISO 8601 (any offset), its basic form, epochs and the STS form, else None.

    A form without zone counts as UTC when `assume_utc`, else gives None: a local time must be named as such.
    A date alone is its first instant.
    """
    text = text.strip().replace("\u202f", " ")
    match = _ISO.fullmatch(text)
    try:
        if match:
            year, month, day, hour, minute, second, fraction, zone = match.groups()
            if zone is None and not assume_utc:
                return None
            micro = int((fraction or "0")[:6].ljust(6, "0"))
            plain = datetime(  # noqa: DTZ001 - naive UTC by construction
                int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro
            )
            return usable(plain - _offset(zone or "Z"))
        basic = _BASIC.fullmatch(text)
        if basic:
            return usable(datetime(*(int(part) for part in basic.groups())))  # type: ignore[arg-type]  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None
    epoch = parse_epoch(text)
    if epoch or not assume_utc:
        return epoch
    for form in _STS:
        try:
            return usable(datetime.strptime(text, form))  # noqa: DTZ007 - STS writes UTC without saying so
        except ValueError:
            continue
    return None


def to_epoch(moment: datetime) -> int:
    """Return whole unix seconds of a naive UTC time."""
    return int((moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1))
