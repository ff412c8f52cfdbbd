"""Digests in their chains: each judged by its signature, its successor's copy of it, and its place in the chain.

States are those of a digest: valid, valid_via_successor, valid_hash_only, unverified_no_signature, unverified_no_key,
bad_key, invalid_signature, invalid_format, trailing_data, moved, algorithm_unsupported, missing, fork,
duplicate_conflict. A chain has states of its own: complete, start_of_chain, gap, time_gap, broken, tail_unverified,
backfill, other_trail.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-cli.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from forensics.integrity.digest import ALGORITHM, ChainName, Digest
from forensics.integrity.public_keys import KeyRing, PublicKey
from forensics.integrity.saved_signatures import SavedSignatures

PROVEN = frozenset({"valid", "valid_via_successor"})
#: Its content is what its neighbour or nobody says it is: neither proven nor refuted.
OPEN = frozenset({"valid_hash_only", "unverified_no_signature", "unverified_no_key"})
_HOUR = timedelta(hours=1)
_EARLIEST = datetime.fromisoformat("0001-01-01T00:00:00")


@dataclass(frozen=True, slots=True)
class DigestVerdict:
    """A digest with its state. A `missing` one has no `digest`, only the place where its successor expects it."""

    key: str
    bucket: str
    chain: ChainName
    state: str
    reason: str
    digest: Digest | None = None
    public_key: PublicKey | None = None
    key_in_validity: bool | None = None


@dataclass(slots=True)
class Chain:
    """Digests of one trail in one region, in order of time. `missing` counts every digest that should be there."""

    name: ChainName
    verdicts: list[DigestVerdict] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    missing: int = 0

    @property
    def first(self) -> datetime | None:
        """Begin of the first digest that is there."""
        return min((d.start for d in self._present() if d.start), default=None)

    @property
    def last(self) -> datetime | None:
        """End of the last digest that is there."""
        return max((d.end for d in self._present() if d.end), default=None)

    def hours(self, *, proven: bool, empty: bool = False) -> int:
        """Return hours that proven (or all) digests speak of; `empty`: only those that list no log file."""
        spans = {
            (v.digest.start, v.digest.end)
            for v in self.verdicts
            if v.digest and v.digest.start and v.digest.end
            and (not proven or v.state in PROVEN) and (not empty or not v.digest.logs)
        }  # fmt: skip
        return sum(int((end - start).total_seconds()) for start, end in spans) // 3600

    def _present(self) -> list[Digest]:
        return [v.digest for v in self.verdicts if v.digest]


def judge(digests: list[Digest], keys: KeyRing, saved: SavedSignatures) -> list[Chain]:
    """Return the chains of all digests, each digest with its state, in order of name and time."""
    conflicts, unique = _copies(digests)
    by_place: defaultdict[tuple[str, str], list[Digest]] = defaultdict(list)
    successors: defaultdict[tuple[str, str], list[Digest]] = defaultdict(list)
    for digest in unique:
        by_place[digest.place].append(digest)
        if digest.previous:
            successors[digest.previous].append(digest)
    known: dict[int, DigestVerdict] = {}
    for digest in sorted(unique, key=_order, reverse=True):
        known[id(digest)] = _verdict(digest, successors[digest.place], known, keys, saved)
    for place, copies in by_place.items():
        if place in conflicts:
            _settle_conflict(copies, known)
    chains: dict[ChainName, Chain] = {}
    for digest in sorted(unique, key=_order):
        chains.setdefault(digest.chain, Chain(digest.chain)).verdicts.append(known[id(digest)])
    for chain in chains.values():
        _link(chain, by_place, successors)
    for chain in chains.values():
        others = [c for c in chains if c != chain.name and _same_place(c, chain.name) and not c.backfill]
        if chain.name.backfill:
            chain.states.append("backfill")
        elif others:
            chain.states.append("other_trail")
    return [chains[name] for name in sorted(chains)]


def _same_place(one: ChainName, other: ChainName) -> bool:
    return (one.account, one.region, one.organisation) == (other.account, other.region, other.organisation)


def _same_trail(one: ChainName, other: ChainName) -> bool:
    """Whether two digests are of one trail; a trail that became one of an organisation keeps its chain."""
    names = [(c.account, c.region, c.trail, c.home_region) for c in (one, other)]
    return names[0] == names[1]


def _order(digest: Digest) -> tuple[datetime, str, str]:
    return digest.end or _EARLIEST, digest.key, digest.sha256


def _copies(digests: list[Digest]) -> tuple[set[tuple[str, str]], list[Digest]]:
    """Return places that hold different bytes, and one digest for each distinct content of each place.

    Of equal copies the soundest container stands: bytes behind a member are a fault of that copy alone.
    """
    distinct: dict[tuple[tuple[str, str], str], Digest] = {}
    for digest in sorted(digests, key=lambda d: (bool(d.state), d.piece.name, d.piece.exhibit)):
        distinct.setdefault((digest.place, digest.sha256), digest)
    contents: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for (place, sha256), digest in distinct.items():
        if digest.end is not None:
            contents[place].add(sha256)
    return {place for place, found in contents.items() if len(found) > 1}, list(distinct.values())


def _settle_conflict(copies: list[Digest], known: dict[int, DigestVerdict]) -> None:
    proven = [d for d in copies if known[id(d)].state in PROVEN]
    for digest in copies:
        if digest.end is not None and not (len(proven) == 1 and digest is proven[0]):
            why = "another file of the same place has other bytes" + (", and its signature is valid" if proven else "")
            known[id(digest)] = replace(known[id(digest)], state="duplicate_conflict", reason=why)


def _verdict(
    digest: Digest, successors: list[Digest], known: dict[int, DigestVerdict], keys: KeyRing, saved: SavedSignatures
) -> DigestVerdict:
    own = saved.of(*digest.place) if digest.end else []
    key = keys.get(digest.fingerprint) if digest.fingerprint else None
    # A backfill digest was signed when it was made, long after the hours that it speaks of.
    moment = next((s.generated for s in own if s.generated), "") if digest.chain.backfill else digest.end_text

    def answer(state: str, reason: str) -> DigestVerdict:
        return DigestVerdict(
            digest.key,
            digest.bucket,
            digest.chain,
            state,
            reason,
            digest,
            key,
            key.within(moment) if key else None,
        )

    if digest.state:
        return answer(digest.state, digest.problem)
    if any(a not in ("", ALGORITHM) for a in (digest.algorithm, *(s.algorithm for s in own))):
        return answer(
            "algorithm_unsupported", f"signed with {digest.algorithm or 'another algorithm'}, not {ALGORITHM}"
        )
    if key is None:
        return answer("unverified_no_key", f"the public key {digest.fingerprint} was not supplied")
    if key.problem:
        return answer("bad_key", f"the public key {digest.fingerprint}: {key.problem}")
    text = digest.text_to_sign()
    if own:
        sound = [s for s in own if key.verifies(s.signature, text)]
        if len(sound) == len(own):
            return answer("valid", _vouch(key, f"saved in {own[0].file}"))
        copied = [s for s in successors if key.verifies(s.previous_signature, text)]
        why = f"the signature saved in {next(s for s in own if s not in sound).file} is not one of this digest"
        if copied:
            why += "; the one that the next digest holds is: the saved signature was damaged or changed, not the digest"
        elif sound:
            why += "; another saved one is"
        return answer("invalid_signature", why)
    return _by_successor(digest, key, text, successors, known, answer)


def _by_successor(
    digest: Digest,
    key: PublicKey,
    text: bytes,
    successors: list[Digest],
    known: dict[int, DigestVerdict],
    answer: Callable[[str, str], DigestVerdict],
) -> DigestVerdict:
    for successor in successors:
        if successor.has_previous_signature and key.verifies(successor.previous_signature, text):
            return answer("valid_via_successor", _vouch(key, "held by the next digest"))
    sound = [s for s in successors if id(s) in known and known[id(s)].state in PROVEN]
    if any(s.has_previous_signature for s in sound):
        return answer("invalid_signature", "the signature that the next digest, itself valid, holds is not one of it")
    if any(s.previous_sha256 == digest.sha256 for s in successors):
        return answer("valid_hash_only", "the next digest, unproven itself, states its hash; no signature was supplied")
    if successors:
        return answer("unverified_no_signature", "the next digest is not valid itself and holds no signature of it")
    return answer("unverified_no_signature", "no saved signature and no next digest")


def _vouch(key: PublicKey, where: str) -> str:
    trust = "a pinned key" if key.origin == "pinned" else "this key, not authenticated offline"
    return f"signature {where} valid under key {key.fingerprint} from {key.file}: {trust}"


def _link(
    chain: Chain, by_place: dict[tuple[str, str], list[Digest]], successors: dict[tuple[str, str], list[Digest]]
) -> None:
    """Walk a chain from the oldest digest and say where it begins, stops, forks or breaks."""
    present = [v.digest for v in chain.verdicts if v.digest and v.digest.end and v.state != "duplicate_conflict"]
    states: list[str] = []
    gaps: list[DigestVerdict] = []
    for number, digest in enumerate(present):
        older = present[:number]
        if digest.previous is None:
            states.append("gap" if older else "start_of_chain")
            if older:
                chain.faults.append(f"{digest.key} names no digest before it, yet older ones are there")
            continue
        before = by_place.get(digest.previous, [])
        if not before:
            gaps += _missing(chain, digest, older)
            states.append("broken")
            continue
        if not any(_same_trail(b.chain, digest.chain) for b in before):
            states.append("broken")
            chain.faults.append(f"{digest.key} names a digest of another account, region or trail before it")
        if digest.previous_sha256 not in {b.sha256 for b in before}:
            states.append("broken")
            chain.faults.append(f"{digest.key} states another hash of the digest before it")
        if digest.start not in {b.end for b in before}:
            states.append("time_gap")
            chain.faults.append(f"{digest.key} begins at another time than the digest before it ends")
    states += _forks(chain, successors)
    if any(v.state not in PROVEN | OPEN for v in chain.verdicts):
        states.append("broken")
    if present and _state_of(chain, present[-1]) not in PROVEN:
        states.append("tail_unverified")
    chain.verdicts = sorted([*chain.verdicts, *gaps], key=lambda v: (_end_of(v), v.key, v.digest is not None))
    chain.states = list(dict.fromkeys(states))
    if not set(chain.states) - {"start_of_chain"}:
        chain.states.append("complete")


def _end_of(verdict: DigestVerdict) -> datetime:
    if verdict.digest and verdict.digest.end:
        return verdict.digest.end
    return _EARLIEST


def _state_of(chain: Chain, digest: Digest) -> str:
    return next(v.state for v in chain.verdicts if v.digest is digest)


def _missing(chain: Chain, digest: Digest, older: list[Digest]) -> list[DigestVerdict]:
    """Return the one digest that is named and absent, and count all that the time between leaves out."""
    bucket, key = digest.previous or ("", "")
    count = 1
    if older and digest.start and older[-1].end and digest.start > older[-1].end:
        count = max(1, round((digest.start - older[-1].end) / _HOUR))
    chain.missing += count
    why = f"the digest of {digest.end_text} names it, and it is not there"
    if count > 1:
        why += f"; by time {count} digests are missing here"
    chain.faults.append(f"{key}: {why}")
    return [DigestVerdict(key, bucket, chain.name, "missing", why)]


def _forks(chain: Chain, successors: dict[tuple[str, str], list[Digest]]) -> list[str]:
    forked = False
    for number, verdict in enumerate(chain.verdicts):
        digest = verdict.digest
        if digest is None or digest.previous is None or verdict.state == "duplicate_conflict":
            continue
        rivals = [s for s in successors[digest.previous] if s.chain == digest.chain and s.place != digest.place]
        if rivals:
            forked = True
            chain.verdicts[number] = replace(
                verdict, state="fork", reason=f"{rivals[0].key} names the same digest before it; {verdict.reason}"
            )
    return ["broken"] if forked else []
