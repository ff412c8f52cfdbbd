"""What was supplied: log format by day, gaps hatched; an export that proves absence is told apart from silence."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from markupsafe import Markup

from forensics.report import words
from forensics.report.charts.svg import Chart, clipped, element, label, picture
from forensics.report.reading import CaseReading

_LEFT, _TOP, _ROW, _WIDTH = 300, 24, 20, 1100
DAYS, ROWS = 62, 40
_RECORDS = """
WITH cost_day AS (
  SELECT source_id, owner, unnest(generate_series(date_trunc('day', period_start), period_end - INTERVAL 1 MICROSECOND, INTERVAL 1 DAY)) AS day
  FROM ai_cost_current WHERE period_start IS NOT NULL AND period_end > period_start),
supplied AS (
  SELECT source, owner, table_name, region, event_time FROM activity WHERE event_time IS NOT NULL
  UNION ALL SELECT source_id, owner, 'ai_cost', NULL, day FROM cost_day)
SELECT source, coalesce(owner, '') AS owner, CASE WHEN table_name = 'aws_event' THEN coalesce(region, '') ELSE '' END AS part,
       CAST(event_time AS DATE) AS day, count(*) AS n
FROM supplied GROUP BY ALL ORDER BY ALL
"""
_COVERED = """
SELECT source_id AS source, coalesce(owner, '') AS owner, covered_from, covered_until FROM ai_coverage
WHERE covered_from IS NOT NULL AND covered_until IS NOT NULL ORDER BY ALL
"""

_Line = tuple[str, str, str]


def coverage_matrix(case: CaseReading) -> Chart | None:
    """Return the picture, None without records or a window."""
    records: dict[_Line, dict[date, int]] = defaultdict(dict)
    for row in case.rows(_RECORDS):
        records[row["source"] or "", row["owner"], row["part"]][row["day"]] = row["n"]
    covered = _covered(case)
    for line in covered:
        records.setdefault(line, {})
    if not records or not case.window:
        return None
    first, last = case.window[0].date(), (case.window[1] - timedelta(microseconds=1)).date()
    first = max(first, last - timedelta(days=DAYS - 1))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    cell = (_WIDTH - _LEFT - 6) // len(days)
    lines = sorted(records)
    parts = [Markup(_PATTERN)]  # noqa: S704 - our own text
    for n, day in enumerate(days):
        if n == 0 or (n > 3 and day.weekday() == 0):
            parts.append(label(_LEFT + n * cell, _TOP - 8, f"{day.day} {words.day_month(day)}", "soft"))
    for n, line in enumerate(lines[:ROWS]):
        parts.append(_row(line, records[line], covered.get(line, set()), days, _TOP + n * _ROW, cell))
    cut = max(0, len(lines) - ROWS)
    caption = (
        "Rows are log formats with region or owner, columns are days. Filled: records of that day. Empty frame: no record, and an export that covers "
        "the day proves it. Hatched: no record, which may be silence or a missing log."
    ) + (f" {words.capital(words.count(cut, 'further row'))} not drawn." if cut else "")
    table = tuple(
        (source, owner, part, *_tally(records[source, owner, part], covered.get((source, owner, part), set()), days))
        for source, owner, part in lines
    )
    return Chart(
        picture("c-cover", _WIDTH, _TOP + _ROW * min(len(lines), ROWS) + 6, "Records supplied by day", caption, parts),
        "Records supplied by day",
        caption,
        ("Log format", "Owner", "Region", "Days with records", "Days proven empty", "Days without either"),
        table,
    )


_PATTERN = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V6" class="hatch"></path></pattern></defs>'
)


def _covered(case: CaseReading) -> dict[_Line, set[date]]:
    found: dict[_Line, set[date]] = defaultdict(set)
    for row in case.rows(_COVERED):
        start, end = row["covered_from"].date(), (row["covered_until"] - timedelta(microseconds=1)).date()
        days = min((end - start).days + 1, 3660)
        found[row["source"] or "", row["owner"], ""].update(start + timedelta(days=n) for n in range(days))
    return found


def _row(line: _Line, counts: dict[date, int], covered: set[date], days: list[date], y: int, cell: int) -> Markup:
    source, owner, part = line
    parts = [
        label(0, y + 13, clipped(source, 20), "strong"),
        label(_LEFT - 10, y + 13, clipped(part or owner, 22), "soft", "end"),
    ]
    for n, day in enumerate(days):
        kind = "full" if counts.get(day) else "empty" if day in covered else "gap"
        attributes = {"fill": "url(#hatch)"} if kind == "gap" else {}
        parts.append(
            element("rect", x=_LEFT + n * cell, y=y + 1, width=cell - 1, height=_ROW - 4, class_=kind, **attributes)
        )
    return element("g", Markup("").join(parts))


def _tally(counts: dict[date, int], covered: set[date], days: list[date]) -> tuple[str, str, str]:
    full = sum(bool(counts.get(d)) for d in days)
    empty = sum(d in covered and not counts.get(d) for d in days)
    return words.number(full), words.number(empty), words.number(len(days) - full - empty)
