"""Check the query files: `python -m forensics.queries [FOLDER...]`. Prints all faults, exits with 3.

Columns need the store's tables and are checked where those are at hand: by the hunt and the queries' cases.
"""

from __future__ import annotations

import sys
from pathlib import Path

from forensics.model.errors import ExitCode, QueryFault
from forensics.queries.catalogue import load_catalogue
from forensics.resources import queries_folder


def main(arguments: list[str]) -> int:
    """Check the given folders, or the program's own. Returns the exit code."""
    folders = [Path(a).resolve() for a in arguments] or [queries_folder()]
    try:
        catalogue = load_catalogue(*folders)
    except QueryFault as error:
        sys.stderr.write(error.message + "\n")
        return ExitCode.BAD_QUERY
    sys.stderr.write(f"{len(catalogue)} query files, no fault\n")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
