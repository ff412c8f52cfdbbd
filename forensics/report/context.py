"""The view model of the report: everything a template may show, read once from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from forensics.model.case import Settings
from forensics.model.query import Query
from forensics.report.account import Account, read_account
from forensics.report.answer import Answer, assumed_t0, make_answer
from forensics.report.answerable import Answerable, read_answerable
from forensics.report.charts.coverage import coverage_matrix
from forensics.report.charts.heat import heat_map
from forensics.report.charts.lifelines import lifelines
from forensics.report.charts.svg import Chart
from forensics.report.charts.usage import usage_chart
from forensics.report.costs import Costs, read_costs
from forensics.report.findings import Findings, read_findings
from forensics.report.gaps import Gaps, read_gaps
from forensics.report.indicators import Indicators, read_indicators
from forensics.report.intruder import Intruder, read_intruder
from forensics.report.inventory import Inventory, read_inventory
from forensics.report.keyevents import KeyEvents, key_events
from forensics.report.keys import Key, VerdictRow, read_keys, verdict_table
from forensics.report.ledger import Ledger, read_ledger
from forensics.report.log_integrity import LogIntegrity, read_log_integrity
from forensics.report.method import Method, read_method
from forensics.report.posture import PostureLine, read_posture
from forensics.report.reading import CaseReading

#: Usage pictures drawn at most, of the most severe keys.
USAGE_CHARTS = 40


@dataclass(frozen=True, slots=True)
class CaseHead:
    """What stands on every page: the case, its marking, its status, how far the sources reach, and what is stale."""

    settings: Settings
    tlp_tone: str
    final: bool
    made_at: datetime
    since: datetime | None
    until: datetime | None
    hours: int
    assumed_t0: datetime | None
    stale: Mapping[str, tuple[str, ...]]
    reach: str

    @property
    def status(self) -> str:
        """FINAL or DRAFT."""
        return "FINAL" if self.final else "DRAFT"

    @property
    def t0_stated(self) -> bool:
        """Whether the settings state T0."""
        return self.settings.t0 is not None


@dataclass(frozen=True, slots=True)
class Charts:
    """Pictures; `usage` by the anchor of a key."""

    lifelines: Chart | None
    heat: Chart | None
    coverage: Chart | None
    usage: Mapping[str, Chart]


@dataclass(frozen=True, slots=True)
class ReportView:
    """The whole view model. Section headers name what they need of it."""

    case: CaseHead
    answer: Answer
    gaps: Gaps
    keys: tuple[Key, ...]
    verdict_table: tuple[VerdictRow, ...]
    events: KeyEvents
    findings: Findings
    intruder: Intruder
    costs: Costs
    posture: tuple[PostureLine, ...]
    indicators: Indicators
    account: Account
    integrity: LogIntegrity
    answerable: Answerable | None
    ledger: Ledger
    method: Method
    inventory: Inventory
    charts: Charts


NAMES = frozenset(field.name for field in fields(ReportView))


def build(
    connection: Any,
    settings: Settings,
    queries: Sequence[Query],
    stale: Mapping[str, Sequence[str]],
    made_at: datetime,
    *,
    final: bool = False,
) -> ReportView:
    """Return the view model of a case over a read-only connection; `made_at` is naive UTC."""
    case = CaseReading(connection, settings, queries)
    keys, findings, intruder = read_keys(case), read_findings(case), read_intruder(case)
    ledger = read_ledger(case)
    open_ = sum("not_evaluable" in (k.exposure, k.abuse) for k in keys)
    gaps = read_gaps(case, ledger.detections, open_)
    integrity = read_log_integrity(case)
    usage = {key.anchor: usage_chart(case, key) for key in keys[:USAGE_CHARTS]}
    return ReportView(
        case=_head(case, keys, stale, made_at, final),
        answer=make_answer(case, keys, findings, intruder, gaps, integrity),
        gaps=gaps,
        keys=keys,
        verdict_table=verdict_table(),
        events=key_events(case, findings, keys),
        findings=findings,
        intruder=intruder,
        costs=read_costs(case),
        posture=read_posture(case),
        indicators=read_indicators(case),
        account=read_account(case),
        integrity=integrity,
        answerable=read_answerable(case),
        ledger=ledger,
        method=read_method(case),
        inventory=read_inventory(case),
        charts=Charts(
            lifelines(case, keys), heat_map(case), coverage_matrix(case), {a: c for a, c in usage.items() if c}
        ),
    )


def _head(
    case: CaseReading, keys: tuple[Key, ...], stale: Mapping[str, Sequence[str]], made_at: datetime, final: bool
) -> CaseHead:
    first, last = case.window or (case.settings.since, case.settings.until)
    return CaseHead(
        settings=case.settings,
        tlp_tone=case.settings.tlp.removeprefix("TLP:").split("+")[0].lower(),
        final=final,
        made_at=made_at,
        since=first,
        until=last,
        hours=case.hours,
        assumed_t0=None if case.settings.t0 else assumed_t0(keys),
        stale={kind: tuple(reasons) for kind, reasons in sorted(stale.items())},
        reach=case.reach,
    )
