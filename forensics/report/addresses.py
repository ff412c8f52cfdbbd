"""View of the addresses: what the user's files say of each, and what could not be said for lack of a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.analysis.addresses.report import Known, address_facts
from forensics.enrichment.facts import QUESTIONS
from forensics.report.reading import CaseReading, Row

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class AddressLine:
    """An address with one cell a question that was asked; a cell is empty where no file lists the address."""

    address: str
    events: int
    first: datetime | None
    last: datetime | None
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addresses:
    """`asked`: questions that a file covers; `lacking`: (question, file that is needed); `sources`: rows of address_source."""

    asked: tuple[str, ...]
    lines: tuple[AddressLine, ...]
    cut: int
    others: int
    sources: tuple[Row, ...]
    lacking: tuple[tuple[str, str], ...]


def read_addresses(case: CaseReading) -> Addresses:
    """Return what the last computation gave."""
    found = case.with_connection(address_facts)
    asked = tuple(name for name in QUESTIONS if name not in found.lacking)
    lines = tuple(_line(known, asked) for known in found.known[:_SHOWN]) if asked else ()
    cut = max(0, len(found.known) - _SHOWN) if asked else 0
    return Addresses(asked, lines, cut, found.others, found.sources, tuple(found.lacking.items()))


def _line(known: Known, asked: tuple[str, ...]) -> AddressLine:
    return AddressLine(
        known.address, known.events, known.first, known.last, tuple(known.answer(name) for name in asked)
    )
