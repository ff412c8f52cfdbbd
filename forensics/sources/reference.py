"""The list of log formats as a page, made from the formats themselves: `python -m forensics.sources.reference`."""

from __future__ import annotations

import sys

from forensics.sources.catalogue import catalogue
from forensics.sources.protocol import Source

_HEAD = """# Log formats

Made by `make docs` from the modules of `forensics/sources/`; a test compares the two. Change the format, never this
page. A file is recognised by what is in it, never by its name; `keytrail ingest --dry-run` shows what each file would
be taken for and why. What no format knows is listed as skipped, with its reason, and can be mapped by a column map.

Rows of a format go to the table named here (columns: [fields.md](fields.md)); "registered" means that the file becomes
an exhibit with its hash, but its records fill no table. The module's docstring says where the form was taken from.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _row(source: Source) -> str:
    table = f"`{source.table}`" if source.table else "registered"
    known = f"[documentation]({source.reference})" if source.reference.startswith("https://") else source.reference
    return f"| `{source.id}` | {_cell(source.title)} | {_cell(source.provider)} | {table} | {_cell(known)} |"


def formats_page() -> str:
    """Return docs/formats.md: one row a format, in the order of ids."""
    head = ["| id | format | provider | rows go to | form |", "|---|---|---|---|---|"]
    return "\n".join([_HEAD, *head, *map(_row, catalogue().values()), ""])


if __name__ == "__main__":
    sys.stdout.write(formats_page())
