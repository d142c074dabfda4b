"""Say which resource an operation of AWS names, which action of IAM it asks, and which others with it.

Tables, read by `permission_calls`. Their source is the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/), against which
`tests/contracts/test_emulated_permissions.py` holds what the emulator asks for each operation; the rest says its own.
"""

from types import MappingProxyType

# The member of a request that names its resource, and the ARN that this makes; the first that a request has decides. A
# value that is an ARN already stays as it is. A dot goes into a structure.
Names = tuple[tuple[str, str], ...]

ARN = "{value}"
_LAMBDA = "arn:aws:lambda:{region}:{account}:"
_DYNAMODB = "arn:aws:dynamodb:{region}:{account}:table/{value}"
_IAM = "arn:aws:iam::{account}:"
_LOGS = "arn:aws:logs:{region}:{account}:"
_SNS = "arn:aws:sns:{region}:{account}:{value}"
_SQS = "arn:aws:sqs:{region}:{account}:{value}"

NAMES: MappingProxyType[str, Names] = MappingProxyType(
    {
        "dynamodb": (
            ("ResourceArn", ARN),
            ("BackupArn", ARN),
            ("ExportArn", ARN),
            ("ImportArn", ARN),
            ("StreamArn", ARN),
            ("TableArn", ARN),
            ("GlobalTableName", "arn:aws:dynamodb::{account}:global-table/{value}"),
            ("TableCreationParameters.TableName", _DYNAMODB),
            ("TargetTableName", _DYNAMODB),
            ("TableName", _DYNAMODB),
            ("RequestItems", _DYNAMODB),
        ),
        "iam": (
            ("InstanceProfileName", "instance-profile"),
            ("RoleName", "role"),
            ("GroupName", "group"),
            ("UserName", "user"),
            ("PolicyArn", ARN),
            ("PolicyName", _IAM + "policy{path}{value}"),
            ("PolicySourceArn", ARN),
            ("OpenIDConnectProviderArn", ARN),
            ("Url", _IAM + "oidc-provider/{host}"),
            ("SAMLProviderArn", ARN),
            ("Name", _IAM + "saml-provider/{value}"),
            ("ServerCertificateName", _IAM + "server-certificate{path}{value}"),
            ("SerialNumber", ARN),
            ("VirtualMFADeviceName", _IAM + "mfa{path}{value}"),
            ("Arn", ARN),
            ("AWSServiceName", _IAM + "role/aws-service-role/{value}/AWSServiceRole"),
            ("DelegationRequestId", _IAM + "delegation-request/{value}"),
            ("EntityPath", _IAM + "access-report/{value}"),
        ),
        "lambda": (
            ("UUID", _LAMBDA + "event-source-mapping:{value}"),
            ("FunctionName", _LAMBDA + "function:{value}"),
            ("LayerName", _LAMBDA + "layer:{value}"),
            ("Arn", ARN),
            ("CodeSigningConfigArn", ARN),
            ("CapacityProviderName", _LAMBDA + "capacity-provider:{value}"),
            ("DurableExecutionArn", ARN),
            ("Resource", ARN),
        ),
        # As AWS's own denials name it (https://github.com/aws-samples/amazon-eks-fluent-logging-examples/issues/15), so
        # that a policy of `log-group:NAME` alone is too narrow and one of `log-group:NAME:*` fits.
        "logs": (
            ("resourceArn", ARN),
            ("logGroupArn", ARN),
            ("destinationName", _LOGS + "destination:{value}"),
            ("logGroupName", _LOGS + "log-group:{value}:log-stream:{stream}"),
            ("logGroupIdentifier", _LOGS + "log-group:{value}:log-stream:{stream}"),
            ("logGroupIdentifiers", _LOGS + "log-group:{value}:log-stream:{stream}"),
            ("logGroupArnList", ARN),
            ("anomalyDetectorArn", ARN),
        ),
        "sns": (("TopicArn", ARN), ("TargetArn", ARN), ("ResourceArn", ARN), ("Name", _SNS)),
        "sqs": (("SourceArn", ARN), ("QueueUrl", _SQS), ("QueueName", _SQS)),
        "ssm": (
            ("Path", "arn:aws:ssm:{region}:{account}:parameter/{value}"),
            ("Names", "arn:aws:ssm:{region}:{account}:parameter/{value}"),
            ("Name", "arn:aws:ssm:{region}:{account}:parameter/{value}"),
            ("ResourceArn", ARN),
            ("ResourceId", "arn:aws:ssm:{region}:{account}:{kind}/{value}"),
        ),
    }
)

# What these ask is granted for all resources alone, whatever they name.
FOR_ALL: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {
        "iam": frozenset({"SimulateCustomPolicy", "GetContextKeysForCustomPolicy"}),
        "lambda": frozenset({"CreateEventSourceMapping", "ListEventSourceMappings", "ListLayerVersions"}),
        "logs": frozenset(
            {"DeleteIndexPolicy", "DescribeFieldIndexes", "DescribeIndexPolicies", "DescribeQueries", "PutIndexPolicy"}
        ),
        "sns": frozenset({"CreatePlatformApplication"}),
    }
)

# Operations whose action of IAM has another name.
ACTIONS: MappingProxyType[str, MappingProxyType[str, str]] = MappingProxyType(
    {
        "lambda": MappingProxyType(
            {
                "Invoke": "InvokeFunction",
                "InvokeWithResponseStream": "InvokeFunction",
                "GetLayerVersionByArn": "GetLayerVersion",
            }
        ),
        "sns": MappingProxyType({"PublishBatch": "Publish"}),
        "sqs": MappingProxyType(
            {
                "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
                "DeleteMessageBatch": "DeleteMessage",
                "SendMessageBatch": "SendMessage",
            }
        ),
    }
)

# What a service asks for the tags of what is made, on the same resource: pages of the operations that make it, such as
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html and
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html.
TAGGING: MappingProxyType[str, str] = MappingProxyType(
    {
        "dynamodb": "TagResource",
        "lambda": "TagResource",
        "logs": "TagResource",
        "sns": "TagResource",
        "sqs": "TagQueue",
        "ssm": "AddTagsToResource",
    }
)
TAGGING_OF_IAM: MappingProxyType[str, str] = MappingProxyType(
    {
        "CreateInstanceProfile": "TagInstanceProfile",
        "CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
        "CreatePolicy": "TagPolicy",
        "CreateRole": "TagRole",
        "CreateSAMLProvider": "TagSAMLProvider",
        "CreateUser": "TagUser",
        "CreateVirtualMFADevice": "TagMFADevice",
        "UploadServerCertificate": "TagServerCertificate",
    }
)

# To whom a service hands a role that it is given: the value of iam:PassedToService.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
PASSED_TO: MappingProxyType[str, str] = MappingProxyType(
    {
        "apigateway": "apigateway.amazonaws.com",
        "events": "events.amazonaws.com",
        "firehose": "firehose.amazonaws.com",
        "lambda": "lambda.amazonaws.com",
        "logs": "logs.amazonaws.com",
        "pipes": "pipes.amazonaws.com",
        "scheduler": "scheduler.amazonaws.com",
        "sns": "sns.amazonaws.com",
        "states": "states.amazonaws.com",
    }
)
