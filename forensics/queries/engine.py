"""What runs queries: one protocol, so that another engine can stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from forensics.model.outcome import CanonicalRows


class QueryEngine(Protocol):
    """Runs one SELECT over the store and gives its rows in canonical form. `name` is engine and version."""

    @property
    def name(self) -> str:
        """Return engine and version, for the ledger."""
        ...

    def run(self, sql: str, parameters: Mapping[str, Any]) -> CanonicalRows:
        """Run `sql` with exactly the parameters it uses. Raises QueryFault when it cannot be run."""
        ...
