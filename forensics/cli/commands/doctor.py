"""keytrail doctor"""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import version

import typer

from forensics import __version__
from forensics.analysis.context import catalogue
from forensics.cli.console import out_json, out_table
from forensics.cli.options import TOOL, JsonOption
from forensics.resources import samples_folder
from forensics.sources.catalogue import catalogue as formats

_PARTS = ("duckdb", "pyarrow", "typer", "rich", "jinja2", "sqlglot", "filelock", "tomli-w", "rfc8785")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("doctor", rich_help_panel=TOOL)
    def doctor(json_: JsonOption = False) -> int:
        """Say whether this installation is whole: versions, queries, formats, free space."""
        facts = {
            "keytrail": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _PARTS},
            "queries": str(len(catalogue())),
            "formats": str(len(formats())),
            "sample incident": "present" if (samples_folder() / "case.toml").is_file() else "missing",
            "free space here": f"{shutil.disk_usage('.').free >> 30} GiB",
        }
        if json_:
            out_json(facts)
        else:
            out_table("", ("part", "state"), list(facts.items()))
        return 0
