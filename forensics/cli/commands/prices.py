"""keytrail prices"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.analysis.pricing import tables as pricing
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import FIND, ByOption, CaseArgument, DryRunOption, JsonOption, open_given
from forensics.model.errors import UsageFault
from forensics.model.prices import KINDS, PriceTable, read_prices
from forensics.store.case_folder import PRICES, CaseFolder


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("prices", rich_help_panel=FIND)
    def prices(
        case: CaseArgument = None,
        use: Annotated[
            Path | None,
            typer.Option("--use", help="Price table (TOML or CSV) that goes before the list of the program."),
        ] = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Which prices estimates rest on, and which models of the case have none."""
        folder = open_given(case)
        tables = pricing.tables_of(folder)
        if use is not None:
            own = _take(folder, use, by, dry_run=dry_run)
            tables = [own, *[t for t in tables if t.name not in PRICES]]
        connection = folder.reader()
        try:
            rows, unpriced = pricing.rows_for(connection, tables), pricing.unpriced_models(connection, tables)
        finally:
            connection.close()
        if json_:
            listed = [{"name": t.name, "as_of": t.as_of, "sha256": t.sha256, "prices": len(t.prices)} for t in tables]
            out_json({"tables": listed, "models": [_shown(row) for row in rows], "unpriced": unpriced})
            return 0
        out_table(
            "",
            ("price table", "as of", "prices", "SHA-256"),
            [(t.name, t.as_of, len(t.prices), t.sha256) for t in tables],
        )
        columns = ("provider", "model", "service", "above", "from", "currency", *KINDS)
        out_table("per million tokens", columns, [_line(row) for row in rows])
        for row in unpriced:
            say(f"no price: {row['provider']} {row['model']}; its use is in no estimate")
        return 0


def _take(folder: CaseFolder, path: Path, by: str, *, dry_run: bool) -> PriceTable:
    """Check a price table and make it the case's own, in place of the one before, which the custody log names."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageFault("the price table cannot be read", place=str(path), hint=str(error.strerror)) from error
    name = PRICES[0] if path.suffix.lower() == ".toml" else PRICES[1]
    table = read_prices(content, name)
    if dry_run:
        say(f"would use {len(table.prices)} prices as of {table.as_of} (SHA-256 {table.sha256}); nothing was written")
        return table
    with folder.locked("prices"):
        before = folder.prices_path
        replaced = read_prices(before.read_bytes(), before.name).sha256 if before else ""
        for other in PRICES:
            (folder.root / other).unlink(missing_ok=True)
        (folder.root / name).write_bytes(content)
        folder.custody.append("price table", by, sha256=table.sha256, before=replaced, prices=len(table.prices))
    say(f"{len(table.prices)} prices as of {table.as_of} go before the list of the program")
    return table


def _per_million(row: dict[str, Any], kind: str) -> str:
    price = row[f"{kind}_price"]
    if price is None:
        return ""
    text = f"{price * 1_000_000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    same = (
        "provider",
        "model",
        "service",
        "above_tokens",
        "valid_from",
        "valid_until",
        "currency",
        "as_of",
        "table_sha256",
    )
    return {**{name: row[name] for name in same}, **{kind: _per_million(row, kind) for kind in KINDS}}


def _line(row: dict[str, Any]) -> tuple[Any, ...]:
    start = row["valid_from"].date().isoformat() if row["valid_from"].year > 1970 else ""
    above = row["above_tokens"] or ""
    return (
        row["provider"],
        row["model"],
        row["service"],
        above,
        start,
        row["currency"],
        *(_per_million(row, k) for k in KINDS),
    )
