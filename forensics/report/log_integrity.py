"""View of the check of log files against digests: what was proven of which trail, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.report import words
from forensics.report.reading import CaseReading, read_json, texts

FAULTS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class TrailChain:
    """A chain of digests; hours are whole."""

    account: str
    region: str
    trail: str
    states: tuple[str, ...]
    digests: int
    missing: int
    hours: int
    proven: int
    empty: int
    first: datetime | None
    last: datetime | None
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogFault:
    """A log file that failed, or one that a digest lists and that is missing."""

    exhibit: str
    name: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class LogIntegrity:
    """Whether the check ran, what it said of each event, and its faults. `keys`: (fingerprint, file, is pinned)."""

    ran: bool
    chains: tuple[TrailChain, ...]
    events: tuple[tuple[str, int], ...]
    files: tuple[tuple[str, int], ...]
    faults: tuple[LogFault, ...]
    faults_cut: int
    keys: tuple[tuple[str, str, bool], ...]

    @property
    def sentence(self) -> str:
        """What the check means for the events, in one sentence."""
        if not self.ran:
            return "Log integrity was not checked: `keytrail verify-logs` was not run."
        total = sum(number for _, number in self.events)
        said = [f"{number} {word}" for word, number in self.events if number]
        failed = (
            f"; {words.count(len(self.faults) + self.faults_cut, 'log file')} failed or missing" if self.faults else ""
        )
        return f"Of {words.count(total, 'CloudTrail event')} {words.listed(said) or 'none was judged'}{failed}."


_EVENTS = "SELECT integrity, count(*) AS n FROM event_integrity GROUP BY integrity ORDER BY integrity"
_FILES = "SELECT state, count(*) AS n FROM log_integrity GROUP BY state ORDER BY state"
_FAULTS = """
SELECT exhibit, object, state, reason FROM log_integrity WHERE integrity = 'failed' OR state = 'missing'
ORDER BY object, exhibit NULLS FIRST, state, reason
"""
_CHAINS = "SELECT * FROM log_chain ORDER BY organisation, account, region, trail, backfill"
_KEYS = """
SELECT DISTINCT fingerprint, key_file, key_origin = 'pinned' AS pinned FROM log_digest
WHERE key_origin IS NOT NULL ORDER BY fingerprint, key_file
"""
_WORDS = ("signed", "content hash only", "not covered", "failed")


def read_log_integrity(case: CaseReading) -> LogIntegrity:
    """Return what `keytrail verify-logs` stored."""
    ran = bool(case.value("SELECT count(*) FROM result_basis WHERE kind = 'verify-logs'"))
    counted = {row["integrity"]: row["n"] for row in case.rows(_EVENTS)}
    faults = [
        LogFault(row["exhibit"] or "", row["object"] or "", row["state"] or "", row["reason"] or "")
        for row in case.rows(_FAULTS)
    ]
    return LogIntegrity(
        ran=ran,
        chains=tuple(
            TrailChain(
                account=row["organisation"] or row["account"] or "",
                region=row["region"] or "",
                trail=row["trail"] or "",
                states=tuple(filter(None, (row["states"] or "").split(","))),
                digests=row["digests"] or 0,
                missing=row["missing"] or 0,
                hours=row["hours"] or 0,
                proven=row["hours_proven"] or 0,
                empty=row["hours_empty"] or 0,
                first=row["first_start"],
                last=row["last_end"],
                faults=texts(read_json(row["faults"], [])),
            )
            for row in case.rows(_CHAINS)
        ),
        events=tuple((word, counted.get(word, 0)) for word in _WORDS),
        files=tuple((row["state"], row["n"]) for row in case.rows(_FILES)),
        faults=tuple(faults[:FAULTS_SHOWN]),
        faults_cut=max(0, len(faults) - FAULTS_SHOWN),
        keys=tuple((row["fingerprint"], row["key_file"], bool(row["pinned"])) for row in case.rows(_KEYS)),
    )
