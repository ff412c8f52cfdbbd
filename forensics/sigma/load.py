"""Read Sigma rules from a folder. Rule files are hostile input: plain YAML only, bounded, every fault a reason.

Format: https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from forensics.model.errors import UsageFault
from forensics.model.query import Severity

MOST_BYTES = 256 * 1024
MOST_FILES = 20_000
MOST_DOCUMENTS = 1_000
MOST_DEPTH = 40
MOST_ALIASES = 100
MOST_NODES = 20_000
_TEXT = 500
_LEVELS = {"informational": Severity.INFO} | {s.value: s for s in Severity}


class _Refused(ValueError):
    """What this loader does not read although YAML allows it."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with bounds, without merge keys: those multiply what is in a file."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._nodes = self._aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node. Raises _Refused beyond the bounds."""
        self._depth += 1
        self._nodes += 1
        self._aliases += self.check_event(yaml.AliasEvent)
        if self._depth > MOST_DEPTH or self._nodes > MOST_NODES or self._aliases > MOST_ALIASES:
            raise _Refused("is nested too deep, too large or repeats itself too often")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def flatten_mapping(self, node: Any) -> None:
        """Refuse merge keys. Raises _Refused."""
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise _Refused("uses a merge key (<<), which is not read")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a folder, whether it could be parsed or not.

    `names` is what correlations may call it; `fault` says why it cannot be used; `other_log` which log it is for when
    that is not CloudTrail. Texts are the rule's own words, cut to 500 characters.
    """

    id: str
    place: str
    sha256: str
    title: str
    severity: Severity
    status: str = ""
    author: str = ""
    licence: str = ""
    tags: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    fault: str = ""
    other_log: str = ""
    detection: SigmaRule | None = field(default=None, repr=False, compare=False)
    correlation: SigmaCorrelationRule | None = field(default=None, repr=False, compare=False)
    #: the rule states a condition of its own (a temporal correlation need not)
    stated_condition: bool = True


def load_rules(folder: Path) -> tuple[Rule, ...]:
    """Return the rules of all .yml and .yaml files under `folder` (or of one file), by place.

    Raises UsageFault when there is no such folder, it holds no such file, or more than 20,000.
    """
    files = sorted(_files(folder))
    if not files:
        raise UsageFault("no .yml or .yaml file is there", place="--sigma", hint="give a folder of Sigma rules")
    if len(files) > MOST_FILES:
        raise UsageFault(f"more than {MOST_FILES} rule files", place="--sigma", hint="give a smaller folder")
    rules: list[Rule] = []
    for place, path in files:
        rules += _read(path, place)
    return tuple(_told_apart(rules))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    if folder.is_file():
        yield folder.name, folder
        return
    if not folder.is_dir():
        raise UsageFault("no such folder", place="--sigma")
    for root, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith((".yml", ".yaml")):
                path = Path(root) / name
                yield path.relative_to(folder).as_posix(), path


def _read(path: Path, place: str) -> list[Rule]:
    try:
        if path.is_symlink() or not path.is_file():
            return [_unread(place, b"", "is no regular file")]
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        return [_unread(place, b"", f"could not be opened: {error.strerror}")]
    if len(data) > MOST_BYTES:
        return [_unread(place, data, f"is larger than {MOST_BYTES // 1024} KiB")]
    try:
        documents = _documents(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return [_unread(place, data, "is no UTF-8 text")]
    except _Refused as error:
        return [_unread(place, data, str(error))]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        return [_unread(place, data, f"is no YAML{where}")]
    except (ValueError, RecursionError, TypeError, OverflowError, AttributeError, LookupError):
        return [_unread(place, data, "holds a value that YAML cannot read")]
    digest = sha256(data).hexdigest()
    many = len(documents) > 1
    return [_rule(d, f"{place}#{n}" if many else place, digest) for n, d in enumerate(documents, 1)] or [
        _unread(place, data, "holds nothing")
    ]


def _documents(text: str) -> list[Any]:
    loader = _Loader(text)
    out: list[Any] = []
    try:
        while loader.check_data():  # type: ignore[no-untyped-call]
            out.append(loader.get_data())
            if len(out) > MOST_DOCUMENTS:
                raise _Refused(f"holds more than {MOST_DOCUMENTS} documents")
    finally:
        loader.dispose()
    return [d for d in out if d is not None]


def _unread(place: str, data: bytes, fault: str) -> Rule:
    name = sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    shown = place.encode("utf-8", "replace").decode()
    return Rule(f"sigma.{name}", shown, sha256(data).hexdigest(), shown[-_TEXT:], Severity.INFO, fault=fault)


def _text(value: object) -> str:
    # Lone surrogates can be written with escapes in YAML; nothing after this can store or print them.
    return str(value)[:_TEXT].encode("utf-8", "replace").decode() if isinstance(value, str | int) else ""


def _texts(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else [value]
    return tuple(t for t in (_text(v) for v in found[:50]) if t)


def _rule(document: Any, place: str, digest: str) -> Rule:
    if not isinstance(document, dict):
        return _unread(place, b"", "is no Sigma rule: no mapping")
    names = tuple(n for n in (_text(document.get("id")).lower(), _text(document.get("name"))) if n)
    own = names[0] if _text(document.get("id")) else sha256(place.encode("utf-8", "replace")).hexdigest()[:12]
    rule = Rule(
        id=f"sigma.{own[:80]}",
        place=place.encode("utf-8", "replace").decode(),
        sha256=digest,
        title=_text(document.get("title")) or place,
        severity=_LEVELS.get(_text(document.get("level")).lower(), Severity.MEDIUM),
        status=_text(document.get("status")),
        author=_text(document.get("author")),
        licence=_text(document.get("license")),
        tags=_texts(document.get("tags")),
        false_positives=_texts(document.get("falsepositives")),
        names=names,
    )
    return _parsed(rule, document)


def _parsed(rule: Rule, document: dict[str, Any]) -> Rule:
    if "action" in document:
        return replace(rule, fault="uses 'action', which joins documents of the old form and is not read")
    if "filter" in document:
        return replace(rule, fault="is a filter for other rules; filters are not applied")
    try:
        if "correlation" in document:
            correlation = document["correlation"]
            parsed = SigmaCorrelationRule.from_dict(document)
            stated = isinstance(correlation, dict) and "condition" in correlation
            return replace(rule, correlation=parsed, stated_condition=stated)
        if "detection" not in document:
            return replace(rule, fault="is no Sigma rule: it has neither detection nor correlation")
        detection = SigmaRule.from_dict(document)
        source = detection.logsource
        ours = source.product == "aws" and source.service in ("cloudtrail", None) and not source.category
        log = "/".join(str(p)[:60] for p in (source.product, source.category, source.service) if p) or "an unnamed log"
        return replace(rule, detection=detection, other_log="" if ours else log)
    except SigmaError as error:
        return replace(rule, fault=_text(str(error)) or type(error).__name__)
    except RecursionError:
        return replace(rule, fault="is nested too deep")
    except Exception as error:  # the library meets types it does not expect; one rule must not stop the others
        return replace(rule, fault=f"is not of the form of a Sigma rule ({type(error).__name__})")


def _told_apart(rules: list[Rule]) -> Iterator[Rule]:
    """Give each rule an id of its own; of several with one id the first keeps it, the others are told of."""
    seen: dict[str, str] = {}
    for rule in rules:
        if rule.id in seen:
            mark = sha256(rule.place.encode()).hexdigest()[:8]
            fault = rule.fault or f"has the same id as {seen[rule.id]}"
            yield replace(rule, id=f"{rule.id}.{mark}", names=(), fault=fault)
        else:
            seen[rule.id] = rule.place
            yield rule
