"""Log files against the digests that list them.

States: valid, verified_content_container_changed, hash_mismatch, missing, trailing_data, invalid_format,
listed_by_invalid_digest, listed_by_unverified_digest, not_covered, covered_by_other_trail, duplicate_listing,
not_applicable. Each leads to one of four words for the events of the file: signed, content hash only, not covered,
failed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter

from forensics.integrity.chains import OPEN, PROVEN, Chain, DigestVerdict
from forensics.integrity.digest import Listed
from forensics.integrity.pieces import DAMAGED, GZIP, LOG, TRAILING, Piece

SIGNED, HASH_ONLY, NOT_COVERED, FAILED = "signed", "content hash only", "not covered", "failed"
#: What each state of a log file says of its events.
WORD = {
    "valid": SIGNED,
    "verified_content_container_changed": SIGNED,
    "covered_by_other_trail": SIGNED,
    "duplicate_listing": SIGNED,
    "listed_by_unverified_digest": HASH_ONLY,
    "listed_by_invalid_digest": NOT_COVERED,
    "not_covered": NOT_COVERED,
    "not_applicable": NOT_COVERED,
    "hash_mismatch": FAILED,
    "trailing_data": FAILED,
    "invalid_format": FAILED,
}


@dataclass(frozen=True, slots=True)
class LogVerdict:
    """A log file of the evidence, or one that is listed and missing (`piece` None).

    `key`: the S3 key that a digest lists, or the file's own name. `digest`: the digest that it is judged by.
    """

    key: str
    bucket: str
    state: str
    reason: str
    piece: Piece | None = None
    digest: DigestVerdict | None = None

    @property
    def word(self) -> str:
        """What the state says of the events of the file."""
        return WORD.get(self.state, NOT_COVERED)


def judge_logs(pieces: list[Piece], chains: list[Chain]) -> list[LogVerdict]:
    """Return one verdict for each listed log file and each log file of the evidence, in a total order."""
    index = _Index([p for p in pieces if p.kind == LOG])
    out: list[LogVerdict] = []
    judged: set[int] = set()
    taken: list[tuple[Listed, DigestVerdict, Piece]] = []
    for entry, verdict, others in _listings(chains):
        piece, how = index.find(entry)
        if piece is None:
            out.append(_absent(entry, verdict))
            continue
        judged.add(id(piece))
        found = _state(entry, verdict, piece, how)
        if others:
            several = verdict.state in PROVEN and any(o.chain == verdict.chain and o.state in PROVEN for o in others)
            elsewhere_bad = any(o.chain != verdict.chain and _rank(o) == 2 for o in others)
            found = _told_apart(found, several=several, elsewhere_bad=elsewhere_bad)
        out.append(LogVerdict(entry.key, entry.bucket, *found, piece, verdict))
        if not index.is_alone(entry, piece):
            taken.append((entry, verdict, piece))
    for entry, verdict, piece in taken:  # after all: a file that a digest lists under its own name is judged by that
        for copy in index.copies(piece):
            if id(copy) not in judged:
                judged.add(id(copy))
                out.append(LogVerdict(entry.key, entry.bucket, *_state(entry, verdict, copy, "copy"), copy, verdict))
        for rival in index.rivals(entry, piece):
            if id(rival) not in judged:
                judged.add(id(rival))
                why = "it has the name of a listed file and other content"
                out.append(LogVerdict(entry.key, entry.bucket, "hash_mismatch", why, rival, verdict))
    out += [_alone(piece) for piece in pieces if id(piece) not in judged and (piece.kind == LOG or piece.source_id)]
    return sorted(
        out,
        key=lambda v: (v.key, v.bucket, v.state, v.piece.name if v.piece else "", v.piece.exhibit if v.piece else ""),
    )


def _listings(chains: list[Chain]) -> list[tuple[Listed, DigestVerdict, list[DigestVerdict]]]:
    """Return each listed place once: what the best of its digests says of it, and the other digests that list it."""
    ranked = [
        (_rank(v), entry.bucket, entry.key, v.key, entry.sha256, number, entry, v)
        for number, v in enumerate(v for chain in chains for v in chain.verdicts)
        if v.digest
        for entry in v.digest.logs
    ]
    ranked.sort(key=itemgetter(0, 1, 2, 3, 4, 5))
    places: dict[tuple[str, str], tuple[Listed, DigestVerdict, list[DigestVerdict]]] = {}
    for _, bucket, key, _, _, _, entry, verdict in ranked:
        there = places.setdefault((bucket, key), (entry, verdict, []))
        if there[0] is not entry:
            there[2].append(verdict)
    return list(places.values())


def _told_apart(found: tuple[str, str], *, several: bool, elsewhere_bad: bool) -> tuple[str, str]:
    """Name a proven file's state more exactly: listed more than once, or by a false digest of another chain too."""
    if found[0] == "valid" and several:
        return "duplicate_listing", "listed by several digests of one chain; its content is the one they state"
    if found[0] in ("valid", "verified_content_container_changed") and elsewhere_bad:
        return "covered_by_other_trail", "a digest of one trail that lists it is not valid, that of another is"
    return found


def _rank(verdict: DigestVerdict) -> int:
    return 0 if verdict.state in PROVEN else 1 if verdict.state in OPEN else 2


def _absent(entry: Listed, verdict: DigestVerdict) -> LogVerdict:
    if _rank(verdict) == 2:
        return LogVerdict(
            entry.key, entry.bucket, "missing", "listed by a digest that is not valid, and not there", None, verdict
        )
    return LogVerdict(entry.key, entry.bucket, "missing", "listed by a digest, and not in the evidence", None, verdict)


def _alone(piece: Piece) -> LogVerdict:
    if piece.kind != LOG:
        return LogVerdict(
            piece.name,
            "",
            "not_applicable",
            "events in a form that S3 delivery does not use: no digest speaks of it",
            piece,
        )
    if piece.container == TRAILING:
        return LogVerdict(
            piece.name, "", "trailing_data", "bytes after the end of the gzip member, and no digest lists it", piece
        )
    if piece.container == DAMAGED:
        return LogVerdict(piece.name, "", "invalid_format", "the gzip stream is damaged, and no digest lists it", piece)
    return LogVerdict(piece.name, "", "not_covered", "no digest of the evidence lists it", piece)


def _state(entry: Listed, verdict: DigestVerdict, piece: Piece, how: str) -> tuple[str, str]:
    if piece.container == TRAILING:
        return "trailing_data", "bytes after the end of the gzip member: they are no part of what was delivered"
    if piece.container == DAMAGED:
        return "invalid_format", "the gzip stream is damaged"
    if not entry.sha256:
        return "invalid_format", "the digest states no SHA-256 for it"
    if piece.content_sha256 != entry.sha256:
        return "hash_mismatch", "its content is not the one that the digest states"
    if _rank(verdict) == 2:
        return "listed_by_invalid_digest", f"its digest is no proof: {verdict.state}"
    if _rank(verdict) == 1:
        return (
            "listed_by_unverified_digest",
            f"its content is the one that the digest states; the digest: {verdict.state}",
        )
    changes = []
    if piece.container != GZIP:
        changes.append("not the gzip file that was delivered")
    if how in ("content", "copy") and piece.base != entry.key.rpartition("/")[2]:
        changes.append(f"found by its content under the name {piece.base}")
    if changes:
        return "verified_content_container_changed", "content verified; " + ", ".join(changes)
    return "valid", "its content is the one that a valid digest states"


class _Index:
    """Log files by name and by content."""

    def __init__(self, logs: list[Piece]) -> None:
        self._by_base: defaultdict[str, list[Piece]] = defaultdict(list)
        self._by_content: defaultdict[str, list[Piece]] = defaultdict(list)
        for piece in sorted(logs, key=lambda p: (p.name, p.exhibit, p.member_path)):
            self._by_base[_bare(piece.base)].append(piece)
            self._by_content[piece.content_sha256].append(piece)

    def find(self, entry: Listed) -> tuple[Piece | None, str]:
        """Return the file that a digest lists: by its whole key, by its own name, by its content.

        A file of that name with other content gives way to one with the listed content, which proves itself.
        """
        named = self._by_base.get(_bare(entry.key.rpartition("/")[2]), [])
        if (
            len(named) == 1 and named[0].content_sha256 == entry.sha256
        ):  # as usual; which of both names told is no matter
            return named[0], "name"
        whole = [p for p in named if _bare(p.name).endswith(_bare(entry.key))]
        same = self._by_content.get(entry.sha256, []) if entry.sha256 else []
        for group, how in ((whole, "key"), (named, "name")):
            fitting = [p for p in group if p.content_sha256 == entry.sha256]
            if fitting:
                return min(fitting, key=lambda p: p.container != GZIP), how
        if same:
            return min(same, key=lambda p: p.container != GZIP), "content"
        best = whole or named
        return (best[0], "name") if best else (None, "")

    def is_alone(self, entry: Listed, piece: Piece) -> bool:
        """Whether no other file has the content or the listed name of the one that was taken."""
        named = self._by_base.get(_bare(entry.key.rpartition("/")[2]), [])
        return len(self._by_content[piece.content_sha256]) == 1 and len(named) == 1 and named[0] is piece

    def copies(self, piece: Piece) -> list[Piece]:
        """Return other files with the same content."""
        return [p for p in self._by_content[piece.content_sha256] if p is not piece]

    def rivals(self, entry: Listed, piece: Piece) -> list[Piece]:
        """Return files under the listed key that have other content than the one that was taken."""
        named = self._by_base.get(_bare(entry.key.rpartition("/")[2]), [])
        return [
            p for p in named if p.content_sha256 != piece.content_sha256 and _bare(p.name).endswith(_bare(entry.key))
        ]


def _bare(name: str) -> str:
    return name.removesuffix(".gz")
