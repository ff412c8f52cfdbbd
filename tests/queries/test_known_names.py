"""Every event source and call that a query names exists: a misspelt one would be a detection that never fires.

Known are the operations of the service models that the AWS command line carries (a dependency of development alone) and a dated list of ours for
what CloudTrail writes under other names: sign-ins, service events and calls without a public interface.
"""

from __future__ import annotations

import functools
import gzip
from pathlib import Path

import orjson
import pytest
import sqlglot
from sqlglot import exp

from forensics.analysis.context import catalogue

awscli = pytest.importorskip("awscli")

#: What CloudTrail writes and no service model has. As of 2026-11-24.
OURS = frozenset(
    """
    ConsoleLogin CheckMfa SwitchRole ExitRole RenewRole PasswordRecoveryRequested PasswordRecoveryCompleted
    GetSigninToken UserAuthentication CredentialChallenge CredentialVerification Federate Authenticate
    AwsServiceEvent RotateKey SharedSnapshotCopyInitiated SharedSnapshotVolumeCreated RotationStarted RotationSucceeded
    RotationFailed EndSecretVersionDelete SecretVersionDeletion StartSecretVersionDelete CredentialChallenge
    PutFoundationModelEntitlement CreateFoundationModelAgreement PutUseCaseForModelAccess GetFoundationModelAvailability
    EnableOptInRegion DisableOptInRegion GetBucketPublicAccessBlock PutBucketPublicAccessBlock DeleteBucketPublicAccessBlock
    PutCredentials CreateEnvironment GitPull TestConnection
    GetAccountPublicAccessBlock PutAccountPublicAccessBlock DeleteAccountPublicAccessBlock
    CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel UpdateInstanceInformation
    ListInstanceAssociations AcknowledgeMessage GetMessages SendReply FailMessage DeleteMessage GetEndpoint
    RequestManagedInstanceRoleToken UpdateInstanceAssociationStatus PutComplianceItems PutConfigurePackageResult
    AssociateDirectory DisassociateDirectory EnableExternalIdPConfigurationForDirectory
    DisableExternalIdPConfigurationForDirectory
    CreateInference
    GetUseCaseForModelAccess ListFoundationModelAgreementOffers DeleteFoundationModelAgreement CallWithBearerToken
    """.split()
)
#: Sources that are no service of the models, or are written otherwise.
#: CloudShell has no service model; the data API of RDS is `rds-data` there.
#: `bedrock-mantle` writes data events of Bedrock's OpenAI-compatible endpoint (CreateInference). `ec2messages` and `ssmmessages` are what the agent of Systems Manager talks to.
OUR_SOURCES = frozenset(
    {
        "bedrock-mantle.amazonaws.com",
        "ec2messages.amazonaws.com",
        "ssmmessages.amazonaws.com",
        "signin.amazonaws.com",
        "sso.amazonaws.com",
        "sso-directory.amazonaws.com",
        "cloudshell.amazonaws.com",
        "rdsdata.amazonaws.com",
        "monitoring.amazonaws.com",
    }
)
_NAMES = frozenset({"event_name", "event_name_base"})


@functools.cache
def models() -> tuple[frozenset[str], frozenset[str]]:
    """Return all operations and all event sources of the service models."""
    operations: set[str] = set()
    sources: set[str] = set()
    for path in sorted((Path(awscli.__file__).parent / "botocore" / "data").glob("*/*/service-2.json*")):
        raw = path.read_bytes()
        model = orjson.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        operations |= set(model["operations"])
        meta = model["metadata"]
        for name in (meta.get("endpointPrefix"), meta.get("signingName"), path.parent.parent.name):
            if name:
                sources.add(f"{name.split('.')[-1].lower()}.amazonaws.com")
    return frozenset(operations), frozenset(sources)


@functools.cache
def tree_of(sql):
    """Return the syntax tree of a query; nobody changes it."""
    return sqlglot.parse_one(sql, read="duckdb")


def literals(query, columns):
    """Return (column, text) of every literal that a column is compared with as a whole, or that stands in a watch list."""
    tree = tree_of(query.sql)
    yield from (pair for pair in listed(tree) if pair[0] in columns)
    for node in tree.find_all(exp.EQ, exp.In, exp.NEQ):
        column = node.this
        if isinstance(column, exp.Column) and column.name in columns:
            sides = node.expressions if isinstance(node, exp.In) else [node.expression]
            for side in sides:
                if isinstance(side, exp.Literal) and side.is_string:
                    yield column.name, side.this


def listed(tree):
    """Return (column, text) of the sources and calls in a list `name(source, call, ...) AS (VALUES ...)`."""
    for cte in tree.find_all(exp.CTE):
        names = [column.name for column in cte.args["alias"].columns]
        if names[:2] == ["source", "call"]:
            for row in cte.this.find_all(exp.Tuple):
                yield "event_source", row.expressions[0].this
                yield "event_name_base", row.expressions[1].this


QUERIES = sorted(catalogue(), key=lambda q: q.id)


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.id)
def test_calls_are_known(query):
    operations, _ = models()
    found = {text for _, text in literals(query, _NAMES)}
    assert sorted(found - operations - OURS) == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.id)
def test_sources_are_known(query):
    _, sources = models()
    found = {text.removesuffix(".cn") for _, text in literals(query, {"event_source"})}
    assert sorted(found - sources - OUR_SOURCES) == []


def test_a_misspelt_name_is_found():
    operations, sources = models()
    assert "GetSecretValu" not in operations | OURS
    assert "GetSecretValue" in operations
    assert "secretsmanager.amazonaws.com" in sources
    assert "secretmanager.amazonaws.com" not in sources
    assert any(True for q in QUERIES for _ in literals(q, _NAMES))
    watch_list = next(q for q in QUERIES if q.id == "aws.sensitive_api_called")
    assert ("event_name_base", "DeleteFlowLogs") in set(literals(watch_list, _NAMES))
    assert ("event_source", "ec2.amazonaws.com") in set(literals(watch_list, {"event_source"}))
