"""keytrail show"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.log_marks import NOT_CHECKED, marks_of
from forensics.analysis.original import Original, places_of, read_original
from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import FIND, AskPasswordOption, ByOption, JsonOption, asked_password, open_given
from forensics.ingest import parquet_rows
from forensics.ingest.archives import member
from forensics.ingest.enclosed import text_at
from forensics.ingest.material import masked_json, without_contents
from forensics.ingest.unpack import decode, unpack
from forensics.ingest.unpacking import is_locked, limits_of
from forensics.model.errors import UsageFault
from forensics.store.case_folder import CaseFolder


def _content(received: bytes, path: str, noted: str | None, password: str | None = None) -> str:
    if path and is_locked(noted) and password is None:
        raise UsageFault("the record is in an archive that a password opened", hint="show it with --ask-password")
    limits = limits_of(noted)
    data = member(received, path, limits, password) if path else received
    content = unpack(data or b"", limits)
    return (
        parquet_rows.text_of(content, limits)
        if content.data.startswith(parquet_rows.MAGIC)
        else decode(content.data)[0]
    )


def shown(text: str) -> str:
    """Return a record's text with key material masked, and with what people asked and models answered left out."""
    try:
        value = json.loads(text, parse_float=str)
        kept = without_contents(value)
    except (ValueError, RecursionError):
        return masked_json(text)
    return masked_json(text if kept == value else json.dumps(kept, ensure_ascii=False))


def _reveal(folder: CaseFolder, originals: dict[str, Original], by: str) -> None:
    """Write into the custody log that records were shown in full."""
    acts = [
        {"act": "revealed", "event_key": key, "exhibit": o.exhibit, "record": o.record_no}
        for key, o in originals.items()
    ]
    with folder.locked("show"):
        folder.custody.extend(acts, by or folder.settings().examiner)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("show", rich_help_panel=FIND)
    def show(
        event: Annotated[str, typer.Argument(metavar="EVENT", help="Event key or the provider's event id.")],
        case: Annotated[
            Path | None,
            typer.Option("--case", help="Case folder; else KEYTRAIL_CASE, else the current folder."),
        ] = None,
        reveal: Annotated[
            bool, typer.Option("--reveal", help="Print key material and content unmasked; noted in the custody log.")
        ] = False,
        ask_password: AskPasswordOption = False,
        by: ByOption = "",
        json_: JsonOption = False,
    ) -> int:
        """Print the original record of an event from the evidence, with its place and hash."""
        folder = open_given(case)
        connection = folder.reader()
        try:
            places = places_of(connection, event)
            marks = marks_of(connection, (place["event_key"] for place in places))
        finally:
            connection.close()
        content_of = partial(_content, password=asked_password(ask_password))
        originals: dict[str, Original] = {}
        for place in places:
            originals.setdefault(place["own_key"], read_original(folder, place, content_of, text_at))
        if reveal:
            _reveal(folder, originals, by)
        else:
            whole = {key: original.text for key, original in originals.items()}
            originals = {key: replace(o, text=shown(o.text)) for key, o in originals.items()}
            if any(o.text != whole[key] for key, o in originals.items()):
                say("key material or content is masked here: the exhibit is TLP:RED; --reveal shows it and is noted")
        if json_:
            out_json(
                [
                    {
                        **asdict(o),
                        "integrity": marks.get(o.event_key, NOT_CHECKED),
                        "occurrences": [p["exhibit"] for p in places if p["own_key"] == key],
                    }
                    for key, o in originals.items()
                ]
            )
            return 0
        for key, original in originals.items():
            here = [p for p in places if p["own_key"] == key]
            rows = [
                ("event key", original.event_key),
                ("exhibit", f"{original.exhibit}  {original.path}"),
                ("owner", original.owner or "unassigned"),
                (
                    "record",
                    f"{original.record_no}, bytes {original.byte_offset} to {original.byte_offset + original.byte_length}",
                ),
                ("log integrity", marks.get(original.event_key, NOT_CHECKED)),
                ("inside", original.json_pointer or "the record itself"),
                ("SHA-256", f"{original.record_sha256} (checked against the exhibit)"),
                (
                    "also in",
                    ", ".join(f"{p['exhibit']} record {p['record_no']}" for p in here[1:]) or "nowhere else",
                ),
            ]
            out_table("", ("place", ""), rows)
            out()
            out(original.text)
            out()
        return 0
