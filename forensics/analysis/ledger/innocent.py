"""Innocent explanations of an exposure: tested where the evidence can, else a question that would settle it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.analysis.facts import Alternative, times
from forensics.model.verdict import Exposure

if TYPE_CHECKING:
    from forensics.analysis.facts import Facts, Row


def of_reads(rows: list[Row], value: Exposure, facts: Facts) -> list[Alternative]:
    """Return what may explain acts of the intruder's credentials on a place."""
    out = [_ordinary(rows, facts), _maintenance()]
    classes = {r["access"] for r in rows}
    if Exposure.STORE_COPIED.value in classes:
        out.append(
            Alternative(
                "A planned backup, migration or copy for disaster recovery",
                False,
                "ask the organisation for the change record of the copy, and whether it still exists",
            )
        )
    if Exposure.CONFIGURATION_READ.value in classes:
        out.append(
            Alternative(
                "The settings only referred to a secret and held no value",
                False,
                "ask the organisation for the settings as they stood then: was the key itself in them",
            )
        )
    if value is Exposure.POSSIBLY:
        out.append(
            Alternative(
                "What was decrypted or read was of another customer",
                False,
                "ask the organisation which rows or keys its application handed out in that session",
            )
        )
    return out


def _ordinary(rows: list[Row], facts: Facts) -> Alternative:
    text = "The reader does this as part of its ordinary work"
    if facts.baseline_until is None:
        return Alternative(text, False, "T0 is not stated, so there is no baseline: ask whose credential this is")
    usual = sum(r["usual_reads"] for r in rows[:1])
    if not usual:
        return Alternative(text, True, "that principal had not read it before the baseline ended")
    return Alternative(text, True, f"that principal had read it {times(usual)} before")


def _maintenance() -> Alternative:
    return Alternative(
        "Somebody of the organisation used the credential for maintenance",
        False,
        "ask the organisation for change records of that hour",
    )


def of_newcomers() -> list[Alternative]:
    """Return what may explain a first read by somebody who is not held to be the intruder."""
    return [
        Alternative(
            "A new version of a service or a new operator reads it",
            False,
            "ask the organisation who this principal is",
        )
    ]
