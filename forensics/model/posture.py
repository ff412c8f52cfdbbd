"""What a question of posture can be answered with, and the table that keeps the answers."""

from __future__ import annotations

from enum import StrEnum

from forensics.model.columns import table


class Standing(StrEnum):
    """The answer to a question of posture, from the evidence alone."""

    YES = "yes"
    NO = "no"
    NOT_SEEN = "not seen in the evidence"
    NOT_EVALUABLE = "not evaluable"


POSTURE = table(
    "posture",
    "Whether advised mitigations were in place, from the evidence, of the last exposure run.",
    """
place BIGINT order of the question
question VARCHAR id of the question
answer VARCHAR yes, no, not seen in the evidence, not evaluable
detail JSON the entry of `posture --json`
""",
    ("question",),
)
