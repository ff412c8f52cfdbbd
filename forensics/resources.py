"""Where the files that travel with the program are: query files, report templates, the sample incident."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    """Return the folder beside the package (a source tree) or, failing that, its copy in the wheel."""
    for candidate in (_PACKAGE.parent / name, _PACKAGE / "_data" / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the folder {name} is missing from this installation of keytrail")


def price_list() -> Path:
    """Return the list of prices that travels with the program."""
    return _PACKAGE / "model" / "list_prices.csv"


def sound_queries() -> Path:
    """Return the list of query files that were judged when the program was built."""
    return _PACKAGE / "queries" / "sound.txt"


def queries_folder() -> Path:
    """Return the folder of the query files. Raises FileNotFoundError when the installation lacks it."""
    return _folder("queries")


def reports_folder() -> Path:
    """Return the folder of the report templates. Raises FileNotFoundError when the installation lacks it."""
    return _folder("reports")


def samples_folder() -> Path:
    """Return the folder of the sample incident. Raises FileNotFoundError when the installation lacks it."""
    return _folder("sample_logs")
