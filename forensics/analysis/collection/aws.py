"""What to collect in AWS."""

from __future__ import annotations

from forensics.analysis.collection.step import Step

_REGIONS = "aws ec2 describe-regions --query 'Regions[].RegionName' --output text"


def _every_region(command: str) -> str:
    return f"for region in $({_REGIONS}); do {command}; done"


STEPS = (
    Step(
        "credential_report", "State of all users, keys and passwords", "AWS account",
        "age and last use of every access key; later uses overwrite it",
        "a state of the moment: the next use of a key overwrites what it says", 0,
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html", True,
        (
            "aws iam generate-credential-report",
            "aws iam get-credential-report --query Content --output text | base64 --decode > credential_report.csv",
            "aws iam get-account-authorization-details --output json > authorization_details.json",
        ),
        ("generate-credential-report asks AWS to write the report and changes nothing else.",),
    ),
    Step(
        "event_history", "CloudTrail Event history, region by region", "AWS account",
        "management events of 90 days where no trail was set up; no data events",
        "90 days, one region at a time", 90,
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html", True,
        (
            _every_region(
                'aws cloudtrail lookup-events --region "$region" --start-time {start} --end-time {end} --output json'
                ' > "lookup_events_$region.json"'
            ),
        ),
        ("The command line follows all pages by itself; two calls a second are allowed, so it takes long.",),
    ),
    Step(
        "trail_setup", "Trails, their selectors and their state", "AWS account",
        "which events were logged at all, into which bucket, and whether digests were on",
        "a state of the moment", 0,
        "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html", True,
        (
            "aws cloudtrail describe-trails --output json > trails.json",
            ("for trail in $(aws cloudtrail describe-trails --query 'trailList[].TrailARN' --output text); do"
            ' aws cloudtrail get-trail-status --name "$trail" --region "$(printf %s "$trail" | cut -d: -f4)" --output json;'
            ' aws cloudtrail get-event-selectors --trail-name "$trail" --region "$(printf %s "$trail" | cut -d: -f4)" --output json;'
            " done > trail_states.json"),
        ),
    ),
    Step(
        "trail_files", "Log files and digests of a trail", "AWS account",
        "every event the trail logged, and the signed digests over them",
        "as the bucket's lifecycle says; nothing is deleted by CloudTrail", None,
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html", True,
        (
            "aws s3 sync {s3:bucket/<prefix>AWSLogs/} ./AWSLogs/ --no-progress",
            "aws s3api list-object-versions --bucket {bucket} --prefix {prefix} --output json > object_versions.json",
            "aws s3api get-bucket-lifecycle-configuration --bucket {bucket} --output json > bucket_lifecycle.json",
        ),
        ("Keep the keys as names: sync does. Do not unpack, join or rename.",),
    ),
    Step(
        "digest_signatures", "Signatures of digests: S3 metadata", "AWS account",
        "the signature of each digest; the newest digest cannot be verified without it",
        "as long as the object lives; a copy without metadata loses it", None,
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html",
        True,
        (
            ("aws s3api list-objects-v2 --bucket {bucket} --prefix {prefix} --query 'Contents[].[Key]' --output text"
            " | grep '/CloudTrail-Digest/' | while IFS= read -r key; do aws s3api head-object --bucket {bucket}"
            ' --key "$key" --output json > "$(basename -- "$key").head.json"; done'),
        ),
    ),
    Step(
        "public_keys", "Public keys of digests, region by region", "AWS account",
        "the keys that verify digests; fetch them in an account of your own as well and pin them",
        "not published for how long old keys are listed", None,
        "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html", True,
        (
            _every_region(
                'aws cloudtrail list-public-keys --region "$region" --start-time {start} --end-time {end} --output json'
                ' > "public_keys_$region.json"'
            ),
        ),
        ("Let the end be at least two hours after the last digest.",),
    ),
    Step(
        "lake_results", "Results of CloudTrail Lake queries", "AWS account",
        "events of an event data store, with a signature when saved to S3",
        "as the event data store says; results of a query are listed for seven days", 7,
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-lake-query-results.html", False,
        (
            "aws cloudtrail list-event-data-stores --output json > event_data_stores.json",
            "aws cloudtrail list-queries --event-data-store {store} --output json > lake_queries.json",
            "aws cloudtrail get-query-results --event-data-store {store} --query-id {query_id} --output json > lake_results.json",
            "aws s3 sync {s3:bucket/<prefix>} ./lake/ --no-progress",
        ),
        ("Prefer results that were saved to S3: only those carry result_sign.json.",),
    ),
    Step(
        "secret_lists", "Names, versions and rotation of stored secrets", "AWS account",
        "which secrets exist, their versions and when they were rotated; never their values",
        "a state of the moment: deleted versions are gone", 0,
        "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html", True,
        (
            "aws secretsmanager list-secrets --include-planned-deletion --region {region} --output json > secrets.json",
            ("aws secretsmanager list-secrets --include-planned-deletion --region {region} --query 'SecretList[].[ARN]' --output text"
            " | while IFS= read -r secret; do aws secretsmanager list-secret-version-ids --region {region} --include-deprecated"
            ' --secret-id "$secret" --output json; done > secret_versions.json'),
            "aws ssm describe-parameters --region {region} --output json > parameters.json",
        ),
    ),
    Step(
        "bedrock_invocations", "Bedrock invocation log", "AWS account",
        "tokens and, where switched on, content of each call to a model",
        "as the bucket or log group says; it is off until somebody turns it on", None,
        "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html", True,
        (
            "aws bedrock get-model-invocation-logging-configuration --region {region} --output json > bedrock_logging.json",
            "aws s3 sync {s3:log_bucket/<prefix>AWSLogs/} ./bedrock/ --no-progress",
            ("aws logs filter-log-events --region {region} --log-group-name {log_group} --start-time {start:m} --end-time {end:m}"
            " --output json > bedrock_invocations.json"),
        ),
        ("It holds prompts and answers: handle it as TLP:RED.",),
    ),
)  # fmt: skip
