"""Files that commands write: always new ones."""

from __future__ import annotations

from pathlib import Path

from forensics.model.errors import UsageFault


def write_new(path: Path, text: str) -> None:
    """Write text as UTF-8 to a new file. Raises UsageFault when there is one, or it cannot be written."""
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise UsageFault("the file exists; nothing is overwritten", place=path.name) from None
    except OSError as error:
        raise UsageFault("cannot be written", place=path.name, hint=str(error.strerror)) from error
