"""Filters of the templates: every value from a log or a person is made visible, escaped and isolated here.

`<bdi>` keeps right-to-left text from reordering what stands around it:
https://html.spec.whatwg.org/multipage/text-level-semantics.html#the-bdi-element
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from markupsafe import Markup, escape

from forensics.model.clock import iso
from forensics.model.text import visible
from forensics.report import words

#: Longest text shown of one value; what is beyond stays in the evidence.
LONGEST = 1_000
DASH = Markup('<span class="none">–</span>')  # noqa: RUF001 - a dash, not a minus


def shown(value: object) -> str:
    """Return a value as visible text of at most `LONGEST` characters, saying so when it was longer."""
    text = str(value)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … (cut; {words.number(len(text))} characters in the evidence)"
    return visible(text)


def plain(value: object) -> Markup:
    """Return a value as isolated text; a dash where there is none."""
    if value is None or value == "":
        return DASH
    return Markup("<bdi>{}</bdi>").format(shown(value))


def mono(value: object) -> Markup:
    """Return an identifier in a fixed-width face, breakable anywhere; a dash where there is none."""
    if value is None or value == "":
        return DASH
    return Markup('<bdi class="id">{}</bdi>').format(shown(value))


def defanged(value: object) -> Markup:
    """Return an indicator that cannot be clicked or resolved by accident: `203[.]0[.]113[.]45`, `hxxps`."""
    if value is None or value == "":
        return DASH
    text = str(value).replace("http", "hxxp").replace(".", "[.]").replace("@", "[@]").replace(":", "[:]")
    return mono(text)


def moment(value: datetime | None) -> Markup:
    """Return a time (naive UTC) as a `time` element; a dash where there is none."""
    if value is None:
        return DASH
    return Markup('<time datetime="{}">{}</time>').format(iso(value), words.table_time(value))


def spoken(value: datetime | None) -> Markup:
    """Return a time (naive UTC) for prose: `5 May 2026, 02:11 UTC`."""
    if value is None:
        return DASH
    return Markup('<time datetime="{}">{}</time>').format(iso(value), words.spoken(value))


def money(value: Decimal | None) -> Markup:
    """Return an amount with two places; a dash where there is none."""
    return DASH if value is None else escape(words.money(value))


def number(value: int | None) -> Markup:
    """Return an integer with commas; a dash where there is none."""
    return DASH if value is None else escape(words.number(value))


def short_hash(value: str | None) -> Markup:
    """Return a hash in groups of eight, so that it can be read aloud and breaks at the groups."""
    if not value:
        return DASH
    text = shown(value)
    groups = [text[i : i + 8] for i in range(0, len(text), 8)]
    return (
        Markup('<span class="hash">{}</span>').format(Markup("<wbr>").join(groups)) if len(text) == 64 else mono(value)
    )


FILTERS: dict[str, Callable[..., object]] = {
    "t": plain,
    "plain": shown,
    "id": mono,
    "defang": defanged,
    "time": moment,
    "spoken": spoken,
    "money": money,
    "num": number,
    "hash": short_hash,
    "capital": words.capital,
    "size": words.size,
    "in_words": words.in_words,
}


def counted(n: int, noun: str) -> str:
    """Return a count in words with its noun, for use in templates."""
    return words.count(n, noun)
