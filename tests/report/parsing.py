"""Read a rendered page the way the tests judge it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "wbr", "base", "col"})


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    texts: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """Tags and attribute names as a multiset, every text with the open elements around it, faults of nesting."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: Counter[tuple[str, ...]] = Counter()
        self.nodes: list[Node] = []
        self.texts: list[tuple[str, tuple[Node, ...]]] = []
        self.faults: list[str] = []
        self.comments = 0
        self._open: list[Node] = []
        self.feed(text)
        self.close()
        self.faults += [f"{node.tag} is not closed" for node in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape[(tag, *sorted(name for name, _ in attrs))] += 1
        if len({name for name, _ in attrs}) != len(attrs):
            self.faults.append(f"{tag} has an attribute twice")
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.nodes.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"{tag} closes {self._open[-1].tag if self._open else 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append((data, tuple(self._open)))

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    def all(self, tag: str) -> list[Node]:
        return [node for node in self.nodes if node.tag == tag]

    def text_of(self, tag: str) -> list[str]:
        """Texts inside elements of a tag, one entry a text node."""
        return [text for text, around in self.texts if any(node.tag == tag for node in around)]
