"""The answer to a question of posture, and what the questions are judged on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from forensics.analysis.facts import Row
from forensics.model.posture import Standing

#: The most rows that an answer points at; `rows` counts all.
POINTERS = 50


@dataclass(frozen=True, slots=True)
class PostureAnswer:
    """Whether a mitigation was in place: the answer, why in words, and the rows behind it."""

    question: str
    text: str
    answer: Standing
    why: str
    query_ids: tuple[str, ...]
    event_keys: tuple[str, ...] = ()

    def as_json(self) -> Row:
        """Return it for `posture --json`; of many rows the first ones are named, `rows` counts all."""
        return {
            "question": self.question,
            "text": self.text,
            "answer": self.answer.value,
            "why": self.why,
            "query_ids": list(self.query_ids),
            "rows": len(self.event_keys),
            "event_keys": list(self.event_keys[:POINTERS]),
        }


@dataclass(slots=True)
class PostureFacts:
    """Rows of the queries of posture by name, the verdicts of the keys, and the end of the baseline (naive UTC)."""

    rows: dict[str, list[Row]]
    keys: list[Row] = field(default_factory=list)
    baseline_until: datetime | None = None

    def has(self, log: str) -> bool:
        """Whether the evidence holds any record of a kind of log in the window."""
        return any(r["log"] == log and r["records"] for r in self.rows["evidence"])


Question = Callable[[PostureFacts], PostureAnswer]


def keys_of(rows: list[Row], name: str = "event_key") -> tuple[str, ...]:
    """Return the distinct event keys of rows, in their order."""
    return tuple(dict.fromkeys(r[name] for r in rows if r[name]))


def named(values: list[str], most: int = 4) -> str:
    """Return values in words, the first few by name."""
    shown = ", ".join(values[:most])
    return f"{shown} and {len(values) - most} more" if len(values) > most else shown
