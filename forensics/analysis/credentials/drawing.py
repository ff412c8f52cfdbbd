"""The credential graph as text for Graphviz: https://graphviz.org/doc/info/lang.html"""

from __future__ import annotations

from typing import Any

_SHAPES = {"credential": "box", "session": "box", "principal": "ellipse", "service": "hexagon", "unknown": "diamond"}
_LINES = {"exact": "solid", "strong": "solid", "medium": "dashed"}


def dot_text(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> str:
    """Return a digraph of nodes and edges in the form of `lineage --json`; names from logs are quoted."""
    lines = ["digraph lineage {", "  rankdir=LR;"]
    for node in nodes:
        label = node["name"] if not node["session_name"] else f"{node['name']}\n{node['session_name']}"
        lines.append(f"  {_quoted(node['name'])} [shape={_SHAPES[node['kind']]}, label={_quoted(label)}];")
    for edge in edges:
        label = f"{edge['method'] or edge['rule']} ({edge['confidence']})"
        style = _LINES.get(edge["confidence"], "dotted")
        lines.append(
            f"  {_quoted(edge['parent'])} -> {_quoted(edge['child'])} [label={_quoted(label)}, style={style}];"
        )
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    """Return a quoted string; backslashes would start escapes, and control characters are shown."""
    shown = "".join(c if c == "\n" or c.isprintable() else f"<{ord(c):x}>" for c in text)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
