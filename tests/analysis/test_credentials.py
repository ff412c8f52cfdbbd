"""The credential graph: each rule, what stays unknown, the trees, and what an intrusion reaches."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.analysis.credentials.account_id import account_in
from forensics.analysis.credentials.attribution import attribution_of
from forensics.analysis.credentials.chains import chain_rows, chain_text
from forensics.analysis.credentials.drawing import dot_text
from forensics.analysis.credentials.graph import Confidence, CredentialGraph, Edge
from forensics.analysis.credentials.rules import graph_of
from forensics.analysis.credentials.tree import lineage_json, starts_of, tree_of
from forensics.analysis.findings import Finding
from forensics.ingest.scratch import read_bytes
from forensics.model.case import read_settings
from forensics.model.errors import UsageFault
from forensics.model.outcome import State
from forensics.model.query import Severity
from forensics.store import casevalues
from tests.building import delivery, event
from tests.stores import new_store

ADA = {
    "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ada", "accountId": "111122223333",
    "accessKeyId": "AKIAADA2222222222222", "userName": "ada",
}  # fmt: skip
ROLE = "arn:aws:iam::111122223333:role/vault"


def session(name: str, key: str | None, created: str, role: str = "vault", **more: Any) -> dict[str, Any]:
    """The identity of a role session."""
    identity = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/{name}",
        "accountId": "111122223333",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::111122223333:role/{role}", "userName": role},
            "attributes": {"creationDate": created, "mfaAuthenticated": "false"},
        } | more,
    }  # fmt: skip
    return identity | ({"accessKeyId": key} if key else {})


def user_session(name: str, key: str, created: str) -> dict[str, Any]:
    """The identity of a user's session without a role."""
    return {
        "type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/{name}", "accountId": "111122223333",
        "userName": name, "accessKeyId": key, "sessionContext": {"attributes": {"creationDate": created}},
    }  # fmt: skip


def sts(
    number: int, name: str, at: str, identity: dict[str, Any], response: Any = None, **request: Any
) -> dict[str, Any]:
    """A call of STS or IAM."""
    source = "iam.amazonaws.com" if name.startswith(("Create", "Update")) else "sts.amazonaws.com"
    return event(
        number, eventTime=at, eventSource=source, eventName=name, userIdentity=identity, requestParameters=request or None,
        responseElements=response,
    )  # fmt: skip


def use(number: int, at: str, identity: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A later call with a credential."""
    return event(number, eventTime=at, userIdentity=identity, **changes)


def issued(key: str, arn: str = "") -> dict[str, Any]:
    """A response that hands out a session."""
    return {"credentials": {"accessKeyId": key}} | ({"assumedRoleUser": {"arn": arn}} if arn else {})


STS = "arn:aws:sts::111122223333:assumed-role/vault"
EVENTS = [
    # 1: the key id in the response, twice in a row; the second use carries a source identity
    sts(1, "AssumeRole", "2026-05-01T01:00:00Z", ADA, issued("ASIAFIRST222222222222"), roleArn=ROLE, roleSessionName="one"),
    sts(
        2, "AssumeRole", "2026-05-01T01:05:00Z", session("one", "ASIAFIRST222222222222", "2026-05-01T01:00:00Z"),
        issued("ASIASECOND22222222222"), roleArn=ROLE, roleSessionName="two",
    ),
    use(3, "2026-05-01T01:06:00Z", session("two", "ASIASECOND22222222222", "2026-05-01T01:05:00Z", sourceIdentity="ada@desk")),
    # 2: no key id in the response, but the session's ARN, and a second of skew
    sts(
        4, "AssumeRole", "2026-05-01T02:00:00Z", ADA, {"assumedRoleUser": {"arn": f"{STS}/named"}},
        roleArn=ROLE, roleSessionName="named",
    ),
    use(5, "2026-05-01T02:01:00Z", session("named", "ASIANAMED22222222222", "2026-05-01T02:00:01Z")),
    # 3: no response at all; and the same name again hours later is another session
    sts(6, "AssumeRole", "2026-05-01T03:00:00Z", ADA, None, roleArn=ROLE, roleSessionName="asked"),
    use(7, "2026-05-01T03:01:00Z", session("asked", "ASIAASKED22222222222", "2026-05-01T03:00:00Z")),
    use(8, "2026-05-01T09:01:00Z", session("asked", "ASIASTRAY22222222222", "2026-05-01T09:00:00Z")),
    # two callers asked for the same name in the same second
    sts(9, "AssumeRole", "2026-05-01T04:00:00Z", ADA, None, roleArn=ROLE, roleSessionName="both"),
    sts(
        10, "AssumeRole", "2026-05-01T04:00:00Z", ADA | {"accessKeyId": "AKIABOB2222222222222"}, None, roleArn=ROLE,
        roleSessionName="both",
    ),
    use(11, "2026-05-01T04:01:00Z", session("both", "ASIABOTH222222222222", "2026-05-01T04:00:00Z")),
    # 5: a caller of another account, told of twice under one shared event id; and one whose logs are not here
    sts(12, "AssumeRole", "2026-05-01T05:00:00Z", ADA, issued("ASIACROSS22222222222"), roleArn=ROLE, roleSessionName="x")
    | {"sharedEventID": "shared-1"},
    sts(
        13, "AssumeRole", "2026-05-01T05:00:00Z", {"type": "AWSAccount", "principalId": "AIDAX", "accountId": "444455556666"},
        issued("ASIACROSS22222222222"), roleArn=ROLE, roleSessionName="x",
    )
    | {"sharedEventID": "shared-1"},
    sts(
        14, "AssumeRole", "2026-05-01T05:30:00Z", {"type": "AWSAccount", "principalId": "AIDAY", "accountId": "444455556666"},
        issued("ASIAAFAR222222222222"), roleArn=ROLE, roleSessionName="far",
    )
    | {"sharedEventID": "shared-2"},
    # 6: a user with key and password is made; changing a key's state makes nothing
    sts(15, "CreateUser", "2026-05-01T06:00:00Z", ADA, None, userName="eve"),
    sts(
        16, "CreateAccessKey", "2026-05-01T06:01:00Z", ADA,
        {"accessKey": {"accessKeyId": "AKIAEVE2222222222222", "userName": "eve"}}, userName="eve",
    ),
    sts(17, "CreateLoginProfile", "2026-05-01T06:02:00Z", ADA, None, userName="eve"),
    sts(18, "UpdateAccessKey", "2026-05-01T07:00:00Z", ADA | {"accessKeyId": "AKIABOB2222222222222"}, None, userName="eve"),
    use(19, "2026-05-01T06:10:00Z", {**ADA, "arn": ADA["arn"][:-3] + "eve", "userName": "eve", "accessKeyId": "AKIAEVE2222222222222"}),
    # 7: GetSessionToken without a key id in its response
    sts(20, "GetSessionToken", "2026-05-01T08:00:00Z", ADA),
    use(21, "2026-05-01T08:01:00Z", user_session("ada", "ASIATOKEN22222222222", "2026-05-01T08:00:00Z")),
    # 8: two short keys of one console session, after a sign-in with the password that was made
    event(
        22, eventTime="2026-05-01T10:00:00Z", eventSource="signin.amazonaws.com", eventName="ConsoleLogin",
        userIdentity={"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "accountId": "111122223333", "userName": "eve"},
        responseElements={"ConsoleLogin": "Success"},
    ),
    use(23, "2026-05-01T10:01:00Z", user_session("eve", "ASIACLICK12222222222", "2026-05-01T10:00:02Z")),
    use(24, "2026-05-01T10:02:00Z", user_session("eve", "ASIACLICK22222222222", "2026-05-01T10:00:02Z")),
    # 8: a role session turned into a console by a sign-in token
    event(
        25, eventTime="2026-05-01T11:00:00Z", eventSource="signin.amazonaws.com", eventName="GetSigninToken",
        userIdentity=session("one", "ASIAFIRST222222222222", "2026-05-01T01:00:00Z"),
    ),
    event(
        26, eventTime="2026-05-01T11:01:00Z", eventSource="signin.amazonaws.com", eventName="ConsoleLogin",
        userIdentity=session("one", None, "2026-05-01T01:00:00Z"), responseElements={"ConsoleLogin": "Success"},
    ),
    use(27, "2026-05-01T11:02:00Z", session("one", "ASIACLICK32222222222", "2026-05-01T11:01:00Z")),
    # 9: an instance, a function, an identity provider, single sign-on
    use(28, "2026-05-01T12:00:00Z", session("i-0123456789abcdef0", "ASIAINST222222222222", "2026-05-01T11:59:00Z")),
    use(
        29, "2026-05-01T12:01:00Z",
        session("worker", "ASIAFUNC222222222222", "2026-05-01T11:59:00Z")
        | {"inScopeOf": {"credentialsIssuedTo": "arn:aws:lambda:us-east-1:111122223333:function:worker"}},
    ),
    use(
        30, "2026-05-01T12:02:00Z",
        session("pod", "ASIAPOD2222222222222", "2026-05-01T11:59:00Z", webIdFederationData={"federatedProvider": "oidc.example"}),
    ),
    use(31, "2026-05-01T12:03:00Z", session("kim@example.com", "ASIASSO2222222222222", "2026-05-01T11:59:00Z", "AWSReservedSSO_Ops_1f")),
    # nobody knows
    use(32, "2026-05-01T13:00:00Z", session("stranger", "ASIALOST222222222222", "2026-05-01T12:59:00Z")),
]  # fmt: skip


@pytest.fixture(scope="module")
def store() -> Any:
    """A store with the events above."""
    connection = new_store()
    _, account = read_bytes(connection, "trail.json", delivery(EVENTS))
    assert account["accepted"] == len(EVENTS)
    casevalues.load(connection, read_settings(b""))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def graph(store: Any) -> CredentialGraph:
    """Its graph."""
    return graph_of(store)


@pytest.mark.parametrize(
    ("child", "parent", "method", "confidence"),
    [
        ("ASIAFIRST222222222222", "AKIAADA2222222222222", "AssumeRole", "exact"),
        ("ASIASECOND22222222222", "ASIAFIRST222222222222", "AssumeRole", "exact"),
        ("ASIANAMED22222222222", "AKIAADA2222222222222", "AssumeRole", "strong"),
        ("ASIAASKED22222222222", "AKIAADA2222222222222", "AssumeRole", "medium"),
        ("ASIASTRAY22222222222", "unknown issuer of ASIASTRAY22222222222", "", "none"),
        ("ASIACROSS22222222222", "AKIAADA2222222222222", "AssumeRole", "exact"),
        (
            "ASIAAFAR222222222222",
            "unknown issuer of ASIAAFAR222222222222: account 444455556666, whose logs are not here",
            "AssumeRole",
            "exact",
        ),
        ("arn:aws:iam::111122223333:user/eve", "AKIAADA2222222222222", "CreateUser", "exact"),
        ("AKIAEVE2222222222222", "AKIAADA2222222222222", "CreateAccessKey", "exact"),
        ("AKIAADA2222222222222", "arn:aws:iam::111122223333:user/ada", "", "exact"),
        ("ASIATOKEN22222222222", "AKIAADA2222222222222", "GetSessionToken", "medium"),
        ("ASIACLICK12222222222", "arn:aws:iam::111122223333:user/eve @ 2026-05-01T10:00:02Z", "", "strong"),
        (
            "arn:aws:iam::111122223333:user/eve @ 2026-05-01T10:00:02Z",
            "password of arn:aws:iam::111122223333:user/eve",
            "ConsoleLogin",
            "strong",
        ),
        (f"{STS}/one @ 2026-05-01T11:01:00Z", "ASIAFIRST222222222222", "GetSigninToken", "medium"),
        ("ASIAINST222222222222", "service ec2.amazonaws.com: i-0123456789abcdef0", "", "strong"),
        (
            "ASIAFUNC222222222222",
            "service lambda.amazonaws.com: arn:aws:lambda:us-east-1:111122223333:function:worker",
            "",
            "strong",
        ),
        ("ASIAPOD2222222222222", "identity of oidc.example", "", "strong"),
        ("ASIASSO2222222222222", "identity center user kim@example.com", "", "strong"),
        ("ASIALOST222222222222", "unknown issuer of ASIALOST222222222222", "", "none"),
    ],
)
def test_each_rule_names_parent_call_and_confidence(
    graph: CredentialGraph, child: str, parent: str, method: str, confidence: str
) -> None:
    assert [(e.parent, e.method, str(e.confidence)) for e in graph.parents(child)] == [(parent, method, confidence)]


def test_two_callers_of_one_second_are_ambiguous(graph: CredentialGraph) -> None:
    found = graph.parents("ASIABOTH222222222222")
    assert [e.parent for e in found] == ["AKIAADA2222222222222", "AKIABOB2222222222222"]
    assert {e.confidence for e in found} == {Confidence.AMBIGUOUS}


def test_every_used_credential_has_an_origin(graph: CredentialGraph) -> None:
    assert all(graph.parents(n.name) for n in graph.nodes.values() if n.kind == "credential" and n.events)


def test_the_order_of_events_does_not_matter(graph: CredentialGraph) -> None:
    connection = new_store()
    read_bytes(connection, "trail.json", delivery(EVENTS[::-1]))
    assert graph_of(connection).edges == graph.edges
    connection.close()


def test_chains_go_from_the_root_to_the_credential(graph: CredentialGraph) -> None:
    text, confidence = chain_text(graph, "ASIACLICK32222222222")
    assert text.split(" > ") == [
        "arn:aws:iam::111122223333:user/ada", "AKIAADA2222222222222", "ASIAFIRST222222222222",
        f"{STS}/one @ 2026-05-01T11:01:00Z", "ASIACLICK32222222222",
    ]  # fmt: skip
    assert confidence == "medium"


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("ASIASECOND22222222222", ["ASIASECOND22222222222"]),
        (f"{STS}/two", ["ASIASECOND22222222222"]),
        ("two", ["ASIASECOND22222222222"]),
        ("ada@desk", ["ASIASECOND22222222222"]),
        ("00000000-0000-4000-8000-000000000003", ["ASIASECOND22222222222"]),
        (
            "arn:aws:iam::111122223333:user/eve",
            [  # not the keys of the console session, which stand below it
                "AKIAEVE2222222222222",
                "arn:aws:iam::111122223333:user/eve",
                "arn:aws:iam::111122223333:user/eve @ 2026-05-01T10:00:02Z",
            ],
        ),
    ],
)
def test_what_can_be_asked_for(store: Any, graph: CredentialGraph, text: str, starts: list[str]) -> None:
    assert starts_of(store, graph, text) == starts


def test_an_address_gives_the_roots_of_what_it_used_and_nothing_is_said_of_strangers(
    store: Any, graph: CredentialGraph
) -> None:
    found = starts_of(store, graph, "192.0.2.7")
    assert "AKIAADA2222222222222" in found and "ASIAFIRST222222222222" not in found
    with pytest.raises(UsageFault, match="nothing in CloudTrail acted as"):
        starts_of(store, graph, "AKIANOBODY2222222222")


def test_a_tree_runs_from_the_root_through_what_was_asked_to_all_below(graph: CredentialGraph) -> None:
    lines = tree_of(graph, "ASIAFIRST222222222222")
    assert [(line.depth, line.name) for line in lines] == [
        (-2, "arn:aws:iam::111122223333:user/ada"),
        (-1, "AKIAADA2222222222222"),
        (0, "ASIAFIRST222222222222"),
        (1, "ASIASECOND22222222222"),
        (1, f"{STS}/one @ 2026-05-01T11:01:00Z"),
        (2, "ASIACLICK32222222222"),
    ]


def test_json_and_drawing_hold_each_node_of_each_edge(graph: CredentialGraph) -> None:
    found = lineage_json(graph, ["ASIABOTH222222222222"])
    names = {node["name"] for node in found["nodes"]}
    assert {"AKIAADA2222222222222", "AKIABOB2222222222222"} <= names
    assert all({edge["child"], edge["parent"]} <= names for edge in found["edges"])
    drawn = dot_text(found["nodes"], found["edges"])
    assert drawn.count(" -> ") == len(found["edges"])
    hostile = found["nodes"][0] | {"name": 'x"];\nevil [label="\x1b\\'}
    line = dot_text([hostile], []).splitlines()[2]
    assert '\\"];\\nevil' in line and "\x1b" not in line and line.endswith("];")


def test_an_act_without_a_credential_stands_under_the_session_it_began_or_its_principal() -> None:
    graph = CredentialGraph()
    made = Edge("arn:user/new", "AKIAADA", "made for this user", "CreateUser", Confidence.EXACT, "k0")
    login = Edge(
        "arn:user/new @ 2026", "arn:user/new", "sign-in of that minute", "ConsoleLogin", Confidence.STRONG, "k1"
    )
    graph.link([made, login])
    acts = [
        ("k1", None, "arn:user/new"),
        ("k2", None, "arn:user/new"),
        ("k3", "AKIAADA", "x"),
        ("k4", None, "stranger"),
    ]
    events = tuple({"event_key": k, "credential_id": c, "actor": a} for k, c, a in acts)
    finding = Finding(
        *("F-1", "aws.q", "key", Severity.LOW, "high", "title", None, None, None, 0, State.FINDING),
        event_keys=tuple(k for k, _, _ in acts),
        events=events,
    )
    rows = {
        row["credential_id"]: (row["chain"], row["confidence"], row["events"]) for row in chain_rows([finding], graph)
    }
    assert rows == {
        "AKIAADA": ("AKIAADA", "exact", 1),
        "arn:user/new": ("AKIAADA > arn:user/new", "exact", 1),
        "arn:user/new @ 2026": ("AKIAADA > arn:user/new > arn:user/new @ 2026", "strong", 1),
    }


def test_a_cycle_ends() -> None:
    graph = CredentialGraph()
    graph.link([Edge(a, b, "r", "m", Confidence.EXACT) for a, b in (("A", "B"), ("B", "C"), ("C", "A"))])
    assert [e.parent for e in graph.chain("A")] == ["C", "B"]
    assert [e.child for _, e in graph.below("A")] == ["C", "B"]


def test_the_account_in_a_key_id() -> None:
    # Worked out by hand: twelve digits times 128 in the first 48 bits, in base 32 behind the prefix.
    from base64 import b32encode

    number = (111122223333 << 7).to_bytes(6) + b"\x00" * 4
    assert account_in("AKIA" + b32encode(number).decode()) == "111122223333"
    assert account_in("AKIAADA2222222222222189") == ""


SETTINGS = b"""
[times]
t0 = 2026-05-02T00:00:00Z
[[known]]
kind = "access_key"
value = "AKIABAD2222222222222"
reason = "named by the host"
by = "Kim"
"""


def test_an_intrusion_reaches_what_is_issued_and_what_shares_rare_things() -> None:
    def by(number: int, name: str, key: str, at: str, address: str, agent: str) -> dict[str, Any]:
        identity = ADA | {"arn": f"arn:aws:iam::111122223333:user/{name}", "userName": name, "accessKeyId": key}
        return event(number, eventTime=at, userIdentity=identity, sourceIPAddress=address, userAgent=agent)

    events = [
        by(1, "bad", "AKIABAD2222222222222", "2026-04-20T00:00:00Z", "192.0.2.1", "own-agent"),
        by(2, "bad", "AKIABAD2222222222222", "2026-05-02T01:00:00Z", "203.0.113.9", "odd-agent"),
        by(3, "pal", "AKIAPAL2222222222222", "2026-05-02T02:00:00Z", "203.0.113.9", "other"),
        by(4, "own", "AKIAOWN2222222222222", "2026-05-02T02:00:00Z", "192.0.2.1", "own-agent"),
        *(by(10 + n, f"u{n}", f"AKIAUSER{n}22222222222", "2026-05-02T03:00:00Z", "198.51.100.5", "x") for n in range(4)),
        by(20, "bad", "AKIABAD2222222222222", "2026-05-02T04:00:00Z", "198.51.100.5", "odd-agent"),
        by(21, "pro", "AKIAPRO2222222222222", "2026-05-01T00:00:00Z", "203.0.113.77", "odd-agent"),
        sts(30, "AssumeRole", "2026-05-02T05:00:00Z", ADA | {"accessKeyId": "AKIAPAL2222222222222"}, issued("ASIAPAL2222222222222")),
        use(31, "2026-05-02T05:01:00Z", session("p", "ASIAPAL2222222222222", "2026-05-02T05:00:00Z"), sourceIPAddress="192.0.2.200"),
    ]  # fmt: skip
    connection = new_store()
    read_bytes(connection, "trail.json", delivery(events))
    settings = read_settings(SETTINGS)
    casevalues.load(connection, settings)
    found = attribution_of(connection, settings, graph_of(connection))
    connection.close()
    told = {m.credential: (m.confidence, m.method) for m in found.members}
    assert set(told) == {"AKIABAD2222222222222", "AKIAPAL2222222222222", "ASIAPAL2222222222222"}
    assert told["AKIABAD2222222222222"] == ("high", "stated as known")
    assert told["AKIAPAL2222222222222"] == ("medium", "shares address 203.0.113.9, which 2 principals used")
    assert told["ASIAPAL2222222222222"] == ("medium", "key id in the response")
    assert ("address", "198.51.100.5", 5) in found.too_common
