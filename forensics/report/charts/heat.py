"""When the tainted credentials were used: hour of the day by day, denied acts included."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from markupsafe import Markup

from forensics.report import words
from forensics.report.charts.svg import Chart, element, label, picture
from forensics.report.reading import CaseReading

_LEFT, _TOP, _ROW, _WIDTH = 44, 22, 10, 1100
DAYS = 45
_ACTS = """
SELECT CAST(event_time AS DATE) AS day, CAST(extract('hour' FROM event_time) AS BIGINT) AS hour, count(*) AS acts
FROM aws_event
WHERE credential_id IN (SELECT value FROM tainted WHERE kind = 'credential') AND event_time IS NOT NULL
GROUP BY 1, 2 ORDER BY 1, 2
"""


def heat_map(case: CaseReading) -> Chart | None:
    """Return the picture of the last `DAYS` days with acts, None when no tainted credential acted."""
    rows = case.rows(_ACTS)
    if not rows:
        return None
    acts = {(r["day"], r["hour"]): r["acts"] for r in rows}
    last = max(day for day, _ in acts)
    first = max(min(day for day, _ in acts), last - timedelta(days=DAYS - 1))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    cell = min(40, (_WIDTH - _LEFT - 10) // len(days))
    parts = [label(_LEFT - 8, _TOP + _ROW * h + 9, f"{h:02d}", "soft", "end") for h in range(0, 24, 6)]
    for n, day in enumerate(days):
        parts.append(_column(acts, day, _LEFT + n * cell, cell))
        if n == 0 or (n > 2 and day.weekday() == 0):
            parts.append(label(_LEFT + n * cell, _TOP + 24 * _ROW + 14, f"{day.day} {words.day_month(day)}", "soft"))
    parts += _t0(case, days, cell)
    by_day: dict[date, int] = defaultdict(int)
    for (day, _), n in acts.items():
        by_day[day] += n
    hidden = sum(n for day, n in by_day.items() if day < first)
    caption = "Columns are days, rows are hours of the day in UTC, from 00 on top. The fuller a cell, the more acts: 1 to 9, 10 to 99, 100 and more acts."
    caption += (
        " A credential that was stolen from a rightful user shows that user's acts too; the framed cell holds T0."
        if case.settings.t0
        else ""
    )
    caption += (
        f" {words.capital(words.count(hidden, 'earlier act'))} {words.is_or_are(hidden)} not drawn." if hidden else ""
    )
    title = "Acts of the intruder's credentials by day and hour"
    text = f"{words.number(sum(acts.values()))} acts on {words.count(len(by_day), 'day')}."
    table = tuple((day.isoformat(), words.number(n)) for day, n in sorted(by_day.items()))
    return Chart(
        picture("c-heat", _WIDTH, _TOP + 24 * _ROW + 24, title, text, parts), title, caption, ("Day", "Acts"), table
    )


def _column(acts: dict[tuple[date, int], int], day: date, x: int, cell: int) -> Markup:
    parts = []
    for hour in range(24):
        n = acts.get((day, hour), 0)
        level = 0 if n == 0 else 1 if n < 10 else 2 if n < 100 else 3
        parts.append(element("rect", x=x, y=_TOP + _ROW * hour, width=cell - 1, height=_ROW - 1, class_=f"h{level}"))
        if level:
            side = (cell - 1) * level // 3
            parts.append(element("rect", x=x, y=_TOP + _ROW * hour, width=side, height=_ROW - 1, class_="hfill"))
    return element("g", Markup("").join(parts))


def _t0(case: CaseReading, days: list[date], cell: int) -> list[Markup]:
    t0 = case.settings.t0
    if not t0 or t0.date() not in days:
        return []
    x, y = _LEFT + days.index(t0.date()) * cell, _TOP + _ROW * t0.hour
    return [
        element("rect", x=x - 1, y=y - 1, width=cell + 1, height=_ROW + 1, class_="frame"),
        label(x, _TOP - 6, "T0", "strong"),
    ]
