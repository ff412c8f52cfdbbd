"""What made a package: versions of the tool and its engines, and a hash of the source it ran from."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import forensics
from forensics import __version__
from forensics.resources import queries_folder, reports_folder

#: Packages whose version can change a result or a page.
_ENGINES = ("duckdb", "pyarrow", "jinja2")
#: Names in tool.json that must agree before equal bytes of the report can be asked for.
SAME_REPORT = ("keytrail", "source_tree_sha256", "reports_sha256", "jinja2")
#: Names in tool.json that must agree before a reproduction is called identical, not equivalent.
SAME_TOOL = ("keytrail", "python", "duckdb", "pyarrow", "source_tree_sha256", "reports_sha256")
_TEXT = frozenset({".py", ".sql", ".toml", ".j2", ".css", ".js", ".html"})


def _files(root: Path, label: str) -> Iterator[tuple[str, Path]]:
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if path.suffix in _TEXT and path.is_file() and not {"__pycache__", "_data"} & set(parts):
            yield f"{label}/{'/'.join(parts)}", path


def tree_sha256(folders: dict[str, Path]) -> str:
    """Return one SHA-256 over the text files below labelled folders, by name; the same wherever they lie."""
    found = sorted(pair for label, root in folders.items() for pair in _files(root, label))
    lines = (f"{sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in found)
    return sha256("".join(lines).encode("utf-8")).hexdigest()


@cache  # a process runs what it loaded
def _trees() -> dict[str, str]:
    package = Path(forensics.__file__).parent
    return {
        "source_tree_sha256": tree_sha256({"forensics": package, "queries": queries_folder()}),
        "reports_sha256": tree_sha256({"reports": reports_folder()}),
    }


def tool_facts() -> dict[str, str]:
    """Return tool.json: versions, a hash of program and queries, and one of the report templates."""
    return {
        "keytrail": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _ENGINES},
        **_trees(),
    }
