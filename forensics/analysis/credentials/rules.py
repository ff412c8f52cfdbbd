"""The rules that say which credential came from which, strongest first; the first that answers is taken.

1 the key id in the response; 2 the session's ARN and its second; 3 role and session name asked for, and the second;
4 a source identity names a group, no edge; 5 the caller of another account through the shared event id; 6 long-term
keys and the users that own them; 7 sessions of users without a role; 8 the console; 9 what services deliver;
10 the account in a key id, a hint only. What none of them answers has an unknown issuer, and is kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from forensics.analysis.credentials.account_id import account_in
from forensics.analysis.credentials.graph import UNKNOWN, Confidence, CredentialGraph, Edge, Node
from forensics.analysis.credentials.holders import MAKES, Evidence, Row, evidence_of, places_of, session_node

if TYPE_CHECKING:
    import duckdb

#: A session begins at most so long before or after the call that issued it, by the clocks of two services.
SKEW = timedelta(seconds=5)
#: A console session begins at most so long after the sign-in was recorded, and may be recorded before it.
SIGN_IN = timedelta(minutes=2)
#: A sign-in token is used at most so long after it was asked for.
TOKEN = timedelta(minutes=15)
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}|mi-[0-9a-f]{17}")


def graph_of(connection: duckdb.DuckDBPyConnection) -> CredentialGraph:
    """Return the graph of all credentials in CloudTrail."""
    evidence = evidence_of(connection)
    rules = _Rules(evidence)
    edges = [*rules.issued(), *rules.made()]
    answered = {edge.child for edge in edges}
    for rule in (rules.named_session, rules.asked_session, rules.user_session):
        found = [edge for row in rules.open(answered) for edge in rule(row)]
        edges += found
        answered |= {edge.child for edge in found}
    rest = rules.open(answered)
    places = places_of(connection, [row["credential_id"] for row in rest])
    edges += [edge for row in rest for edge in rules.otherwise(row, places.get(row["credential_id"], {}))]
    edges += rules.sign_ins(edges)
    graph = CredentialGraph({name: _node(row) for name, row in evidence.holders.items()})
    graph.link(edges)
    return graph


def _node(row: Row) -> Node:
    name = row["credential_id"]
    return Node(
        name, "credential", row["actor_arn"] or row["actor"] or "", row["actor"] or "", row["session_name"] or "", row["source_identity"] or "",
        account_in(name), row["session_created"], row["first"], row["last"], row["events"], row["denied"], row["changes"],
        tuple(row["addresses"]),
    )  # fmt: skip


def nearest(rows: Iterable[Row], moment: datetime | None, within: timedelta) -> list[Row]:
    """Return the rows whose time is nearest to `moment`, none when all are further away than `within`."""
    if moment is None:
        return []
    timed = [(abs(row["event_time"] - moment), row) for row in rows if row["event_time"] is not None]
    least = min((gap for gap, _ in timed), default=within + SKEW)
    return [row for gap, row in timed if gap == least] if least <= within else []


class _Rules:
    """The rules over one store's rows."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.shared: dict[str, Row] = {}
        for row in evidence.issues:
            if row["shared_event_id"] and row["credential_id"]:
                self.shared.setdefault(row["shared_event_id"], row)
        self.by_arn = self._index(lambda r: r["assumed_arn"] or r["federated_arn"])
        self.by_request = self._index(_asked)
        self.by_user = self._index(lambda r: r["actor_arn"] if r["event_name_base"] == "GetSessionToken" else None)
        self.logins: defaultdict[str, list[Row]] = defaultdict(list)
        self.tokens: defaultdict[str, list[Row]] = defaultdict(list)
        self.passwords: defaultdict[str, list[Row]] = defaultdict(list)
        for row in evidence.sign_ins:
            kept = self.tokens if row["event_name_base"] == "GetSigninToken" else self.logins
            if row["event_name_base"] != "SwitchRole" and row["actor_arn"]:
                kept[row["actor_arn"]].append(row)

    def _index(self, key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
        found: defaultdict[Any, list[Row]] = defaultdict(list)
        for row in self.evidence.issues:
            if key(row):
                found[key(row)].append(row)
        return found

    def open(self, answered: set[str]) -> list[Row]:
        """Return the holders that no rule has answered yet."""
        return [row for name, row in self.evidence.holders.items() if name not in answered]

    def caller(self, row: Row, child: str) -> str:
        """Return the node of who made an issuing call; across accounts through the shared event id."""
        if row["credential_id"]:
            return str(row["credential_id"])
        if self._other_caller(row):
            return self._other_caller(row)
        if row["identity_type"] == "AWSService" or row["invoked_by"]:
            return f"service {row['invoked_by'] or row['actor']}"
        if row["identity_type"] in {"SAMLUser", "WebIdentityUser", "IdentityCenterUser"}:
            return f"identity {row['actor']}"
        if row["identity_type"] == "AWSAccount":
            return f"{UNKNOWN}{child}: account {row['actor_account_id'] or 'not named'}, whose logs are not here"
        return session_node(row["actor_arn"], row["session_created"]) or str(row["actor"] or f"{UNKNOWN}{child}")

    def issued(self) -> list[Edge]:
        """Rules 1, 5 and 6: the key id stands in the response."""
        found: dict[tuple[str, str], Edge] = {}
        for row in self.evidence.issues:
            child = row["issued_credential_id"]
            if not child:
                continue
            parent = self.caller(row, child)
            across = not row["credential_id"] and parent == self._other_caller(row)
            rule = "key id in the response" + (", caller by the shared event id" if across else "")
            found.setdefault((child, parent), _edge(child, parent, rule, row, Confidence.EXACT))
        # The records of the caller's account and of the role's account tell of one act: the one that names the caller stays.
        named = {child for child, parent in found if not parent.startswith(UNKNOWN)}
        return [e for (child, parent), e in found.items() if not (parent.startswith(UNKNOWN) and child in named)]

    def _other_caller(self, row: Row) -> str:
        other = self.shared.get(row["shared_event_id"] or "")
        return str(other["credential_id"]) if other is not None and other["event_key"] != row["event_key"] else ""

    def made(self) -> list[Edge]:
        """Rule 6: users that were made, and passwords, service credentials and SSH keys that they were given."""
        edges = []
        for row in self.evidence.makings:
            user = row["request_user_name"]
            if not user or not row["account_id"]:
                continue
            who = f"arn:aws:iam::{row['account_id']}:user/{user}"
            child = MAKES[row["event_name_base"]].format(who)
            parent = self.caller(row, child)
            if parent != child:
                edges.append(_edge(child, parent, "made for this user", row, Confidence.EXACT))
                if child.startswith("password of "):
                    self.passwords[who].append(row)
        return edges

    def named_session(self, row: Row) -> list[Edge]:
        """Rule 2: the ARN in the response of an issuing call, and the second at which the session began."""
        return self._edges(row, self.by_arn.get(row["actor_arn"], []), "session ARN and second", Confidence.STRONG)

    def asked_session(self, row: Row) -> list[Edge]:
        """Rule 3: role and session name as asked for, where no response was kept."""
        asked = (row["issuer_arn"], row["session_name"])
        return self._edges(row, self.by_request.get(asked, []), "role, session name and second", Confidence.MEDIUM)

    def user_session(self, row: Row) -> list[Edge]:
        """Rule 7: a session of a user or of root without a role, begun when GetSessionToken was called."""
        if row["identity_type"] not in {"IAMUser", "Root"} or not row["credential_id"].startswith("ASIA"):
            return []
        return self._edges(row, self.by_user.get(row["actor_arn"], []), "user and second", Confidence.MEDIUM)

    def _edges(self, row: Row, issues: list[Row], rule: str, confidence: Confidence) -> list[Edge]:
        child = row["credential_id"]
        usable = [i for i in issues if i["issued_credential_id"] in (None, child)]
        found = nearest(usable, row["session_created"], SKEW)
        parents = {self.caller(i, child): i for i in reversed(found)}
        sure = confidence if len(parents) == 1 else Confidence.AMBIGUOUS
        return [_edge(child, parent, rule, parents[parent], sure) for parent in sorted(parents)]

    def otherwise(self, row: Row, place: Row) -> list[Edge]:
        """Rules 6, 8 and 9, and the unknown issuer."""
        child, who = row["credential_id"], row["actor_arn"] or row["actor"] or ""
        if not child.startswith("ASIA"):
            return [
                Edge(
                    child,
                    who or f"{UNKNOWN}{child}",
                    "long-term key of its user",
                    "",
                    Confidence.EXACT,
                    None,
                    row["first"],
                )
            ]
        delivered = _delivered(row, place)
        if delivered:
            return [
                Edge(child, delivered, "delivered by a service", "", Confidence.STRONG, None, row["session_created"])
            ]
        console = (
            row["console"]
            or row["identity_type"] in {"IAMUser", "Root"}
            or (row["session_name"] and self.logins.get(who))
        )
        if console and row["session_created"]:
            session = session_node(who, row["session_created"])
            return [
                Edge(child, session, "key of a console session", "", Confidence.STRONG, None, row["session_created"])
            ]
        return [
            Edge(
                child,
                f"{UNKNOWN}{child}",
                "no issuing event in the evidence",
                "",
                Confidence.NONE,
                None,
                row["session_created"],
            )
        ]

    def sign_ins(self, edges: list[Edge]) -> list[Edge]:
        """Rule 8: console sessions come from a sign-in, a sign-in from a token that a credential asked for."""
        sessions = sorted({e.parent for e in edges if " @ " in e.parent})
        out = []
        for session in sessions:
            who, _, moment = session.rpartition(" @ ")
            began = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - naive UTC
            login = next(iter(nearest(self.logins.get(who, []), began, SIGN_IN)), None)
            if login is None:
                owner = who if ":user/" in who or who.endswith(":root") else f"{UNKNOWN}{session}"
                sure = Confidence.NONE if owner.startswith(UNKNOWN) else Confidence.MEDIUM
                out.append(Edge(session, owner, "no sign-in in the evidence", "", sure, None, began))
                continue
            asked = [
                t for t in self.tokens.get(who, []) if t["credential_id"] and t["event_time"] <= login["event_time"]
            ]
            token = next(iter(nearest(asked, login["event_time"], TOKEN)), None)
            if token is not None:
                out.append(
                    _edge(
                        session,
                        str(token["credential_id"]),
                        "sign-in token asked for before the sign-in",
                        token,
                        Confidence.MEDIUM,
                    )
                )
            else:
                given = any(p["event_time"] <= login["event_time"] for p in self.passwords.get(who, []))
                parent = f"password of {who}" if given else who
                out.append(_edge(session, parent, "sign-in of that minute", login, Confidence.STRONG))
        return out


def _asked(row: Row) -> tuple[str, str] | None:
    if row["request_role_arn"] and row["request_role_session"]:
        return row["request_role_arn"], row["request_role_session"]
    return None


def _delivered(row: Row, place: Row) -> str:
    name = row["session_name"] or ""
    if _INSTANCE.fullmatch(name):
        return f"service {'ssm' if name.startswith('mi-') else 'ec2'}.amazonaws.com: {name}"
    if place.get("issued_to"):
        return f"service lambda.amazonaws.com: {place['issued_to']}"
    if "/AWSReservedSSO_" in (row["issuer_arn"] or "") or ":assumed-role/AWSReservedSSO_" in (row["actor_arn"] or ""):
        return f"identity center user {name}"
    if place.get("provider"):
        return f"identity of {place['provider']}"
    return f"service {row['invoked_by']}" if row["by_service_only"] and row["invoked_by"] else ""


def _edge(child: str, parent: str, rule: str, row: Row, confidence: Confidence) -> Edge:
    return Edge(child, parent, rule, row["event_name_base"], confidence, row["event_key"], row["event_time"])
