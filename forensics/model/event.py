"""Columns of CloudTrail events and their child table.

Fields: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from forensics.model.columns import Column, Table, table


def evidence_sql(content: str, record: str) -> str:
    """Return the SQL of the pointer to a record: content SHA-256, `#`, record number in nine digits."""
    return f"{content} || '#' || lpad(CAST({record} AS VARCHAR), 9, '0')"


AWS_EVENT = table(
    "aws_event",
    "One row a distinct CloudTrail event, whatever carried it.",
    """
event_key VARCHAR identity: 32 hex digits over source id, provider's event id and the record's SHA-256
event_id VARCHAR eventID as written
event_time TIMESTAMP eventTime, UTC; NULL when it could not be read
event_time_raw VARCHAR the text the time was read from
event_epoch BIGINT event_time in whole unix seconds
event_version VARCHAR eventVersion, text because 1.10 is later than 1.9
event_source VARCHAR eventSource, e.g. secretsmanager.amazonaws.com
event_name VARCHAR eventName as written
event_name_base VARCHAR event_name without a Lambda date suffix such as 20150331v2
event_type VARCHAR AwsApiCall, AwsServiceEvent, AwsConsoleSignIn, ...
event_category VARCHAR Management, Data, NetworkActivity, Insight
read_only BOOLEAN readOnly
management_event BOOLEAN managementEvent
region VARCHAR awsRegion
account_id VARCHAR recipientAccountId, else the actor's account
actor_account_id VARCHAR userIdentity.accountId
api_version VARCHAR apiVersion
request_id VARCHAR requestID
shared_event_id VARCHAR sharedEventID, joins the records of one act in two accounts
identity_type VARCHAR userIdentity.type
principal_id VARCHAR userIdentity.principalId
actor VARCHAR who acted: role ARN of a session, user ARN, root:<account>, or the service
actor_arn VARCHAR userIdentity.arn as written
user_name VARCHAR userIdentity.userName, else the session issuer's
credential_id VARCHAR userIdentity.accessKeyId; NULL when empty
credential_class VARCHAR first four characters: AKIA long-term, ASIA temporary, ABIA, ACCA
session_name VARCHAR the part of an assumed-role ARN after the role
issuer_type VARCHAR sessionContext.sessionIssuer.type
issuer_arn VARCHAR sessionContext.sessionIssuer.arn
issuer_name VARCHAR sessionContext.sessionIssuer.userName
session_created TIMESTAMP sessionContext.attributes.creationDate
mfa BOOLEAN sessionContext.attributes.mfaAuthenticated
source_identity VARCHAR sessionContext.sourceIdentity
ec2_role_delivery VARCHAR sessionContext.ec2RoleDelivery
invoked_by VARCHAR userIdentity.invokedBy: a service acted for the caller
source_ip_raw VARCHAR sourceIPAddress as written
source_ip VARCHAR canonical address; NULL when it is not an IP
source_ip_key VARCHAR source_ip as 32 hex digits, IPv4 mapped into IPv6
source_class VARCHAR public, private, aws_service, other
user_agent VARCHAR userAgent
vpc_endpoint_id VARCHAR vpcEndpointId
tls_host VARCHAR tlsDetails.clientProvidedHostHeader
error_code VARCHAR errorCode, of the record or of its response
error_message VARCHAR errorMessage, of the record or of its response
outcome VARCHAR success, denied, failure
is_denied BOOLEAN the error code belongs to the access-denied family
issued_credential_id VARCHAR access key id that this event handed out (STS credentials or CreateAccessKey)
request_role_arn VARCHAR requestParameters.roleArn
request_role_session VARCHAR requestParameters.roleSessionName
request_user_name VARCHAR requestParameters.userName
request_policy_arn VARCHAR requestParameters.policyArn
request_bucket VARCHAR requestParameters.bucketName
request_object_key VARCHAR requestParameters.key
request_function VARCHAR requestParameters.functionName
request_secret_id VARCHAR requestParameters.secretId
request_name VARCHAR requestParameters.name
request_model_id VARCHAR requestParameters.modelId or model
bearer_token BOOLEAN additionalEventData.callWithBearerToken (Bedrock API key)
resource VARCHAR what was acted on, for people: secret, parameter, role, user, trail, model, bucket/key, ARN
user_identity JSON userIdentity whole
request_parameters JSON requestParameters whole
response_elements JSON responseElements whole
additional_event_data JSON additionalEventData whole
service_event_details JSON serviceEventDetails whole
resources JSON resources whole
unmapped JSON names of top-level fields this table has no column for
further_fields JSON top-level fields no other column keeps whole, and those whose column says something else, as written
has_omitted BOOLEAN a part was omitted for size
text_repaired BOOLEAN invalid text was replaced by U+FFFD to read it
duplicate_names BOOLEAN a name occurs twice in one JSON object of the record
id_conflict BOOLEAN another event carries the same eventID with other content
fidelity VARCHAR full, mapped, lossy, summary
canonical_sha256 VARCHAR SHA-256 of the record as sorted JSON: equal for other serialisations
source_id VARCHAR log format it was read from
owner VARCHAR whose evidence
evidence_sha256 VARCHAR content SHA-256 of the smallest occurrence
evidence_record BIGINT record number in it
evidence VARCHAR content SHA-256 and record number of the smallest occurrence; computed from both when it is read
file_sha256 VARCHAR received file that was read first; for the account only
""",
    key=("event_key",),
    # Kept as text it would be the second largest column, and written anew whenever one row of thousands gets another place.
    made_of={"evidence": evidence_sql("evidence_sha256", "evidence_record")},
)

AWS_EVENT_ITEM = table(
    "aws_event_item",
    "Things named in lists inside an event, one row each.",
    """
event_key VARCHAR the event
kind VARCHAR secret, parameter, parameter_path, function, instance, cidr, port, kms_secret, kms_parameter, kms_function, kms_context, resource_arn, attribute_account
n BIGINT position, from 0
value VARCHAR normalised: a secret's name without ARN and random suffix
value_raw VARCHAR as written
""",
)

CREDENTIAL = table(
    "credential",
    "Issue of access keys and sessions: which event gave out which credential, and to whom.",
    """
credential_id VARCHAR the credential that was issued
issued_at TIMESTAMP when
parent_credential_id VARCHAR the credential that asked for it
parent_actor VARCHAR who asked for it
principal VARCHAR the principal it acts as: role session ARN or user
method VARCHAR the call: AssumeRole, CreateAccessKey, ...
confidence VARCHAR exact (key id in the response)
event_key VARCHAR the issuing event
""",
)

AWS_EVENT_TWIN = Table(
    "aws_event_twin",
    "Events that another export holds in better fidelity: kept and linked, counted once. Columns of aws_event, and same_as.",
    (*AWS_EVENT.columns, Column("same_as", "VARCHAR", "event_key of the row of aws_event that stands for this event")),
    key=("event_key",),
)

#: Sources whose records fill aws_event.
AWS_TABLES = (AWS_EVENT, AWS_EVENT_ITEM, CREDENTIAL, AWS_EVENT_TWIN)
