"""Oddities of single CloudTrail records: each is delivered as S3 delivers it, read by both readers into a store."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest

from forensics.ingest.fast import read_fast
from forensics.ingest.reading import Received, read_file
from forensics.ingest.unpack import unpack
from forensics.sources.protocol import Provenance
from forensics.store.duckdb_engine import rows_of
from forensics.store.eventstore import EventStore, Group
from tests.building import delivery, event
from tests.stores import new_store

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def group_of(*records: dict[str, Any], fast: bool) -> Group:
    """What one of the two readers gives of a delivery of these records."""
    data, group = delivery(records), Group()
    received = Received(sha256(data).hexdigest(), unpack(data), 1, Provenance())
    reading = read_fast(received, group) if fast else read_file(received, group)
    assert reading is not None, "not for the fast reader"
    assert (reading.seen, reading.offered, reading.defects) == (len(records), len(records), [])
    return group


def store_of(*records: dict[str, Any], fast: bool = True) -> Any:
    """A store in memory with one delivery of these records, by one of the two readers."""
    connection, group = new_store(), group_of(*records, fast=fast)
    store = EventStore(connection)
    store.transact(lambda: store.write(group) and None)
    store.settle()
    return connection


def given(group: Group) -> list[Any]:
    """All that the writer is given of a group; no fidelity means a full one."""
    records = [{**row, "fidelity": row["fidelity"] or "full"} for row in group.incoming().to_pylist()]
    return [records, [(table, places.to_pylist()) for table, places in group.tables()]]


def read(*records: dict[str, Any], table: str = "aws_event") -> list[dict[str, Any]]:
    """The rows of these records, which both readers must give alike, in order of time."""
    order = "event_time NULLS LAST, event_key" if table == "aws_event" else "ALL"
    # Of the same records the writer makes the same rows: only what the readers give otherwise is written twice.
    same = given(group_of(*records, fast=True)) == given(group_of(*records, fast=False))
    readers = (True,) if same else (True, False)
    found = [rows_of(store_of(*records, fast=f), f"SELECT * FROM {table} ORDER BY {order}", {}) for f in readers]
    assert found[0] == found[-1]
    return found[0]


def one(**changes: Any) -> dict[str, Any]:
    """The row of one record that differs from a usual one by `changes`; `...` leaves a field out."""
    record = event(1, **changes)
    [row] = read({name: value for name, value in record.items() if value is not ...})
    assert row["unmapped"] is None
    return row


def acting(**identity: Any) -> dict[str, Any]:
    """The row of a usual record with another userIdentity."""
    return one(userIdentity=identity)


@pytest.mark.parametrize("version", ["1.0", "1.00", "1.05", "1.09", "1.10", "1.11"])
def test_versions_stay_text(version: str) -> None:
    assert one(eventVersion=version)["event_version"] == version


@pytest.mark.parametrize("given", [None, ...])
def test_null_and_missing_parts_are_both_no_value(given: Any) -> None:
    row = one(requestParameters=given, responseElements=given, additionalEventData=given, errorCode=given)
    assert row["request_parameters"] is row["response_elements"] is row["additional_event_data"] is None
    assert (row["error_code"], row["outcome"], row["has_omitted"]) == (None, "success", False)


def test_request_parameters_may_be_a_text() -> None:
    row = one(requestParameters=HIDDEN, responseElements=HIDDEN)
    assert (row["request_parameters"], row["response_elements"]) == (f'"{HIDDEN}"', f'"{HIDDEN}"')
    assert (row["request_name"], row["issued_credential_id"], row["outcome"]) == (None, None, "success")


def test_a_hidden_value_may_stand_where_a_list_is_expected() -> None:
    source = {"eventSource": "secretsmanager.amazonaws.com", "eventName": "BatchGetSecretValue"}
    row = one(**source, requestParameters={"secretIdList": HIDDEN, "names": HIDDEN})
    assert HIDDEN in row["request_parameters"]
    assert read(event(1, **source, requestParameters={"secretIdList": HIDDEN}), table="aws_event_item") == []


@pytest.mark.parametrize("value", [{"value": "EXAMPLE"}, ["EXAMPLE"], "EXAMPLE", True, 7, None])
def test_one_name_may_hold_any_type(value: Any) -> None:
    names = (
        "iamInstanceProfile",
        "role",
        "filter",
        "source",
        "startTime",
        "environment",
        "disableApiTermination",
        "key",
    )
    row = one(
        requestParameters=dict.fromkeys(names, value), responseElements={"credentials": value, "accessKey": value}
    )
    assert row["event_id"] == event(1)["eventID"]
    assert row["issued_credential_id"] is None
    assert "disableApiTermination" in row["request_parameters"]


def test_resources_without_type_or_account_in_either_case() -> None:
    arns = ["arn:aws:s3:::one", "arn:aws:s3:::two", "arn:aws:s3:::three"]
    resources = [{"ARN": arns[0]}, {"arn": arns[1], "type": "AWS::S3::Bucket"}, {"ARN": arns[2], "accountId": "1"}]
    items = read(event(1, resources=[*resources, {"type": "AWS::S3::Object"}]), table="aws_event_item")
    assert sorted(i["value"] for i in items if i["kind"] == "resource_arn") == sorted(arns)
    assert one(resources=[resources[1]])["resource"] == arns[1]


@pytest.mark.parametrize(
    ("given", "meant"), [("true", True), ("false", False), (True, True), (False, False), ("", None)]
)
def test_truth_is_text_or_boolean(given: Any, meant: bool | None) -> None:
    identity = {"type": "IAMUser", "sessionContext": {"attributes": {"mfaAuthenticated": given}}}
    row = one(readOnly=given, managementEvent=given, userIdentity=identity, sessionCredentialFromConsole=given)
    assert (row["read_only"], row["management_event"], row["mfa"]) == (meant, meant, meant)


@pytest.mark.parametrize("text", ["2013-11-02T01:06:28Z", "20131102T010628Z", "2013-11-02T01:06:28.000Z"])
def test_sessions_were_created_in_extended_or_basic_form(text: str) -> None:
    row = acting(type="AssumedRole", sessionContext={"attributes": {"creationDate": text}})
    assert row["session_created"] == datetime(2013, 11, 2, 1, 6, 28)


@pytest.mark.parametrize(
    "text", ["Jul 10, 2023, 12:31:14 PM", "Jul 10, 2023 12:31:14 PM", "Jul 10, 2023, 12:31:14\u202fPM"]
)
def test_the_american_expiry_of_a_credential_is_kept_as_it_came(text: str) -> None:
    credentials = {"accessKeyId": "ASIAEXAMPLEEXAMPLE00", "expiration": text}
    row = one(eventName="AssumeRole", eventSource="sts.amazonaws.com", responseElements={"credentials": credentials})
    assert row["issued_credential_id"] == "ASIAEXAMPLEEXAMPLE00"
    assert text in row["response_elements"]


@pytest.mark.parametrize(
    ("raw", "kind", "address"),
    [
        ("203.0.113.9", "public", "203.0.113.9"),
        ("2001:DB8::9", "public", "2001:db8::9"),
        ("10.0.0.9", "private", "10.0.0.9"),
        ("AWS Internal", "aws_service", None),
        ("AWS Internal/#", "aws_service", None),
        ("secretsmanager.amazonaws.com", "aws_service", None),
        ("ec2.amazonaws.com.cn", "aws_service", None),
        ("", "other", None),
    ],
)
def test_a_source_is_an_address_or_a_service(raw: str, kind: str, address: str | None) -> None:
    row = one(sourceIPAddress=raw)
    assert (row["source_ip_raw"], row["source_class"], row["source_ip"]) == (raw, kind, address)


def test_a_user_agent_keeps_its_brackets() -> None:
    assert one(userAgent="[aws-cli/2.15 Python/3.11]")["user_agent"] == "[aws-cli/2.15 Python/3.11]"


@pytest.mark.parametrize(
    "part", ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "edgeDeviceDetails"]
)
@pytest.mark.parametrize("omitted", [True, "true"])
def test_an_omitted_part_is_flagged(part: str, omitted: Any) -> None:
    row = one(**{part: {"omitted": omitted, "originalSize": 204800, "reason": "too large"}})
    assert row["has_omitted"] is True


def test_a_long_text_cut_by_the_provider_is_taken_as_it_is() -> None:
    cut = "x" * 1024
    row = one(userAgent=cut, errorMessage=cut, errorCode="InternalFailure", requestID=cut)
    assert (row["user_agent"], row["error_message"], row["request_id"], row["outcome"]) == (cut, cut, cut, "failure")


def test_an_update_is_an_event_of_its_own_beside_the_one_it_updates() -> None:
    first = event(1)
    addendum = {"reason": "UPDATED_DATA", "updatedFields": "userAgent", "originalEventID": first["eventID"]}
    rows = read(first, event(2, addendum={**addendum, "originalRequestID": "r"}))
    assert [row["event_id"] for row in rows] == [first["eventID"], event(2)["eventID"]]
    assert [(row["unmapped"], row["id_conflict"]) for row in rows] == [(None, False)] * 2


@pytest.mark.parametrize("reason", ["DELIVERY_DELAY", "SERVICE_OUTAGE"])
def test_a_late_event_is_an_event(reason: str) -> None:
    assert one(addendum={"reason": reason})["outcome"] == "success"


def test_a_call_by_a_service_names_it_and_has_no_tls() -> None:
    identity = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ada", "invokedBy": "athena.amazonaws.com"}
    row = one(userIdentity=identity, sourceIPAddress="athena.amazonaws.com", tlsDetails=...)
    assert (row["invoked_by"], row["actor"]) == ("athena.amazonaws.com", "arn:aws:iam::111122223333:user/ada")
    assert (row["tls_host"], row["source_class"]) == (None, "aws_service")


def test_newer_members_of_an_identity_stay_in_it() -> None:
    names = {
        "invokedByDelegate": {"accountId": "111122223333"},
        "credentialId": "c",
        "inScopeOf": {
            "sourceArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
            "credentialsIssuedToVersion": "1",
        },
        "sessionContext": {
            "assumedRoot": "true",
            "signInSessionArn": "arn:aws:signin:eu-west-1:111122223333:session/x",
        },
    }
    row = acting(type="AssumedRole", arn="arn:aws:sts::111122223333:assumed-role/ops/ada", **names)
    for name in ("invokedByDelegate", "credentialId", "credentialsIssuedToVersion", "assumedRoot", "signInSessionArn"):
        assert name in row["user_identity"]
    assert (row["actor"], row["session_name"]) == ("arn:aws:iam::111122223333:role/ops", "ada")


def test_the_key_exchange_of_tls_is_no_remark() -> None:
    tls = {"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": "sts.amazonaws.com", "keyExchange": "x25519"}
    assert one(tlsDetails=tls)["tls_host"] == "sts.amazonaws.com"


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root"}, "root:111122223333"),
        ({"type": "IAMUser", "userName": "ada"}, "ada"),
        ({"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/ada"}, "arn:aws:sts::1:federated-user/ada"),
        ({"type": "Role", "arn": "arn:aws:iam::1:role/r"}, "arn:aws:iam::1:role/r"),
        ({"type": "Directory", "userName": "ada", "accountId": "1"}, "ada"),
        ({"type": "AWSAccount", "principalId": "AROAEXAMPLE:s", "accountId": "444455556666"}, "AROAEXAMPLE:s"),
        ({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}, "ANONYMOUS_PRINCIPAL"),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, "ec2.amazonaws.com"),
        ({"type": "SAMLUser", "principalId": "p:ada", "userName": "ada", "identityProvider": "p"}, "ada"),
        ({"type": "WebIdentityUser", "principalId": "idp:app:7", "userName": "7"}, "7"),
        ({"type": "Unknown", "principalId": "", "arn": "", "userName": ""}, "Unknown"),
        ({"type": None, "accountId": "111122223333", "invokedBy": "kms.amazonaws.com"}, "kms.amazonaws.com"),
    ],
)
def test_each_kind_of_identity_has_an_actor(identity: dict[str, Any], actor: str) -> None:
    row = acting(**identity)
    assert (row["identity_type"], row["actor"]) == (identity["type"], actor)


def test_two_people_of_an_identity_centre_are_two_actors() -> None:
    people = [{"type": "IdentityCenterUser", "accountId": "1", "onBehalfOf": {"userId": u}} for u in ("u-1", "u-2")]
    assert [acting(**person)["actor"] for person in people] == ["u-1", "u-2"]


def test_an_event_of_a_service_has_no_type_of_identity() -> None:
    identity = {"accountId": "111122223333", "invokedBy": "AWS Internal"}
    row = one(eventType="AwsServiceEvent", userIdentity=identity, serviceEventDetails={"keyId": "k"})
    assert (row["identity_type"], row["actor"], row["event_type"]) == (None, "AWS Internal", "AwsServiceEvent")
    assert row["service_event_details"] == '{"keyId":"k"}'


@pytest.mark.parametrize("key", ["", None, ...])
def test_a_key_withheld_for_security_is_no_key(key: Any) -> None:
    identity = {"type": "IAMUser", "userName": "ada", "accessKeyId": key}
    row = acting(**{name: value for name, value in identity.items() if value is not ...})
    assert (row["credential_id"], row["credential_class"]) == (None, None)


def test_a_failed_sign_in_has_no_error_code_and_a_hidden_name() -> None:
    row = one(
        eventType="AwsConsoleSignIn",
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        awsRegion="ap-southeast-2",
        userIdentity={"type": "IAMUser", "accountId": "111122223333", "accessKeyId": "", "userName": HIDDEN},
        errorMessage="No username found in supplied account",
        responseElements={"ConsoleLogin": "Failure"},
        additionalEventData={"MFAUsed": "No", "MobileVersion": "No"},
    )
    assert (row["outcome"], row["is_denied"], row["error_code"]) == ("failure", False, None)
    assert (row["user_name"], row["actor"], row["region"]) == (HIDDEN, HIDDEN, "ap-southeast-2")


@pytest.mark.parametrize(
    "event_type", ["AwsApiCall", "AwsServiceEvent", "AwsConsoleAction", "AwsConsoleSignIn", "AwsVpceEvents"]
)
@pytest.mark.parametrize("category", ["Management", "Data", "NetworkActivity", "ActivityAuditLog", ...])
def test_types_and_categories_are_kept(event_type: str, category: Any) -> None:
    row = one(eventType=event_type, eventCategory=category)
    assert (row["event_type"], row["event_category"]) == (event_type, None if category is ... else category)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("AccessDenied", "denied"),
        ("AccessDeniedException", "denied"),
        ("Client.UnauthorizedOperation", "denied"),
        ("UnauthorizedOperation", "denied"),
        ("UnauthorizedAccess", "denied"),
        ("VpceAccessDenied", "denied"),
        ("Client.InvalidInstanceID.NotFound", "failure"),
        ("Server.InternalError", "failure"),
        ("NoSuchBucket", "failure"),
        ("", "success"),
    ],
)
def test_codes_tell_denied_from_failed(code: str, outcome: str) -> None:
    row = one(errorCode=code)
    assert (row["outcome"], row["is_denied"]) == (outcome, outcome == "denied")


@pytest.mark.parametrize(("code", "outcome"), [("AccessDenied", "denied"), ("NotFoundException", "failure")])
def test_an_error_may_stand_in_the_response(code: str, outcome: str) -> None:
    row = one(responseElements={"errorCode": code, "errorMessage": "no"})
    assert (row["outcome"], row["error_code"], row["error_message"]) == (outcome, code, "no")


def test_an_event_delivered_by_two_trails_is_one_row_in_two_places() -> None:
    store = store_of(event(1, awsRegion="us-east-1"), event(1, awsRegion="us-east-1"))
    assert store.execute("SELECT (SELECT count(*) FROM aws_event), count(*) FROM occurrence").fetchall() == [(1, 2)]
    assert store.execute("SELECT id_conflict FROM aws_event").fetchall() == [(False,)]


def test_one_id_with_two_contents_is_two_rows_in_conflict() -> None:
    rows = read(event(1), event(1, userAgent="other"))
    assert [row["id_conflict"] for row in rows] == [True, True]


def test_one_act_in_two_accounts_is_two_events_joined() -> None:
    rows = read(event(1, sharedEventID="s"), event(2, sharedEventID="s", recipientAccountId="444455556666"))
    assert [(row["shared_event_id"], row["account_id"]) for row in rows] == [
        ("s", "111122223333"),
        ("s", "444455556666"),
    ]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_partition_has_roles_and_sessions(partition: str) -> None:
    row = acting(type="AssumedRole", arn=f"arn:{partition}:sts::111122223333:assumed-role/team/ops/ada")
    assert (row["actor"], row["session_name"]) == (f"arn:{partition}:iam::111122223333:role/team/ops", "ada")


@pytest.mark.parametrize(("partition", "domain"), [("aws-cn", "amazonaws.com.cn"), ("aws-us-gov", "amazonaws.com")])
def test_a_secret_of_another_partition_is_named_alike(partition: str, domain: str) -> None:
    arn = f"arn:{partition}:secretsmanager:cn-north-1:111122223333:secret:prod/model-key-AbCdEf"
    record = event(
        1, eventSource=f"secretsmanager.{domain}", eventName="GetSecretValue", requestParameters={"secretId": arn}
    )
    assert [(i["kind"], i["value"]) for i in read(record, table="aws_event_item")] == [("secret", "prod/model-key")]


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration"),
        ("CreateFunction20150331", "CreateFunction"),
        ("PutRule", "PutRule"),
    ],
)
def test_names_with_the_date_of_their_api(name: str, base: str) -> None:
    row = one(eventName=name)
    assert (row["event_name"], row["event_name_base"]) == (name, base)


@pytest.mark.parametrize(
    ("given", "kept"), [("2016_01_28", "2016_01_28"), ("20150331", "20150331"), (20150331, "20150331")]
)
def test_the_version_of_an_api_is_text(given: Any, kept: str) -> None:
    assert one(apiVersion=given)["api_version"] == kept


def test_events_need_not_come_in_order_nor_with_an_id() -> None:
    late, early = event(9, eventID=None), event(2, eventID=...)
    del early["eventID"]
    rows = read(late, early, late)
    assert [(row["event_time"].second, row["event_id"]) for row in rows] == [(2, None), (9, None)]


def test_ids_and_accounts_keep_their_zeros() -> None:
    row = one(
        recipientAccountId="001122223333",
        userIdentity={"type": "Root", "accountId": "001122223333"},
        eventID="EXAMPLE-1",
    )
    assert (row["account_id"], row["actor"], row["event_id"]) == ("001122223333", "root:001122223333", "EXAMPLE-1")
