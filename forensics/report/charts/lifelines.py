"""The life of each key around the incident: one line a key, what happened to it, and what no record shows."""

from __future__ import annotations

from datetime import datetime, timedelta

from markupsafe import Markup

from forensics.report import words
from forensics.report.charts.svg import Chart, TimeScale, clipped, element, label, picture
from forensics.report.keys import Key
from forensics.report.reading import CaseReading

_ROW, _TOP, _LEFT, _WIDTH, _RIGHT = 34, 34, 210, 1100, 1080
SHOWN = 40


def lifelines(case: CaseReading, keys: tuple[Key, ...]) -> Chart | None:
    """Return the picture, None without keys or without a window."""
    if not keys or not case.window:
        return None
    keys = keys[:SHOWN]
    since, until = _span(case, keys)
    scale = TimeScale(since, until, _LEFT, _RIGHT)
    covered = _coverage(case)
    bottom = _TOP + _ROW * len(keys)
    parts = _incident(case, scale, bottom) + scale.grid(_TOP - 8, bottom)
    for n, key in enumerate(keys):
        parts.append(_line(key, scale, _TOP + _ROW * n + _ROW // 2, covered.get((key.provider, key.key_id), [])))
    text = f"{words.capital(words.count(len(keys), 'key'))} from {words.spoken(since)} to {words.spoken(until)}."
    caption = (
        "Each line is a key; time runs to the right. Full line: usage was supplied. Dotted: no usage of this key was supplied. "
        "Tall tick: read by the intruder. Broad bar: from the first use in question to the last recorded use; striped while it is only suspicious. "
        "Hollow diamond: replaced in the store. Dashed upright line: detected. Short cross-bar: revoked at the provider. Square at the end: still in use as of the horizon of its usage."
    )
    return Chart(
        picture("c-life", _WIDTH, bottom + 24, "Life of the keys around the incident", text, parts),
        "Life of the keys around the incident",
        caption,
        (
            "Customer",
            "Key",
            "Verdict",
            "Read from",
            "Read to",
            "First use in question",
            "Last use",
            "Replaced",
            "Revoked",
            "Still in use",
        ),
        tuple(_table_row(key) for key in keys),
    )


def _span(case: CaseReading, keys: tuple[Key, ...]) -> tuple[datetime, datetime]:
    assert case.window
    first, last = case.window
    marks = [
        m
        for k in keys
        for m in (k.exposed and k.exposed.start, k.first_use and k.first_use.start, k.rotated_at, k.revoked_at)
        if m
    ]
    marks += [m for m in (case.settings.t0, case.settings.detected) if m]
    start = max(first, min((m for m in marks if first <= m <= last), default=first) - timedelta(hours=36))
    return start.replace(minute=0, second=0, microsecond=0), last


def _coverage(case: CaseReading) -> dict[tuple[str, str], list[tuple[datetime, datetime]]]:
    """Spans of the exports in which a key occurs: from the first to the last moment they cover."""
    rows = case.rows(
        """SELECT u.provider, u.key_id, min(c.covered_from) AS a, max(c.covered_until) AS b
           FROM (SELECT DISTINCT provider, key_id, owner FROM ai_usage_current WHERE key_id IS NOT NULL) u
           JOIN ai_coverage c ON c.provider = u.provider AND c.owner IS NOT DISTINCT FROM u.owner
           WHERE c.covered_from IS NOT NULL AND c.covered_until IS NOT NULL AND c.endpoint NOT IN ('audit', 'costs')
           GROUP BY u.provider, u.key_id ORDER BY u.provider, u.key_id"""
    )
    return {(r["provider"], r["key_id"]): [(r["a"], r["b"])] for r in rows}


def _incident(case: CaseReading, scale: TimeScale, bottom: int) -> list[Markup]:
    s = case.settings
    parts = []
    if s.t0:
        left, right = scale.x(s.t0), scale.x(s.contained) if s.contained else scale.right
        parts.append(
            element("rect", x=left, y=_TOP - 8, width=max(2, right - left), height=bottom - _TOP + 8, class_="band")
        )
        parts.append(
            label(
                left, _TOP - 14, "intruder in the account, as stated" if s.contained else "from T0, as stated", "soft"
            )
        )
    if s.detected and scale.start <= s.detected <= scale.end:
        x = scale.x(s.detected)
        parts.append(element("path", d=f"M{x} {_TOP - 8}V{bottom}", class_="edge"))
    return parts


def _line(key: Key, scale: TimeScale, y: int, covered: list[tuple[datetime, datetime]]) -> Markup:
    name = clipped(key.customer or key.key_id, 24)
    parts = [
        element("text", key.mark.shape, x=0, y=y + 4, class_=f"lab s-{key.mark.tone}"),
        label(18, y + 4, name, "strong"),
        label(_LEFT - 12, y + 4, clipped(key.provider, 11), "soft", "end"),
        element("path", d=f"M{scale.left} {y}H{scale.right}", class_="absent"),
    ]
    inside = [(start, end) for start, end in covered if end > scale.start and start < scale.end]
    parts += [element("path", d=f"M{scale.x(a)} {y}H{scale.x(b)}", class_="life") for a, b in inside]
    if key.first_use and key.first_use.start and key.abuse in {"established", "unexplained", "explained"}:
        left, right = scale.x(key.first_use.start), scale.x(_use_end(key))
        kind = {"established": "s-bad", "unexplained": "s-warn", "explained": "s-good"}[key.abuse]
        parts.append(
            element("rect", x=left, y=y - 5, width=max(4, right - left), height=10, class_=f"use {kind} {key.abuse}")
        )
        if key.abuse == "unexplained":
            lines = " ".join(
                f"M{x} {y + 5}L{min(x + 6, right)} {y - 5}" for x in range(left, max(left + 1, right - 5), 9)
            )
            parts.append(element("path", d=lines or f"M{left} {y}", class_="stripe"))
    if key.exposed:
        for moment in sorted({m for m in (key.exposed.start, key.exposed.end) if m}):
            parts.append(element("path", d=f"M{scale.x(moment)} {y - 12}V{y + 12}", class_="read"))
    if key.rotated_at:
        x = scale.x(key.rotated_at)
        parts.append(element("path", d=f"M{x} {y - 7}L{x + 7} {y}L{x} {y + 7}L{x - 7} {y}Z", class_="replaced"))
    if key.revoked_at:
        parts.append(element("path", d=f"M{scale.x(key.revoked_at)} {y - 10}V{y + 10}", class_="revoked"))
    if key.at_risk and key.still_active:
        parts.append(element("rect", x=scale.right - 6, y=y - 6, width=12, height=12, class_="active"))
    return element("g", Markup("").join(parts))


def _use_end(key: Key) -> datetime:
    assert key.first_use and key.first_use.start
    candidates = [m for m in (key.first_use.end, key.last_use) if m]
    return max([key.first_use.start, *candidates])


def _table_row(key: Key) -> tuple[str, ...]:
    exposed, use = key.exposed, key.first_use
    active = {True: "yes", False: "no", None: "not known"}[key.still_active]
    if key.still_active is not None and key.as_of:
        active += f", as of {words.table_time(key.as_of)}"
    times = (
        exposed and exposed.start,
        exposed and exposed.end,
        use and use.start,
        key.last_use,
        key.rotated_at,
        key.revoked_at,
    )
    return (
        key.customer,
        f"{key.provider} {key.key_id}",
        key.mark.word,
        *(words.table_time(t) if t else "" for t in times),
        active,
    )
