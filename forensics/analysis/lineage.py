"""Which credentials, principals and addresses are held to be the intruder's, and by which independent root.

From what the settings state as known, over exact issue of credentials (key id in the response), to the addresses that
only the intruder used. Nothing here comes from the provider's side, so it can support verdicts there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.model.address import network_bounds, read_address
from forensics.model.case import Settings
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_MAX_HOPS = 30
_FAR = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC


@dataclass(frozen=True, slots=True)
class Taint:
    """A row of table `tainted`."""

    kind: str
    value: str
    since: datetime
    method: str
    parent: str
    root: str

    def row(self) -> dict[str, Any]:
        """Return it as a row."""
        return {n: getattr(self, n) for n in ("kind", "value", "since", "method", "parent", "root")}


_ACTS = """
SELECT event_time, event_key, credential_id, actor, source_ip, source_ip_key, source_class, event_name_base, outcome,
       issued_credential_id, request_user_name, account_id, invoked_by
FROM aws_event
WHERE event_time IS NOT NULL
  AND (credential_id IN (SELECT value FROM case_value WHERE kind = 'known_access_key')
    OR source_ip IN (SELECT unnest($addresses))
    OR credential_id IN (SELECT unnest($credentials))
    OR actor IN (SELECT unnest($principals)))
ORDER BY event_time, event_key
"""

_USED_BEFORE = """
SELECT DISTINCT source_ip FROM (
  SELECT source_ip, event_time, credential_id FROM aws_event
  UNION ALL SELECT source_ip, event_time, NULL FROM ai_audit_event
  UNION ALL SELECT source_ip, event_time, NULL FROM ai_request)
WHERE source_ip IN (SELECT unnest($addresses)) AND event_time < $before
  AND (credential_id IS NULL OR credential_id NOT IN (SELECT unnest($credentials)))
ORDER BY source_ip
"""

_MADE_USERS = frozenset({"CreateUser", "CreateLoginProfile", "UpdateLoginProfile", "CreateServiceSpecificCredential"})


class _Walk:
    """Follows taint until nothing new is found."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self.connection = connection
        self.settings = settings
        self.taints: dict[tuple[str, str], Taint] = {}
        self.own = [network_bounds(n) for n in settings.own_egress]
        self.start = settings.t0 or _FAR

    def run(self) -> list[Taint]:
        for known in self.settings.known:
            kind = {"access_key": "credential"}.get(known.kind, known.kind)
            value = (read_address(known.value).text or known.value) if kind == "address" else known.value
            self._add(
                Taint(
                    kind,
                    value,
                    self.start,
                    "known",
                    "",
                    f"settings: {known.kind} {known.value}, {known.reason}",
                )
            )
        for _ in range(_MAX_HOPS):
            before = len(self.taints)
            self._hop()
            if len(self.taints) == before:
                break
        return sorted(self.taints.values(), key=lambda t: (t.since, t.kind, t.value))

    def _add(self, taint: Taint) -> None:
        held = self.taints.get((taint.kind, taint.value))
        earlier = held is None or (held.method != "known" and (taint.since, taint.root) < (held.since, held.root))
        if earlier:
            self.taints[taint.kind, taint.value] = taint

    def _values(self, kind: str) -> list[str]:
        return sorted(value for k, value in self.taints if k == kind)

    def _hop(self) -> None:
        parameters = {
            "addresses": self._values("address"),
            "credentials": self._values("credential"),
            "principals": self._values("principal"),
        }
        candidates: dict[str, Taint] = {}
        for act in rows_of(self.connection, _ACTS, parameters):
            taint = self._taint_of(act)
            if taint is None:
                continue
            self._derive(act, taint)
            if (
                act["source_class"] == "public"
                and act["source_ip"]
                and not self._is_own(act["source_ip_key"])
                and not act["invoked_by"]
            ):
                candidates.setdefault(
                    act["source_ip"],
                    Taint("address", act["source_ip"], act["event_time"], "address", taint.value, taint.root),
                )
        self._addresses(candidates)

    def _taint_of(self, act: dict[str, Any]) -> Taint | None:
        """Return what makes an act the intruder's, or None: the owner's own use of a shared credential is not."""
        found = [
            self.taints.get(("credential", act["credential_id"] or "")),
            self.taints.get(("principal", act["actor"] or "")),
            self.taints.get(("address", act["source_ip"] or "")),
        ]
        for taint in found:
            if taint is None or act["event_time"] < taint.since:
                continue
            shared = taint.kind == "principal" or (taint.kind == "credential" and taint.method == "known")
            if shared and self._is_own(act["source_ip_key"]):
                continue
            return taint
        return None

    def _is_own(self, key: str | None) -> bool:
        return key is not None and any(low <= key <= high for low, high in self.own)

    def _derive(self, act: dict[str, Any], taint: Taint) -> None:
        if act["outcome"] != "success":
            return
        if act["issued_credential_id"]:
            method = "created" if act["event_name_base"] == "CreateAccessKey" else "issued"
            self._add(
                Taint(
                    "credential",
                    act["issued_credential_id"],
                    act["event_time"],
                    method,
                    taint.value,
                    taint.root,
                )
            )
        if act["event_name_base"] in _MADE_USERS and act["request_user_name"]:
            arn = f"arn:aws:iam::{act['account_id']}:user/{act['request_user_name']}"
            self._add(Taint("principal", arn, act["event_time"], "created", taint.value, taint.root))

    def _addresses(self, candidates: dict[str, Taint]) -> None:
        """Taint addresses that nobody else used before the intruder came; a shared address proves nothing."""
        fresh = {a: t for a, t in candidates.items() if ("address", a) not in self.taints}
        if not fresh:
            return
        before = self.settings.baseline_until or min(t.since for t in fresh.values())
        cursor = self.connection.execute(
            _USED_BEFORE,
            {"addresses": sorted(fresh), "before": before, "credentials": self._values("credential")},
        )
        shared = {row[0] for row in cursor.fetchall()}
        for address, taint in sorted(fresh.items()):
            if address not in shared:
                self._add(taint)


def taints(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[Taint]:
    """Return everything held to be the intruder's; empty when the settings state nothing as known."""
    return _Walk(connection, settings).run()
