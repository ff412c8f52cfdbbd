"""Find key material in evidence: full provider keys, AWS secrets and session tokens, bearer tokens, passwords.

A file is searched for the few fixed words that every form has; only there a pattern looks closer. Where records
come as a column, one linear-time pattern over all of them says which to look at. The evidence keeps its bytes; what reaches a table, a log or the terminal is the masked form.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from forensics.model.fields import CONTENT_FIELDS
from forensics.model.masking import KEY, KEY_FORMS, SECRET_FIELDS, mask_keys, mask_secret

#: Names that are never anything but a secret, so that `name=value` outside of JSON counts too.
_STRONG = frozenset(
    {"secretaccesskey", "aws_secret_access_key", "aws_session_token", "sessiontoken", "client_secret", "clientsecret"}
)
_KIND = {
    "secretaccesskey": "aws_secret_key",
    "aws_secret_access_key": "aws_secret_key",
    "sessiontoken": "aws_session_token",
    "aws_session_token": "aws_session_token",
}
_NAMES = sorted(SECRET_FIELDS, key=lambda n: (-len(n), n))


def _stem_of(name: str) -> str:
    """Return the shortest name that a name holds, which may be itself."""
    return min((other for other in SECRET_FIELDS if other in name), key=lambda n: (len(n), n))


#: The names that hold no other name, and for each the names it is first met in with the characters before it: the few
#: are sooner looked for than all.
_STEMS = {
    stem: [(name, name.index(stem)) for name in _NAMES if stem in name and stem == _stem_of(name)]
    for stem in sorted({_stem_of(name) for name in _NAMES})
}
#: What follows a field's name: its quote, a colon, and a quoted value; JSON may itself stand in a JSON text.
_QUOTED = re.compile(r"""\\*["']\s*:\s*\\*["']((?:[^"'\\]|\\+/)+)""")
_ASSIGNED = re.compile(r"""\\*["']?\s*[=:]\s*\\*["']?([A-Za-z0-9/+_\-=.]{16,})""")
#: A value of `api_key` or `MISTRAL_API_KEY` that has the look of no name, hint or id: many providers' keys have no prefix.
_API_KEY = "api_key"
_BARE = re.compile(r"""\\*["']\s*:\s*\\*["']([A-Za-z0-9]{24,})\\*["']""")
_HASH = re.compile(r"[0-9a-f]{64}")
_BEARER = re.compile(r"(?i)(?:bearer|basic)\s+([\w\-.~+/=]{16,})", re.ASCII)
#: Values that say that something was taken out. AWS writes HIDDEN_DUE_TO_SECURITY_REASONS and asterisks.
_NO_SECRET = re.compile(
    r"(?i)\**|hidden_due_to_security_reasons|\W*(?:redacted|hidden|masked|removed|null|none|true|false)\W*"
)
_MASKED = re.compile(r"[\w-]{0,24}\.\.\.[\w\-+/.]{0,4}")
#: Letters, digits, `-`, `_` and `/` that JSON may also write as escapes, to any depth of JSON inside JSON.
_ESCAPED_CODES = r"u00(?:3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9Aa]|2[DdFf])"
_ESCAPE = re.compile(rf"\\+(?:({_ESCAPED_CODES})|(/))")
_DEEPEST = 40
#: Texts of so many characters, and ids that hold no key material, whatever its form.
TOO_SHORT = 7
IS_HEX = re.compile(r"[0-9a-f-]*").fullmatch
#: Stands between texts that are searched together: no pattern reaches over it.
_APART = "\\\x00"


#: The fixed beginnings of all forms of keys; one that begins with another is found by it.
_LITERALS = ("sk-", "sk_", *(re.split(r"[(\[]", head)[0] for head, _ in KEY_FORMS if not head.startswith("sk")))


def _literal(text: str) -> str:
    return re.escape(text).replace(r"\-", "-")


def _candidates() -> str:
    """Return the pattern (RE2, which has no look-behind) that every text with key material matches.

    It asks for sixteen characters after each fixed beginning: it is compiled for every file, and longer counts, or one
    for each form, make that slow.
    """
    names, strong = ("|".join(map(_literal, found)) for found in (_NAMES, sorted(_STRONG)))
    return "|".join(
        (
            _KEY_CANDIDATES,
            rf"(?:[\"'](?i:{names})[\\]*[\"']\s*:)",
            rf"(?:(?i:{_API_KEY})[\\]*[\"']\s*:\s*[\\]*[\"'][A-Za-z0-9]{{16}})",
            rf"(?:(?i:{strong})[\\]*[\"']?\s*[:=])",
            r"(?:(?i:bearer|basic)\s+[\w.~+/=\-]{16})",
            rf"(?:[\\](?:{_ESCAPED_CODES}|/))",
        )
    )


_KEY_CANDIDATES = rf"(?:(?:^|[^A-Za-z0-9])(?:{'|'.join(map(_literal, _LITERALS))})[\w\-/+=]{{16}})"
_CANDIDATES = _candidates()


@dataclass(frozen=True, slots=True)
class Material:
    """Key material found in a text: characters [start, end) of it, and what may be said of it.

    `kind`: provider_key, aws_secret_key, aws_session_token, bearer_token, secret_field. `digest`: the first twelve hex
    digits of its SHA-256, to match two sightings; empty for short secrets, which a digest would give away.
    """

    start: int
    end: int
    kind: str
    masked: str
    digest: str


def suspects_of(texts: pa.Array, also: str = "") -> dict[int, str]:
    """Return the rows, with their text, that may hold material, or that the pattern `also` (RE2) matches."""
    pattern = f"{_CANDIDATES}|{also}" if also else _CANDIDATES
    rows = pc.indices_nonzero(pc.match_substring_regex(texts, pattern))
    return dict(zip(rows.to_pylist(), texts.take(rows).to_pylist(), strict=True))


def rows_matching(bodies: dict[int, str], pattern: str) -> set[int]:
    """Return the rows whose text a pattern (RE2) matches."""
    if not bodies:
        return set()
    matches = pc.match_substring_regex(pa.array(bodies.values(), pa.string()), pattern).to_pylist()
    return {row for row, matched in zip(bodies, matches, strict=True) if matched}


def mask_rows(bodies: dict[int, str]) -> tuple[dict[int, str], list[tuple[int, Material]]]:
    """Return the texts that hold material with it masked, by row, and what was found as (row, material).

    `bodies` are the suspects of a column. Each text comes out as by `masked_json`.
    """
    found = _found_together(bodies)
    plain = {row: text for row, body in bodies.items() if (text := plain_escapes(body)) != body}
    shown = _found_together(plain)  # what is there once escapes are read
    changed: dict[int, str] = {}
    for row, body in bodies.items():
        if row in plain:
            items = found.get(row, []), shown.get(row, [])
            found[row] = _with_hidden(*items)
            if items[1]:
                changed[row] = _spliced(plain[row], items[1])
        elif row in found:
            changed[row] = _spliced(body, found[row])
    return changed, [(row, item) for row in bodies for item in found.get(row, ())]


def _found_together(bodies: dict[int, str]) -> dict[int, list[Material]]:
    """Return the material of many texts as they stand, looked for in one go: that is several times faster."""
    starts, at = [], 0
    for body in bodies.values():
        starts.append(at)
        at += len(body) + len(_APART)
    rows = list(bodies)
    found: dict[int, list[Material]] = {}
    for item in _chosen(_APART.join(bodies.values()), keys=bool(rows_matching(bodies, _KEY_CANDIDATES))):
        place = bisect_right(starts, item.start) - 1
        start = starts[place]
        own = Material(item.start - start, item.end - start, item.kind, item.masked, item.digest)
        found.setdefault(rows[place], []).append(own)
    return found


def _spliced(text: str, items: list[Material]) -> str:
    parts, at = [], 0
    for item in items:
        parts += [text[at : item.start], item.masked]
        at = item.end
    return "".join((*parts, text[at:]))


def plain_escapes(text: str) -> str:
    """Return JSON text with letters, digits and `-_/` that were written as escapes as themselves."""
    return (
        _ESCAPE.sub(lambda m: "/" if m[2] else chr(int(m[1][3:], 16)), text)
        if "\\u00" in text or "\\/" in text
        else text
    )


def find_material(text: str) -> list[Material]:
    """Return all material of a text in order, without overlaps.

    What shows only when escapes are read has start and end -1.
    """
    plain = plain_escapes(text)
    return _with_hidden(_chosen(text), _chosen(plain) if plain != text else [])


def _with_hidden(found: list[Material], shown: list[Material]) -> list[Material]:
    """Return what was found in a text, and what shows only when its escapes are read."""
    known = {(m.kind, m.masked, m.digest) for m in found}
    hidden = [m for m in shown if (m.kind, m.masked, m.digest) not in known]
    return [*found, *(Material(-1, -1, m.kind, m.masked, m.digest) for m in hidden)]


def mask_text(text: str) -> str:
    """Return a text with all material in its masked form; a text without any comes back as it is."""
    return _spliced(text, _chosen(text))


def masked_json(text: str) -> str:
    """Return JSON text of the same shape with material masked, also where escapes hide it."""
    plain = plain_escapes(text)
    masked = mask_text(plain)
    return text if masked == plain else masked


def _chosen(text: str, *, keys: bool = True) -> list[Material]:
    lower = text.encode("latin-1", "replace").lower().decode("latin-1")
    found = [*(_keys(text) if keys else ()), *_fields(text, lower), *_bare(text, lower), *_bearers(text, lower)]
    every = sorted(found, key=lambda m: (m.start, -m.end))
    out: list[Material] = []
    for item in every:
        if not out or item.start >= out[-1].end:
            out.append(item)
        elif item.end > out[-1].end:
            # A key that reaches beyond a field's value: both go, as one.
            first = out.pop()
            out.append(_material(text, first.start, item.end, first.kind, mask_secret(text[first.start : item.end])))
    return out


def _material(text: str, start: int, end: int, kind: str, masked: str) -> Material:
    secret = plain_escapes(text[start:end])
    digest = sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:12] if len(secret) >= 16 else ""
    return Material(start, end, kind, masked, digest)


def _places(text: str, name: str) -> Iterator[int]:
    at = text.find(name)
    while at >= 0:
        yield at
        at = text.find(name, at + 1)


def _keys(text: str) -> Iterator[Material]:
    # Finding the fixed beginnings first is many times faster than the one pattern over everything.
    for literal in _LITERALS:
        for at in _places(text, literal):
            match = KEY.match(text, at)
            if match:
                yield _material(text, at, match.end(), "provider_key", mask_keys(match[0]))


def _fields(text: str, lower: str) -> Iterator[Material]:
    for stem, names in _STEMS.items():
        for at in _places(lower, stem):
            for name, before in names:
                start = at - before
                if start >= 0 and lower.startswith(name, start):
                    item = _field(text, name, start, start + len(name))
                    if item:
                        yield item


def _field(text: str, name: str, start: int, end: int) -> Material | None:
    before = text[start - 1 : start]
    if before.isalnum() or before in ("_", "-"):
        return None
    match = _QUOTED.match(text, end) if before in ('"', "'") else None
    if match is None and name in _STRONG:
        match = _ASSIGNED.match(text, end)
    if match is None or _NO_SECRET.fullmatch(match[1]) or _MASKED.fullmatch(match[1]):
        return None
    return _material(
        text, match.start(1), match.end(1), _KIND.get(name, "secret_field"), mask_secret(plain_escapes(match[1]))
    )


def _bare(text: str, lower: str) -> Iterator[Material]:
    for at in _places(lower, _API_KEY):
        end = at + len(_API_KEY)
        match = _BARE.match(text, end)
        if match is None or match[1].isalpha() or match[1].isdigit():
            continue
        # Gateways write a SHA-256 under that name, in small letters; settings of a program are written in capitals.
        if _HASH.fullmatch(match[1]) and text[at:end].islower():
            continue
        yield _material(text, match.start(1), match.end(1), "secret_field", mask_secret(match[1]))


def _bearers(text: str, lower: str) -> Iterator[Material]:
    for word in ("bearer", "basic"):
        for at in _places(lower, word):
            match = _BEARER.match(text, at)
            # "basic" is also a word of everyday language; a token has digits.
            if match and any(c.isdigit() for c in match[1]) and not text[at - 1 : at].isalnum():
                yield _material(text, match.start(1), match.end(1), "bearer_token", mask_secret(match[1]))


def contents_of(value: object, depth: int = 0) -> int:
    """Return how many fields of a parsed record hold what people asked and models answered."""
    if depth > _DEEPEST:
        return 0
    if isinstance(value, Mapping):
        return sum(
            1
            if str(name).lower() in CONTENT_FIELDS and member not in (None, "", [], {})
            else contents_of(member, depth + 1)
            for name, member in value.items()
        )
    return sum(contents_of(member, depth + 1) for member in value) if isinstance(value, list | tuple) else 0


def without_contents(value: object, depth: int = 0) -> object:
    """Return a parsed record with each such field replaced by a remark of what was there."""
    if depth > _DEEPEST:
        return "[nested deeper]"
    if isinstance(value, Mapping):
        return {
            name: "[content masked]"
            if str(name).lower() in CONTENT_FIELDS and member not in (None, "", [], {})
            else without_contents(member, depth + 1)
            for name, member in value.items()
        }
    return [without_contents(member, depth + 1) for member in value] if isinstance(value, list | tuple) else value
