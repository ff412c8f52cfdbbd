"""Numbers and states in words that a reader who is no engineer can use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from forensics.model.verdict import MEANING, Verdict

_SMALL = (
    "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty"
).split()
_MONTHS = "January February March April May June July August September October November December".split()
_CENT = Decimal("0.01")
_CONTEXT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state is shown: word, shape and class of its colour, never the colour alone."""

    word: str
    shape: str
    tone: str
    meaning: str = ""


def number(n: int) -> str:
    """Return an integer with commas between thousands."""
    return f"{n:,}"


def in_words(n: int) -> str:
    """Return 0 to 20 as a word (`no` for 0), larger numbers in digits."""
    return _SMALL[n] if 0 <= n < len(_SMALL) else number(n)


def plural(noun: str, n: int) -> str:
    """Return the form of an English noun for a count of `n`."""
    if n == 1:
        return noun
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def count(n: int, noun: str) -> str:
    """Return `no keys`, `one key`, `fourteen keys`, `212 keys`."""
    return f"{in_words(n)} {plural(noun, n)}"


def times(n: int) -> str:
    """Return `never`, `once`, `twice`, `three times`."""
    return ("never", "once", "twice")[n] if n < 3 else f"{in_words(n)} times"


def is_or_are(n: int) -> str:
    """Return `is` for one, else `are`."""
    return "is" if n == 1 else "are"


def capital(text: str) -> str:
    """Return `text` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def day(moment: datetime) -> str:
    """Return `5 May 2026`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def day_month(moment: date) -> str:
    """Return the month of a day as a word of three letters."""
    return _MONTHS[moment.month - 1][:3]


def clock_time(moment: datetime) -> str:
    """Return `02:11`, with seconds where they are not zero."""
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")


def spoken(moment: datetime) -> str:
    """Return `5 May 2026, 02:11 UTC`; seconds only where they are not zero."""
    return f"{day(moment)}, {clock_time(moment)} UTC"


def table_time(moment: datetime) -> str:
    """Return `2026-05-05 02:11:00`, with microseconds where they are not zero."""
    return moment.strftime("%Y-%m-%d %H:%M:%S" + (".%f" if moment.microsecond else ""))


def money(amount: Decimal) -> str:
    """Return an amount with commas and two places, rounded half to even."""
    return f"{amount.quantize(_CENT, rounding=ROUND_HALF_EVEN, context=_CONTEXT):,f}"


def share(part: int, whole: int) -> int:
    """Return whole per cent, rounded down; 0 where there is no whole."""
    return part * 100 // whole if whole else 0


def size(octets: int) -> str:
    """Return a size in decimal units with one place, rounded down: `1.4 MB`."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if octets >= step:
            tenths = octets * 10 // step
            return f"{number(tenths // 10)}.{tenths % 10} {unit}"
    return f"{number(octets)} {plural('byte', octets)}"


def listed(items: list[str]) -> str:
    """Return `a, b and c`."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + (" and " + items[-1] if items else "")


_HEADLINES: dict[Verdict, tuple[str, str, str]] = {
    Verdict.CONFIRMED: ("abuse confirmed", "■", "bad"),
    Verdict.MISUSED_PATH_NOT_SEEN: ("misused, path not seen", "◆", "bad"),
    Verdict.SUSPICIOUS: ("suspicious, open", "▲", "warn"),
    Verdict.EXPOSED_NOT_EVALUABLE: ("exposed, abuse not evaluable", "◐", "warn"),
    Verdict.EXPOSED_NO_ABUSE_SEEN: ("exposed, no abuse seen", "●", "note"),
    Verdict.EXPLAINED: ("explained", "◇", "good"),
    Verdict.NOT_EVALUABLE: ("not evaluable", "?", "dim"),
    Verdict.NOT_EXPOSED: ("not exposed", "○", "good"),
}
#: Verdicts, most severe first.
VERDICTS: dict[str, Mark] = {v.value: Mark(*_HEADLINES[v], MEANING[v]) for v in Verdict}
UNKNOWN = Mark("not known", "?", "dim")

EXPOSURES: dict[str, str] = {
    "read": "read",
    "decrypted": "decrypted",
    "configuration_read": "configuration read",
    "store_copied": "store copied",
    "possibly": "possibly",
    "none_seen": "none seen",
    "not_evaluable": "not evaluable",
}
#: Exposures that a record of the intruder's act shows; `possibly` is not among them.
READ = frozenset({"read", "decrypted", "configuration_read", "store_copied"})
ABUSES: dict[str, str] = {
    "established": "established",
    "unexplained": "unexplained",
    "explained": "explained",
    "none_seen": "none seen",
    "not_evaluable": "not evaluable",
}

SEVERITIES: dict[str, Mark] = {
    "critical": Mark("critical", "■", "bad"),
    "high": Mark("high", "▲", "bad"),
    "medium": Mark("medium", "◆", "warn"),
    "low": Mark("low", "●", "note"),
    "info": Mark("information", "○", "dim"),
}

STATES: dict[str, Mark] = {
    "finding": Mark("finding", "■", "bad"),
    "failed": Mark("failed", "✕", "bad"),
    "not_evaluable": Mark("not evaluable", "?", "warn"),
    "no_baseline": Mark("no baseline", "◇", "warn"),
    "clear": Mark("nothing found", "○", "good"),
}

FILE_STATES: dict[str, Mark] = {
    "defective": Mark("defective", "✕", "bad"),
    "skipped": Mark("skipped", "◇", "warn"),
    "registered": Mark("registered", "●", "dim"),
    "settings": Mark("settings", "●", "dim"),
    "read": Mark("read", "○", "good"),
}
