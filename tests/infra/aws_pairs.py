"""What each resource of template.yaml is in the Terraform module: where it is, and with what arguments."""

import json

# The resource of the module that stands for one of the template.
PAIRS = {
    "ApiLogs": "aws_cloudwatch_log_group.api[0]",
    "ApiPermission": "aws_lambda_permission.api[0]",
    "Bucket": "aws_s3_bucket.events[0]",
    "BucketPolicy": "aws_s3_bucket_policy.events[0]",
    "Budget": "aws_budgets_budget.monthly[0]",
    "ConsumerPolicy": "aws_iam_policy.consumer",
    "DeadLetterQueue": "aws_sqs_queue.dead[0]",
    "DeadLetterQueuePolicy": "aws_sqs_queue_policy.dead[0]",
    "DeadLettersAlarm": 'aws_cloudwatch_metric_alarm.counted["dead-letters"]',
    "Domain": "aws_apigatewayv2_domain_name.this[0]",
    "DomainMapping": "aws_apigatewayv2_api_mapping.this[0]",
    "ErrorsAlarm": 'aws_cloudwatch_metric_alarm.counted["errors"]',
    "FallbackAlarm": 'aws_cloudwatch_metric_alarm.counted["fallback"]',
    "HttpApi": "aws_apigatewayv2_api.this[0]",
    "HttpApiIntegration": "aws_apigatewayv2_integration.relay[0]",
    "HttpApiRoute": "aws_apigatewayv2_route.all[0]",
    "HttpApiStage": "aws_apigatewayv2_stage.this[0]",
    "LabelboxSecret": "aws_secretsmanager_secret.labelbox[0]",
    "LabelStudioSecret": "aws_secretsmanager_secret.label_studio[0]",
    "OldestMessageAlarm": 'aws_cloudwatch_metric_alarm.counted["oldest-message"]',
    "OversizedBodyAlarm": "aws_cloudwatch_metric_alarm.oversized_body[0]",
    "Queue": "aws_sqs_queue.events[0]",
    "QueuePolicy": "aws_sqs_queue_policy.events[0]",
    "Redrive": "aws_lambda_function.redrive[0]",
    "RedriveErrorsAlarm": 'aws_cloudwatch_metric_alarm.counted["redrive-errors"]',
    "RedriveLogs": "aws_cloudwatch_log_group.redrive[0]",
    "RedriveRole": "aws_iam_role.redrive[0]",
    "RedriveSilentAlarm": 'aws_cloudwatch_metric_alarm.counted["redrive-silent"]',
    "RefusedAlarm": 'aws_cloudwatch_metric_alarm.counted["refused"]',
    "Relay": "aws_lambda_function.relay",
    "RelayLogs": "aws_cloudwatch_log_group.relay",
    "RelayRole": "aws_iam_role.relay",
    "RelayURLInvokeAllowPublicAccess": "aws_lambda_permission.function_through_url[0]",
    "RelayUrl": "aws_lambda_function_url.relay[0]",
    "RelayUrlPublicPermissions": "aws_lambda_permission.url[0]",
    "RestApi": "aws_api_gateway_rest_api.this[0]",
    "ThrottlesAlarm": 'aws_cloudwatch_metric_alarm.counted["throttles"]',
    "UnavailableAlarm": 'aws_cloudwatch_metric_alarm.counted["unavailable"]',
}

# What CloudFormation calls an attribute; without a name, what a reference to the resource gives.
ATTRIBUTES = {
    "aws_api_gateway_rest_api": {None: "id"},
    "aws_apigatewayv2_api": {None: "id"},
    "aws_apigatewayv2_domain_name": {None: "domain_name"},
    "aws_apigatewayv2_integration": {None: "id"},
    "aws_apigatewayv2_stage": {None: "name"},
    "aws_cloudwatch_log_group": {None: "name", "Arn": "arn"},
    "aws_iam_policy": {None: "arn"},
    "aws_iam_role": {None: "name", "Arn": "arn"},
    "aws_lambda_function": {None: "function_name", "Arn": "arn"},
    "aws_lambda_function_url": {"FunctionUrl": "function_url"},
    "aws_s3_bucket": {None: "bucket", "Arn": "arn"},
    "aws_secretsmanager_secret": {"Id": "arn"},
    "aws_sqs_queue": {None: "url", "Arn": "arn", "QueueName": "name"},
}

# Arguments that only the module has: names, which CloudFormation makes up, and how the function gets there.
OWN = {
    "aws_cloudwatch_event_rule": ["name"],
    "aws_cloudwatch_log_group": ["name"],
    "aws_cloudwatch_metric_alarm": ["alarm_name"],
    "aws_iam_policy": ["name"],
    "aws_iam_role": ["name"],
    "aws_lambda_function": ["function_name", "filename", "source_code_hash"],
    "aws_lambda_permission": ["statement_id"],
    "aws_s3_bucket": ["bucket"],
    "aws_secretsmanager_secret": ["name_prefix"],
    "aws_sqs_queue": ["name"],
    # Another each time.
    "aws_secretsmanager_secret_version": ["secret_string_wo"],
    "aws_api_gateway_deployment": ["triggers"],
}


class Properties:
    """Of one resource. Each is read, or the comparison would overlook it."""

    def __init__(self, values):
        self.values = dict(values)

    def take(self, name, default=None):
        return self.values.pop(name, default)

    def renamed(self, names):
        return {to: self.take(name) for name, to in names.items()}

    def end(self, of):
        assert not self.values, f"{of}: the comparison does not know {sorted(self.values)}"


def number(value):
    return None if value is None else int(value)


def blocks(*values):
    return [value for value in values if value]


class Pairs:
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

    def AWS_Lambda_Url(self, address, of):
        return {
            address: of.renamed({"AuthType": "authorization_type", "TargetFunctionArn": "function_name"}),
        }

    def AWS_Lambda_Permission(self, address, of):
        return {
            address: of.renamed({
                "FunctionName": "function_name",
                "Action": "action",
                "Principal": "principal",
                "SourceArn": "source_arn",
                "FunctionUrlAuthType": "function_url_auth_type",
                "InvokedViaFunctionUrl": "invoked_via_function_url",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Api(self, address, of):
        return {
            address: of.renamed({
                "Name": "name",
                "Description": "description",
                "ProtocolType": "protocol_type",
                "DisableExecuteApiEndpoint": "disable_execute_api_endpoint",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Integration(self, address, of):
        return {
            address: of.renamed({
                "ApiId": "api_id",
                "IntegrationType": "integration_type",
                "IntegrationMethod": "integration_method",
                "IntegrationUri": "integration_uri",
                "PayloadFormatVersion": "payload_format_version",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Route(self, address, of):
        return {
            address: of.renamed({
                "ApiId": "api_id",
                "RouteKey": "route_key",
                "AuthorizationType": "authorization_type",
                "Target": "target",
            })
        }  # fmt: skip

    def AWS_ApiGatewayV2_Stage(self, address, of):
        return {
            address: {
                **of.renamed({"ApiId": "api_id", "StageName": "name", "AutoDeploy": "auto_deploy"}),
                "default_route_settings": blocks(self.rate(of.take("DefaultRouteSettings", {}))),
                "access_log_settings": blocks(self.access_logs(of.take("AccessLogSettings", {}))),
            }
        }

    def rate(self, of):
        return {
            "throttling_rate_limit": number(of.get("ThrottlingRateLimit")),
            "throttling_burst_limit": number(of.get("ThrottlingBurstLimit")),
        }

    def access_logs(self, of):
        # The group itself, and not its streams.
        return {"destination_arn": of.get("DestinationArn", "").removesuffix(":*"), "format": of.get("Format")}

    def AWS_ApiGatewayV2_DomainName(self, address, of):
        (one,) = of.take("DomainNameConfigurations")
        return {
            address: {
                "domain_name": of.take("DomainName"),
                "domain_name_configuration": [{
                    "certificate_arn": one["CertificateArn"],
                    "endpoint_type": one["EndpointType"],
                    "security_policy": one["SecurityPolicy"],
                }],
            }
        }  # fmt: skip

    def AWS_ApiGatewayV2_ApiMapping(self, address, of):
        return {address: of.renamed({"ApiId": "api_id", "DomainName": "domain_name", "Stage": "stage"})}

    def AWS_Serverless_Api(self, address, of):
        api, stage = self.made(address, "id"), of.take("StageName")
        # How SAM writes and deploys it; Terraform has other ways.
        assert of.take("OpenApiVersion") and of.take("AlwaysDeploy")
        (settings,) = of.take("MethodSettings")
        asked = {
            address: {
                "name": of.take("Name"),
                "endpoint_configuration": [{"types": [of.take("EndpointConfiguration")["Type"]]}],
                "binary_media_types": [kind.replace("~1", "/") for kind in of.take("BinaryMediaTypes")],
                "body": of.take("DefinitionBody"),
            },
            "aws_api_gateway_deployment.this[0]": {"rest_api_id": api},
            "aws_api_gateway_stage.live[0]": {
                "rest_api_id": api,
                "deployment_id": self.made("aws_api_gateway_deployment.this[0]", "id"),
                "stage_name": stage,
                "access_log_settings": blocks(self.access_logs(of.take("AccessLogSetting", {}))),
            },
        }
        if "ThrottlingRateLimit" in settings:
            asked["aws_api_gateway_method_settings.all[0]"] = {
                "rest_api_id": api,
                "stage_name": stage,
                "method_path": settings["HttpMethod"] + settings["ResourcePath"],
                "settings": [self.rate(settings)],
            }
        policy = of.take("Policy")
        if policy:
            own = self.made(address, "execution_arn")
            policy = json.loads(json.dumps(policy).replace("execute-api:/*", f"{own}/*"))
            asked["aws_api_gateway_rest_api_policy.this[0]"] = {"rest_api_id": api, "policy": policy}
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
