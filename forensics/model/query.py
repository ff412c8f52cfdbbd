"""A query: its header and its SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class QueryKind(StrEnum):
    """What a query is for."""

    DETECTION = "detection"
    TIMELINE = "timeline"
    SUMMARY = "summary"
    EXPOSURE = "exposure"
    IOC = "ioc"


class Severity(StrEnum):
    """How bad it is if the finding is true. Order of definition is ascending."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return list(Severity).index(self)


CONFIDENCES = ("low", "medium", "high")

#: Column contract of a detection: name and SQL type, in this order; free details may follow.
DETECTION_COLUMNS: tuple[tuple[str, str], ...] = (
    ("finding_key", "VARCHAR"),
    ("event_time", "TIMESTAMP"),
    ("actor", "VARCHAR"),
    ("action", "VARCHAR"),
    ("resource", "VARCHAR"),
    ("source_ip", "VARCHAR"),
    ("credential_id", "VARCHAR"),
    ("account_id", "VARCHAR"),
    ("region", "VARCHAR"),
    ("outcome", "VARCHAR"),
    ("event_key", "VARCHAR"),
    ("evidence", "VARCHAR"),
)

#: Bound by the engine from the case; a query that uses one need not declare it.
CASE_PARAMETERS: dict[str, str] = {"since": "timestamp", "until": "timestamp", "baseline_until": "timestamp"}

#: Parameter that a query may declare without using it, if it reads a view of `BASELINE_VIEWS`: how many days before the end
#: of the baseline those look back.
BASELINE_WINDOW = "baseline_window_days"
#: Views of the store whose rows follow from the end of a run's baseline, and must not be kept from one run to the next.
BASELINE_VIEWS = ("baseline_amount", "usual_level", "amount_level")

PARAMETER_TYPES = frozenset({"timestamp", "integer", "text", "decimal"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter of a query with its default."""

    name: str
    type: str
    doc: str
    default: Any


@dataclass(frozen=True, slots=True)
class Query:
    """A query file. `sha256` is of the file's bytes; `needs` are facts without which it is not evaluable."""

    id: str
    kind: QueryKind
    title: str
    severity: Severity
    confidence: str
    sources: tuple[str, ...]
    description: str
    sql: str
    sha256: str
    place: str
    attack: tuple[str, ...] = ()
    attack_v19: tuple[str, ...] = ()
    attack_version: str = ""
    atlas: tuple[str, ...] = ()
    misses: str = ""
    false_positives: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    baseline_days: int = 0
    portable: bool = True
    portable_reason: str = ""
    #: Each row rests on the usage of one key, in the order of provider, owner and key: it may be run some keys at a time.
    by_key: bool = False
    parameters: tuple[Parameter, ...] = field(default_factory=tuple)
