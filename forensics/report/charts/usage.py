"""Usage of one key by hour against the same hours of the baseline, with the reads and the ends of the key marked."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from markupsafe import Markup

from forensics.report import words
from forensics.report.charts.svg import Chart, TimeScale, element, label, picture
from forensics.report.keys import Key
from forensics.report.reading import CaseReading, epoch, from_hour

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 1100, 190, 64, 1088, 26, 160
_BEFORE = timedelta(days=6)
_SERIES = """
SELECT bucket_start, bucket_end, CAST(sum(requests) AS BIGINT) AS requests,
       CAST(sum(coalesce(input_tokens_total, 0) + coalesce(output_tokens, 0)) AS BIGINT) AS tokens
FROM ai_usage_current
WHERE provider = ? AND key_id = ? AND bucket_start IS NOT NULL AND bucket_end > bucket_start AND granularity_s = (
  SELECT min(granularity_s) FROM ai_usage_current WHERE provider = ? AND key_id = ?)
GROUP BY bucket_start, bucket_end ORDER BY bucket_start, bucket_end
"""


def usage_chart(case: CaseReading, key: Key) -> Chart | None:
    """Return the picture of a key's usage, None when no usage by key was supplied or no window is known."""
    rows = (
        case.rows(_SERIES, [key.provider, key.key_id, key.provider, key.key_id]) if key.key_id and case.window else []
    )
    if not rows:
        return None
    metric = "tokens" if any(r["tokens"] for r in rows) else "requests"
    series = {epoch(r["bucket_start"]): int(r[metric] or 0) for r in rows}
    width = max(1, epoch(rows[0]["bucket_end"]) - epoch(rows[0]["bucket_start"]))
    end = rows[-1]["bucket_end"]
    start = max(rows[0]["bucket_start"], (_pivot(case, key) or end) - _BEFORE)
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if start >= end:
        return None
    band = _band(case, series, width)
    steps = list(range(epoch(start), epoch(end), width))
    top = max([series.get(s, 0) for s in steps] + [high for _, high in band.values()] + [1])
    scale = TimeScale(start, end, _LEFT, _RIGHT)
    parts = [
        *scale.grid(_TOP, _BOTTOM),
        *_levels(top),
        *_area(band, steps, width, scale, top),
        _bars(series, steps, width, scale, top),
        *_marks(case, key, scale),
    ]
    unit = {3600: "an hour", 86400: "a day", 60: "a minute"}.get(width, f"{width} seconds")
    title = f"{words.capital(metric)} {unit} of {key.customer or key.key_id}"
    caption = f"Bars: {metric} {unit} as the provider reports. " + (
        "Shaded: the middle nine tenths of the same hours of the day before the baseline ends. "
        if band
        else "No baseline is drawn: nothing lies before its end. "
    )
    caption += "Tall line with R: read by the intruder. X: revoked. N: replaced in the store."
    text = f"Highest value {words.number(max(series.get(s, 0) for s in steps))} {metric} from {words.spoken(start)} to {words.spoken(end)}."
    return Chart(
        picture(f"c-{key.anchor}", _WIDTH, _HEIGHT, title, text, parts),
        title,
        caption,
        *_table(series, band, metric, start, width),
    )


def _pivot(case: CaseReading, key: Key) -> datetime | None:
    marks = [
        m for m in (key.exposed and key.exposed.start, key.first_use and key.first_use.start, case.settings.t0) if m
    ]
    return min(marks, default=None)


def _slot(second: int, width: int) -> int:
    return second % 86_400 // width if width < 86_400 else 0


def _band(case: CaseReading, series: dict[int, int], width: int) -> dict[int, tuple[int, int]]:
    """5th and 95th of 100 by nearest rank, by time of day, over buckets that end before the baseline does."""
    until = case.settings.baseline_until
    if until is None:
        return {}
    limit, first = epoch(until), min(series)
    groups: dict[int, list[int]] = defaultdict(list)
    for second in range(first, limit - width + 1, width):
        groups[_slot(second, width)].append(series.get(second, 0))
    return {
        slot: (sorted(v)[(len(v) - 1) * 5 // 100], sorted(v)[(len(v) - 1) * 95 // 100]) for slot, v in groups.items()
    }


def _y(value: int, top: int) -> int:
    return _BOTTOM - value * (_BOTTOM - _TOP) // top


def _levels(top: int) -> list[Markup]:
    step = max(1, 10 ** (len(str(top)) - 1))
    while top // step > 4:
        step *= 2
    out = []
    for value in range(0, top + 1, step):
        y = _y(value, top)
        out.append(element("path", d=f"M{_LEFT} {y}H{_RIGHT}", class_="grid"))
        out.append(label(_LEFT - 8, y + 4, _brief(value), "soft", "end"))
    return out


def _brief(value: int) -> str:
    for unit, step in (("M", 1_000_000), ("k", 1_000)):
        if value >= step:
            tenths = value * 10 // step
            return (
                f"{tenths // 10}{unit}" if tenths % 10 == 0 or tenths >= 100 else f"{tenths // 10}.{tenths % 10}{unit}"
            )
    return str(value)


def _area(band: dict[int, tuple[int, int]], steps: list[int], width: int, scale: TimeScale, top: int) -> list[Markup]:
    if not band:
        return []
    upper, lower = [], []
    for second in steps:
        low, high = band.get(_slot(second, width), (0, 0))
        left, right = scale.x(_moment(second)), scale.x(_moment(second + width))
        upper.append(f"{left} {_y(high, top)}L{right} {_y(high, top)}")
        lower.append(f"{right} {_y(low, top)}L{left} {_y(low, top)}")
    return [element("path", d="M" + "L".join(upper) + "L" + "L".join(reversed(lower)) + "Z", class_="usual")]


def _moment(second: int) -> datetime:
    return from_hour(0) + timedelta(seconds=second)


def _bars(series: dict[int, int], steps: list[int], width: int, scale: TimeScale, top: int) -> Markup:
    pieces = []
    for second in steps:
        value = series.get(second, 0)
        if value:
            left, right = scale.x(_moment(second)), scale.x(_moment(second + width))
            pieces.append(
                f"M{left} {_BOTTOM}V{min(_y(value, top), _BOTTOM - 1)}H{max(left + 1, right - (right - left > 3))}V{_BOTTOM}Z"
            )
    return element("path", d="".join(pieces) or f"M{_LEFT} {_BOTTOM}", class_="bar")


def _marks(case: CaseReading, key: Key, scale: TimeScale) -> list[Markup]:
    marks = [("R", key.exposed.start, "read")] if key.exposed and key.exposed.start else []
    marks += [
        (sign, when, kind)
        for sign, when, kind in (("N", key.rotated_at, "edge"), ("X", key.revoked_at, "revoked"))
        if when
    ]
    if case.settings.t0 and not key.exposed:
        marks.append(("T0", case.settings.t0, "edge"))
    out = []
    for sign, when, kind in marks:
        if scale.start <= when <= scale.end:
            x = scale.x(when)
            out.append(element("path", d=f"M{x} {_TOP - 8}V{_BOTTOM}", class_=kind))
            out.append(label(x, _TOP - 12, sign, "strong", "middle"))
    return out


def _table(
    series: dict[int, int], band: dict[int, tuple[int, int]], metric: str, start: datetime, width: int
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Sums by day, with what the baseline's upper edge would add up to on a day."""
    days: dict[str, int] = defaultdict(int)
    for second, value in sorted(series.items()):
        if second >= epoch(start):
            days[f"{_moment(second):%Y-%m-%d}"] += value
    usual = words.number(sum(high for _, high in band.values())) if band and width < 86_400 else ""
    rows = tuple((day, words.number(value), usual) for day, value in sorted(days.items()))
    return ("Day", f"{words.capital(metric)} of the day", "Upper edge of the shaded hours, added"), rows
