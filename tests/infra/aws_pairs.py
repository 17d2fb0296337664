"""What each resource of template.yaml is in the Terraform module: where it is, and with what arguments."""

from aws_doors import Doors
from aws_names import ATTRIBUTES, PAIRS
from aws_properties import Properties, blocks, number


class Pairs(Doors):
    """The resources of the module that a template asks for. `made(address, attribute)` is what Terraform made."""

    def __init__(self, made, name):
        self.made, self.name = made, name

    def attribute(self, logical, attribute=None):
        """A value of the module's resource by the names of the template."""
        if (logical, attribute) == ("Domain", "RegionalDomainName"):
            return self.made(PAIRS[logical], "domain_name_configuration")[0]["target_domain_name"]
        if (logical, attribute) == ("RestApi", "Stage"):
            return self.made("aws_api_gateway_stage.live[0]", "stage_name")
        address = PAIRS[logical]
        kind = address.split(".")[0]
        value = self.made(address, ATTRIBUTES[kind][attribute])
        # The one names the group's streams, the other does not.
        return f"{value}:*" if (kind, attribute) == ("aws_cloudwatch_log_group", "Arn") else value

    def of(self, logical, kind, properties):
        """Addresses, each with its arguments."""
        properties = Properties(properties)
        asked = getattr(self, kind.replace("::", "_"))(PAIRS[logical], properties)
        properties.end(logical)
        return asked

    def AWS_SQS_Queue(self, address, of):
        return {
            address: of.renamed({
                "FifoQueue": "fifo_queue",
                "DeduplicationScope": "deduplication_scope",
                "FifoThroughputLimit": "fifo_throughput_limit",
                "MaximumMessageSize": "max_message_size",
                "MessageRetentionPeriod": "message_retention_seconds",
                "ReceiveMessageWaitTimeSeconds": "receive_wait_time_seconds",
                "VisibilityTimeout": "visibility_timeout_seconds",
                "SqsManagedSseEnabled": "sqs_managed_sse_enabled",
                "KmsMasterKeyId": "kms_master_key_id",
                "RedrivePolicy": "redrive_policy",
                "RedriveAllowPolicy": "redrive_allow_policy",
            })
        }  # fmt: skip

    def AWS_SQS_QueuePolicy(self, address, of):
        (queue,) = of.take("Queues")
        return {address: {"queue_url": queue, "policy": of.take("PolicyDocument")}}

    def AWS_S3_Bucket(self, address, of):
        bucket = self.made(address, "bucket")
        part = lambda kind: f"aws_s3_bucket_{kind}.events[0]"
        (encryption,) = of.take("BucketEncryption")["ServerSideEncryptionConfiguration"]
        default = encryption["ServerSideEncryptionByDefault"]
        access = Properties(of.take("PublicAccessBlockConfiguration"))
        (ownership,) = of.take("OwnershipControls")["Rules"]
        return {
            address: {},
            part("server_side_encryption_configuration"): {
                "bucket": bucket,
                "rule": [{
                    "bucket_key_enabled": encryption.get("BucketKeyEnabled"),
                    "apply_server_side_encryption_by_default": [{
                        "sse_algorithm": default["SSEAlgorithm"],
                        "kms_master_key_id": default.get("KMSMasterKeyID"),
                    }],
                }],
            },
            part("public_access_block"): {
                "bucket": bucket,
                **access.renamed({
                    "BlockPublicAcls": "block_public_acls",
                    "BlockPublicPolicy": "block_public_policy",
                    "IgnorePublicAcls": "ignore_public_acls",
                    "RestrictPublicBuckets": "restrict_public_buckets",
                }),
            },
            part("ownership_controls"): {
                "bucket": bucket,
                "rule": [{"object_ownership": ownership["ObjectOwnership"]}],
            },
            part("lifecycle_configuration"): {
                "bucket": bucket,
                "rule": [self.lifecycle(Properties(rule)) for rule in of.take("LifecycleConfiguration")["Rules"]],
            },
        }  # fmt: skip

    def lifecycle(self, of):
        upload = of.take("AbortIncompleteMultipartUpload", {})
        rule = {
            "id": of.take("Id"),
            "status": of.take("Status"),
            "filter": [{"prefix": of.take("Prefix")}],
            "expiration": [{"days": number(of.take("ExpirationInDays"))}],
            "abort_incomplete_multipart_upload": [{"days_after_initiation": upload.get("DaysAfterInitiation")}],
        }
        of.end(rule["id"])
        return rule

    def AWS_S3_BucketPolicy(self, address, of):
        return {address: {"bucket": of.take("Bucket"), "policy": of.take("PolicyDocument")}}

    def AWS_SecretsManager_Secret(self, address, of):
        assert of.take("GenerateSecretString") == {"PasswordLength": 40, "ExcludePunctuation": True}
        version = address.replace("aws_secretsmanager_secret.", "aws_secretsmanager_secret_version.")
        return {
            address: of.renamed({"Description": "description", "KmsKeyId": "kms_key_id"}),
            version: {"secret_id": self.made(address, "id"), "secret_string_wo_version": 1},
        }

    def AWS_Logs_LogGroup(self, address, of):
        return {
            address: {
                "retention_in_days": number(of.take("RetentionInDays")),
                "kms_key_id": of.take("KmsKeyId"),
            }
        }

    def AWS_IAM_Role(self, address, of):
        name, part = self.made(address, "name"), address.split(".")[1]
        (inline,) = of.take("Policies")
        asked = {
            address: of.renamed({
                "PermissionsBoundary": "permissions_boundary",
                "AssumeRolePolicyDocument": "assume_role_policy",
            }),
            f"aws_iam_role_policy.{part}": {
                "name": inline["PolicyName"],
                "role": name,
                "policy": inline["PolicyDocument"],
            },
        }  # fmt: skip
        for policy in of.take("ManagedPolicyArns", []):
            part = part.split("[")[0]
            asked[f"aws_iam_role_policy_attachment.{part}_in_vpc[0]"] = {"role": name, "policy_arn": policy}
        return asked

    def AWS_IAM_ManagedPolicy(self, address, of):
        return {address: of.renamed({"Description": "description", "PolicyDocument": "policy"})}

    def AWS_Serverless_Function(self, address, of):
        assert of.take("CodeUri") == "crates/lambda"
        logging, vpc = Properties(of.take("LoggingConfig")), of.take("VpcConfig", {})
        function, part = self.made(address, "function_name"), address.split(".")[1]
        asked = {
            address: {
                **of.renamed({
                    "Description": "description",
                    "Handler": "handler",
                    "Runtime": "runtime",
                    "Architectures": "architectures",
                    "Timeout": "timeout",
                    "Role": "role",
                }),
                "memory_size": number(of.take("MemorySize")),
                "reserved_concurrent_executions": number(of.take("ReservedConcurrentExecutions")),
                "vpc_config": blocks({
                    "subnet_ids": vpc.get("SubnetIds"),
                    "security_group_ids": vpc.get("SecurityGroupIds"),
                } if vpc else None),
                "logging_config": [logging.renamed({
                    "LogFormat": "log_format",
                    "ApplicationLogLevel": "application_log_level",
                    "SystemLogLevel": "system_log_level",
                    "LogGroup": "log_group",
                })],
                "environment": [{"variables": of.take("Environment")["Variables"]}],
            }
        }  # fmt: skip
        retries = lambda of: {
            "maximum_retry_attempts": of["MaximumRetryAttempts"],
            "maximum_event_age_in_seconds": of["MaximumEventAgeInSeconds"],
        }
        invoked = of.take("EventInvokeConfig")
        if invoked:
            asked[f"aws_lambda_function_event_invoke_config.{part}"] = {"function_name": function, **retries(invoked)}
        for event in of.take("Events", {}).values():
            assert event["Type"] == "Schedule"
            schedule = event["Properties"]
            rule, target = f"aws_cloudwatch_event_rule.{part}", f"aws_cloudwatch_event_target.{part}"
            asked[rule] = {"description": schedule["Description"], "schedule_expression": schedule["Schedule"]}
            asked[target] = {
                "rule": self.made(rule, "name"),
                "arn": self.made(address, "arn"),
                "retry_policy": [retries(schedule["RetryPolicy"])],
            }
            asked["aws_lambda_permission.redrive_schedule[0]"] = {
                "function_name": function,
                "action": "lambda:InvokeFunction",
                "principal": "events.amazonaws.com",
                "source_arn": self.made(rule, "arn"),
            }
        return asked

    def AWS_CloudWatch_Alarm(self, address, of):
        dimensions = lambda listed: {one["Name"]: one["Value"] for one in listed}
        queries = []
        for query in of.take("Metrics", []):
            metric = query.get("MetricStat")
            queries.append({
                "id": query["Id"],
                "label": query.get("Label"),
                "expression": query.get("Expression"),
                "return_data": query["ReturnData"],
                "metric": blocks({
                    "stat": metric["Stat"],
                    "period": metric["Period"],
                    "namespace": metric["Metric"]["Namespace"],
                    "metric_name": metric["Metric"]["MetricName"],
                    "dimensions": dimensions(metric["Metric"]["Dimensions"]),
                } if metric else None),
            })  # fmt: skip
        return {
            address: {
                **of.renamed({
                    "AlarmDescription": "alarm_description",
                    "Namespace": "namespace",
                    "MetricName": "metric_name",
                    "Statistic": "statistic",
                    "Period": "period",
                    "EvaluationPeriods": "evaluation_periods",
                    "DatapointsToAlarm": "datapoints_to_alarm",
                    "ComparisonOperator": "comparison_operator",
                    "TreatMissingData": "treat_missing_data",
                    "AlarmActions": "alarm_actions",
                }),
                "dimensions": dimensions(of.take("Dimensions", [])),
                "threshold": number(of.take("Threshold")),
                "metric_query": queries,
            }
        }  # fmt: skip

    def AWS_Budgets_Budget(self, address, of):
        budget = Properties(of.take("Budget"))
        limit = budget.take("BudgetLimit")
        # The tag is CloudFormation's there, and one of the module's here.
        assert list(budget.take("CostFilters")) == ["TagKeyValue"]
        notifications = []
        for one in of.take("NotificationsWithSubscribers"):
            told = one["Notification"]
            notifications.append({
                "notification_type": told["NotificationType"],
                "comparison_operator": told["ComparisonOperator"],
                "threshold": told["Threshold"],
                "threshold_type": told["ThresholdType"],
                "subscriber_sns_topic_arns": [subscriber["Address"] for subscriber in one["Subscribers"]],
            })  # fmt: skip
        asked = {
            "name": budget.take("BudgetName"),
            "budget_type": budget.take("BudgetType"),
            "time_unit": budget.take("TimeUnit"),
            "limit_amount": str(limit["Amount"]),
            "limit_unit": limit["Unit"],
            "cost_filter": [{"name": "TagKeyValue", "values": [f"user:application${self.name}"]}],
            "notification": notifications,
        }
        budget.end(address)
        return {address: asked}
