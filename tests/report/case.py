"""A case filled by hand, and its rendering."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

from forensics.analysis.context import catalogue_sha256
from forensics.model.query import Query, QueryKind, Severity
from forensics.queries.catalogue import Catalogue
from forensics.report.render import RenderedReport, render_report
from forensics.store.basis import components, fingerprint
from forensics.store.case_folder import CaseFolder, init_case
from forensics.store.eventstore import EventStore, text_json
from forensics.store.schema import TABLES
from tests.report import rows


def clock() -> datetime:
    return datetime(2026, 5, 9, 9, 0, tzinfo=UTC)


def query(identity: str, sources: tuple[str, ...], kind: QueryKind = QueryKind.DETECTION) -> Query:
    return Query(
        identity, kind, f"Title of {identity}", Severity.HIGH, "high", sources, "What it looks for.", "SELECT 1 AS n ORDER BY n", "q" * 64,
        f"{identity}.sql", attack=("T1555.006",), misses="What it misses.", false_positives=("A backup",), next_steps=("Ask the owner",),
    )  # fmt: skip


QUERIES = Catalogue(
    (
        query("aws.root_activity", ("aws_cloudtrail",)),
        query("aws.secret_object_read", ("aws_cloudtrail",)),
        query("aws.secrets_read_in_bulk", ("aws_cloudtrail",)),
        query("exposure.location_reads", ("aws_cloudtrail",), QueryKind.EXPOSURE),
        query("usage.volume_spike", ("openai_usage",)),
    )
)
SETTINGS: dict[str, Any] = {
    "case": {
        "id": "LF-1",
        "title": "Keys read",
        "organisation": "Lanternfish",
        "examiner": "R. Lind",
        "tlp": "TLP:AMBER",
    },
    "window": {"since": datetime(2026, 4, 20, tzinfo=UTC), "until": datetime(2026, 5, 8, tzinfo=UTC)},
    "times": {"t0": datetime(2026, 5, 5, 2, 11, tzinfo=UTC), "detected": datetime(2026, 5, 5, 8, 40, tzinfo=UTC)},
    "own": {"accounts": ["111122223333"]},
    "known": [{"kind": "access_key", "value": "AKIAEXAMPLE1", "reason": "notice", "by": "R. Lind"}],
    "statement": [
        {
            "kind": "launch",
            "customer": "Pellamore",
            "provider": "openai",
            "key_id": "key_P",
            "by": "M. Ferrand",
            "text": "a launch",
        }
    ],
}
_VALIDATED = {"tlp", "kind", "accounts"}


def settings_text(change: Callable[[str], str], *, t0: bool = True) -> bytes:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v if k in _VALIDATED else walk(v) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(v) for v in value]
        return change(value) if isinstance(value, str) else value

    settings = walk(SETTINGS)
    if not t0:
        settings["times"] = {}
    return tomli_w.dumps(settings).encode()


def same(text: str) -> str:
    return text


def fill(
    root: Path,
    change: Callable[[str], str] = same,
    *,
    spare: frozenset[str] = frozenset(),
    t0: bool = True,
    basis: bool = True,
) -> CaseFolder:
    """Make a case of `rows`; every text but those of columns in `spare` goes through `change`."""
    folder = init_case(root, clock, settings_text(change, t0=t0))
    with folder.writer("test") as connection:
        store = EventStore(connection)
        for table, members in rows.tables().items():
            kinds = {c.name: c.type for c in TABLES[table].columns}
            changed = []
            for row in members:
                new = dict(row)
                for name, value in row.items():
                    if name in spare or value is None:
                        continue
                    if kinds[name] == "VARCHAR" and name != "answer":
                        new[name] = change(value)
                    elif kinds[name] == "JSON":
                        new[name] = json.dumps(_json(json.loads(value), change, spare))
                changed.append(new)
            store.insert(table, changed)
        if basis:
            parts = components(connection, folder, catalogue_sha256(QUERIES))
            for kind in ("hunt", "exposure"):
                store.insert(
                    "result_basis", [{"kind": kind, "fingerprint": fingerprint(parts), "components": text_json(parts)}]
                )
    return folder


def _json(value: Any, change: Callable[[str], str], spare: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {k: v if k in spare else _json(v, change, spare) for k, v in value.items()}
    return [_json(v, change, spare) for v in value] if isinstance(value, list) else rows.leaves(value, change)


def render(folder: CaseFolder, **options: Any) -> RenderedReport:
    return render_report(folder, clock, queries=QUERIES, **options)
