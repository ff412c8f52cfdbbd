"""Write SVG elements with every text and attribute escaped. Colours are classes, so that dark mode and print follow.

Elements and attributes: https://www.w3.org/TR/SVG2/
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from forensics.model.text import visible
from forensics.report import words


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture with its caption; `table` is the same data for those who do not see it."""

    svg: Markup
    title: str
    caption: str
    columns: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


def element(name: str, content: Markup | str = "", **attributes: object) -> Markup:
    """Return an element; `_` in an attribute's name is `-`, a trailing `_` is dropped."""
    written = Markup("").join(
        # Names of attributes and elements are this package's own words; values are escaped.
        Markup(' {}="{}"').format(Markup(key.rstrip("_").replace("_", "-")), visible(str(value)))  # noqa: S704
        for key, value in attributes.items()
    )
    inner = content if isinstance(content, Markup) else escape(visible(content))
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inner)  # noqa: S704


def picture(anchor: str, width: int, height: int, title: str, description: str, parts: Iterable[Markup]) -> Markup:
    """Return a whole picture with its title and description for screen readers."""
    head = element("title", title, id=f"{anchor}-t") + element("desc", description, id=f"{anchor}-d")
    return element(
        "svg",
        head + Markup("\n").join(parts),
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{anchor}-t {anchor}-d",
        class_="chart",
    )


def label(x: int, y: int, text: str, kind: str = "", anchor: str = "start") -> Markup:
    """Return a text; `anchor` is start, middle or end."""
    return element("text", text, x=x, y=y, class_=f"lab {kind}".strip(), text_anchor=anchor)


def clipped(text: str, length: int) -> str:
    """Return `text` shortened to `length` characters for a label; the data table has all of it."""
    return text if len(text) <= length else text[: length - 1] + "…"


_STEPS = tuple(timedelta(hours=h) for h in (1, 3, 6, 12, 24, 48, 96, 168, 336, 720, 2160, 8760))


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Maps times to whole pixels between `left` and `right`; times outside are held at the edge."""

    start: datetime
    end: datetime
    left: int
    right: int

    def x(self, moment: datetime) -> int:
        """Return the pixel of a time."""
        inside = min(max(moment, self.start), self.end)
        whole = max(self.end - self.start, timedelta(microseconds=1))
        return self.left + int((inside - self.start) * (self.right - self.left) // whole)

    def ticks(self, most: int = 9) -> list[tuple[int, str]]:
        """Return at most `most` pixels and labels at round times."""
        span = self.end - self.start
        step = next((s for s in _STEPS if span // s < most), _STEPS[-1])
        day = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        moment = day + step * ((self.start - day + step - timedelta(microseconds=1)) // step)
        found: list[tuple[int, str]] = []
        while moment <= self.end and len(found) <= most:
            short = words.day(moment).rsplit(" ", 1)[0]
            found.append((self.x(moment), short if moment.hour == 0 else f"{short} {moment:%H:%M}"))
            moment += step
        return found

    def grid(self, top: int, bottom: int) -> list[Markup]:
        """Return grid lines with their labels below."""
        out = []
        for x, text in self.ticks():
            out.append(element("path", d=f"M{x} {top}V{bottom}", class_="grid"))
            place = "start" if x < self.left + 20 else "end" if x > self.right - 30 else "middle"
            out.append(label(x, bottom + 15, text, "soft", place))
        return out
