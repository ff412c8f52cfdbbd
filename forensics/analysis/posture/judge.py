"""Ask every question of posture over the rows of its queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from forensics.analysis.facts import Row
from forensics.analysis.posture import access, custody_of_keys, guards
from forensics.analysis.posture.answer import PostureFacts, Question

#: Queries of the folder posture, without the group.
QUERIES = (
    "evidence", "console_logins", "reported_users", "long_lived_keys", "broad_rights", "reads_beyond_habit",
    "secret_store_acts", "guarding_acts", "key_changes",
)  # fmt: skip
_ROTATION, _KEEPING = custody_of_keys.QUESTIONS[:2], custody_of_keys.QUESTIONS[2:]
QUESTIONS: tuple[Question, ...] = (*_ROTATION, *guards.QUESTIONS, *access.QUESTIONS, *_KEEPING)


def posture_of(run: Callable[[str], list[Row]], keys: list[Row], baseline_until: datetime | None) -> list[Row]:
    """Return the answers in order, in the shape of `posture --json`; `keys` are the answers of exposure."""
    facts = PostureFacts({name: run(f"posture.{name}") for name in QUERIES}, keys, baseline_until)
    return [question(facts).as_json() for question in QUESTIONS]


def posture_rows(answers: list[Row], dump: Any) -> list[Row]:
    """Return rows of table `posture`; `dump` writes an answer as JSON text."""
    return [
        {"place": n, "question": a["question"], "answer": a["answer"], "detail": dump(a)}
        for n, a in enumerate(answers, start=1)
    ]
