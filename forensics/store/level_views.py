"""The robust statistics that queries share: what is usual of a series of amounts, before the baseline of a run ends.

Where the baseline ends, and over how many days before it is looked, the runner of queries tells the connection as two of
its variables (`tell_baseline`): a view takes no parameter. Nothing is kept between two runs, so nothing can be of another
baseline than the run's own. Without an end there is no baseline and no level.
Source: https://duckdb.org/docs/stable/sql/statements/set_variable
Median and median absolute deviation: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.model.query import BASELINE_WINDOW

if TYPE_CHECKING:
    import duckdb

#: End of the baseline, as a time and in seconds, and its length in days. What is set is a constant when a query is
#: planned; a NULL length, all there is.
_CUT = "CAST(getvariable('baseline_until') AS TIMESTAMP)"
_CUT_EPOCH = f"(epoch_ms({_CUT}) // 1000)"
_DAYS = "CAST(getvariable('baseline_window_days') AS BIGINT)"
#: Seasons, and how wide each is.
_SEASONS = "(VALUES (1, 604800), (2, 86400), (3, 0), (4, 0)) AS s (season, width_s)"
#: More samples than any count or parameter, and fewer.
_MOST, _LEAST = "1000000000000000000", "-1000000000000000000"


def tell_baseline(connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any]) -> None:
    """Tell the views of this module the baseline of the run that follows, from its parameters; none where they have none."""
    for name, kind in (("baseline_until", datetime), (BASELINE_WINDOW, int)):
        value = parameters.get(name)
        if isinstance(value, kind):
            connection.execute(f"SET VARIABLE {name} = $value", {"value": value})
        else:
            connection.execute(f"RESET VARIABLE {name}")


#: Billed costs beside who pays: the key, else project, workspace or organisation; in whole ten-thousandths of the
#: currency. Of each day in one grouping: exports grouped in different ways hold the same costs twice.
PAYER_COST = """
CREATE VIEW payer_cost AS
SELECT *, holder || '|' || scope || '|' || payer || '|' || currency AS subject
FROM (
  SELECT event_key, evidence, provider, organisation, key_id, model, line_item, amount, period_start, period_end,
    epoch_ms(period_start) // 86400000 AS day,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') AS holder,
    CASE WHEN key_id IS NOT NULL THEN 'key' WHEN project_id IS NOT NULL THEN 'project'
         WHEN workspace_id IS NOT NULL THEN 'workspace' ELSE 'organisation' END AS scope,
    coalesce(key_id, project_id, workspace_id, organisation, '') AS payer,
    coalesce(currency, '') AS currency,
    CAST(CAST(amount AS DECIMAL(22, 4)) * CAST(10000 AS DECIMAL(6, 0)) AS BIGINT) AS amount_e4
  FROM ai_cost_current)
"""

#: Calls of Bedrock's models by who made them, throttled and denied ones too; not those that a service passes on.
BEDROCK_CALL = """
CREATE VIEW bedrock_call AS
SELECT event_key, event_time, event_epoch, event_epoch // 3600 AS used_hour, coalesce(actor, '') AS principal,
  coalesce(request_model_id, '') AS model, coalesce(credential_id, '') AS credential, coalesce(source_ip, '') AS address,
  outcome
FROM aws_event
WHERE event_source = 'bedrock.amazonaws.com'
  AND event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream')
  AND coalesce(invoked_by, '') = ''
"""

#: What is compared: of a series (usage, costs) each amount of a subject, by units of `unit_s` seconds from 1970 on. `holder`
#: and `granularity_s` tell which exports prove that a unit is empty.
SERIES_AMOUNT = """
CREATE VIEW series_amount AS
SELECT 'usage' AS series, u.subject, m.measure, u.holder, u.granularity_s, u.unit_s, u.unit, u.unit_start, u.unit_end,
  CASE m.measure WHEN 'requests' THEN u.requests ELSE u.tokens END AS amount
FROM key_unit AS u
CROSS JOIN (VALUES ('requests'), ('tokens')) AS m (measure)
WHERE m.measure = 'tokens' OR u.requests IS NOT NULL
UNION ALL
SELECT 'costs', subject, 'ten_thousandths', holder, NULL, CAST(86400 AS BIGINT), day, min(period_start), max(period_end),
  CAST(sum(amount_e4) AS BIGINT)
FROM payer_cost GROUP BY subject, holder, day
"""

#: How often each amount is met in the baseline, by season. Units of the baseline are those with an amount, and those that
#: an export proves to be empty: use is zero from the first use in the baseline on, and never before the key was made, costs
#: from the first costs of all on. Season 1 is the same hour of the week (of daily amounts the same day), 2 the same hour of
#: the day, 3 all. Of Bedrock, whose measure is the model, all hours of the logs: those without a call are one row with their
#: number, for silence begins where the logs begin and not where a principal was first seen.
BASELINE_AMOUNT = f"""
CREATE VIEW baseline_amount AS
WITH amounts AS (
  SELECT * FROM series_amount),
subjects AS (
  SELECT series, subject, holder, granularity_s, unit_s,
    min(CASE WHEN series = 'costs' OR unit_end <= {_CUT} THEN unit END) AS first_unit
  FROM amounts GROUP BY series, subject, holder, granularity_s, unit_s),
baseline_units AS (
  SELECT s.series, s.subject, s.unit_s, c.unit
  FROM subjects AS s
  JOIN covered_unit AS c ON c.holder = s.holder AND c.kind = s.series AND c.width_s = s.unit_s
    AND c.granularity_s = coalesce(s.granularity_s, c.granularity_s)
  LEFT JOIN (SELECT 'usage' AS series, subject, made_epoch FROM key_made) AS m ON m.series = s.series AND m.subject = s.subject
  WHERE c.unit < {_CUT_EPOCH} // s.unit_s
    AND c.unit >= coalesce(s.first_unit, c.unit)
    AND c.unit * s.unit_s >= coalesce(m.made_epoch, 0)
  UNION
  SELECT series, subject, unit_s, unit FROM amounts WHERE unit_end <= {_CUT}),
compared AS (
  SELECT b.series, b.subject, m.measure, b.unit_s, b.unit, coalesce(a.amount, 0) AS amount
  FROM baseline_units AS b
  JOIN (SELECT DISTINCT series, subject, measure FROM amounts) AS m ON m.series = b.series AND m.subject = b.subject
  LEFT JOIN amounts AS a
    ON a.series = b.series AND a.subject = b.subject AND a.measure = m.measure AND a.unit = b.unit
  WHERE b.unit >= coalesce({_CUT_EPOCH} // b.unit_s - {_DAYS} * 86400 // b.unit_s, b.unit)),
hours_called AS (
  SELECT principal, model, used_hour, count(*) AS calls
  FROM bedrock_call WHERE event_time < {_CUT} GROUP BY principal, model, used_hour)
SELECT c.series, c.subject, c.measure, s.season,
  CASE s.season WHEN 3 THEN 0 ELSE c.unit % (s.width_s // c.unit_s) END AS slot, c.amount, count(*) AS units
FROM compared AS c
JOIN {_SEASONS} ON s.season = 3 OR c.unit_s <= s.width_s
GROUP BY ALL
UNION ALL
SELECT 'bedrock_calls', principal, model, 3, 0, calls, count(*) FROM hours_called GROUP BY principal, model, calls
UNION ALL
SELECT 'bedrock_calls', c.principal, c.model, 3, 0, 0, s.hours - c.hours
FROM (SELECT principal, model, count(*) AS hours FROM hours_called GROUP BY principal, model) AS c
CROSS JOIN (
  SELECT max(event_epoch) // 3600 - min(event_epoch) // 3600 + 1 AS hours FROM aws_event WHERE event_time < {_CUT}) AS s
WHERE s.hours > c.hours
"""

_SLOT = "series, subject, measure, season, slot"


def _up_to(column: str) -> str:
    """Return how many samples of a slot are at most as large; a row stands for `units` of them."""
    return (
        f"CAST(sum(units) OVER (PARTITION BY {_SLOT} ORDER BY {column} NULLS LAST"
        " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT)"
    )


def _middle(column: str, over: str = "") -> str:
    """Return twice the median of a column, of rows with `units_up_to` of all `samples` up to each."""
    least, next_one = (f"min(CASE WHEN units_up_to >= (samples + {n}) // 2 THEN {column} END){over}" for n in (1, 2))
    return f"{least} + {next_one}"


#: Twice the median of a slot and four times its median absolute deviation (MAD), which are whole numbers. `spread_4` is four
#: times the spread that a score divides by: the MAD, at least a tenth of the median, at least one. Windows and no join: so a
#: query that names a series does not pay for the others.
USUAL_LEVEL = f"""
CREATE VIEW usual_level AS
WITH ranks AS (
  SELECT {_SLOT}, amount, units, CAST(sum(units) OVER (PARTITION BY {_SLOT}) AS BIGINT) AS samples,
    {_up_to("amount")} AS units_up_to
  FROM baseline_amount),
medians AS (
  SELECT {_SLOT}, amount, units, samples, {_middle("amount", f" OVER (PARTITION BY {_SLOT})")} AS median_2 FROM ranks),
deviations AS (
  SELECT {_SLOT}, units, samples, median_2, abs(2 * amount - median_2) AS deviation_2 FROM medians),
deviation_ranks AS (
  SELECT {_SLOT}, samples, median_2, deviation_2, {_up_to("deviation_2")} AS units_up_to FROM deviations)
SELECT {_SLOT}, samples, median_2, mad_4, greatest(mad_4, median_2 // 5, 4) AS spread_4
FROM (
  SELECT {_SLOT}, samples, median_2, {_middle("deviation_2")} AS mad_4
  FROM deviation_ranks GROUP BY {_SLOT}, samples, median_2)
"""

_AMOUNT = "series, subject, measure, unit_s, unit, unit_start, unit_end, amount"

#: Each amount beside what is usual in each season, most like it first, and as season 4 beside nothing, which always is
#: enough: of an amount exactly one row has `samples` of at least n and `better_samples` of fewer, whatever n is.
#: `baseline_units` counts the units of the whole baseline.
AMOUNT_LEVEL = f"""
CREATE VIEW amount_level AS
WITH slots AS (
  SELECT {_AMOUNT}, s.season, CASE s.season WHEN 3 THEN 0 ELSE unit % nullif(s.width_s // unit_s, 0) END AS slot
  FROM series_amount
  CROSS JOIN {_SEASONS}),
levels AS (
  SELECT s.*, CASE WHEN s.season = 4 THEN {_MOST} ELSE u.samples END AS samples, u.median_2, u.spread_4
  FROM slots AS s
  LEFT JOIN usual_level AS u
    ON u.series = s.series AND u.subject = s.subject AND u.measure = s.measure AND u.season = s.season AND u.slot = s.slot)
SELECT {_AMOUNT}, season, samples,
  coalesce(max(samples) OVER (
    PARTITION BY {_AMOUNT} ORDER BY season ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), {_LEAST}) AS better_samples,
  coalesce(max(CASE WHEN season = 3 THEN samples END) OVER (PARTITION BY {_AMOUNT}), 0) AS baseline_units,
  coalesce(median_2, 0) AS median_2, coalesce(spread_4, 4) AS spread_4
FROM levels
"""

#: In the order in which each can be made; they rest on the views of usage and of series.
LEVEL_VIEWS = (PAYER_COST, BEDROCK_CALL, SERIES_AMOUNT, BASELINE_AMOUNT, USUAL_LEVEL, AMOUNT_LEVEL)
