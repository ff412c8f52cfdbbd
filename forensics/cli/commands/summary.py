"""keytrail summary"""

from __future__ import annotations

from typing import Annotated

import typer

from forensics.analysis.context import catalogue, window_of
from forensics.analysis.horizon import horizons_of, reach_words
from forensics.analysis.timeline import timeline_rows
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import FIND, CaseArgument, JsonOption, open_given
from forensics.model.query import QueryKind
from forensics.store.duckdb_engine import DuckDBEngine


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("summary", rich_help_panel=FIND)
    def summary(
        name: Annotated[str, typer.Argument(metavar="NAME", help="principals, addresses, access_keys, logins, ...")],
        case: CaseArgument = None,
        limit: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 100,
        json_: JsonOption = False,
    ) -> int:
        """One overview: principals, addresses, access keys, logins, secret access, usage, coverage, lineage."""
        every = catalogue()
        names = [q.id.partition(".")[2] for q in every.of_kind(QueryKind.SUMMARY)]
        query = every.by_id(f"summary.{name}") if name in names else every.by_id(name)
        folder = open_given(case)
        connection = folder.reader()
        try:
            window = window_of(connection, folder.settings())
            rows = timeline_rows(DuckDBEngine(connection), query, window)
            horizons = horizons_of(connection, window.since, window.until)
        finally:
            connection.close()
        if json_:
            out_json(rows.dicts())
            return 0
        out_table(query.title, rows.columns, rows.rows[:limit])
        if "last_seen" in rows.columns:
            say(f"last seen is as of the horizon: {reach_words(horizons)}")
        if len(rows.rows) > limit:
            say(f"{limit} of {len(rows.rows)} rows shown; --json gives all")
        return 0
