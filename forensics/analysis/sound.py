"""Judge every query file of the program and print the list of them: `python -m forensics.analysis.sound`."""

from __future__ import annotations

import sys

from forensics.queries.catalogue import load_catalogue
from forensics.queries.queryfile import EmptyStore
from forensics.queries.sound import listed
from forensics.resources import queries_folder
from forensics.store.schema import statements


def sound_list() -> str:
    """Return the list, in the order of ids. Raises QueryFault for any fault of any file."""
    store = EmptyStore(statements())
    return listed(load_catalogue(queries_folder(), store=store), store)


if __name__ == "__main__":
    sys.stdout.write(sound_list())
