"""What AWS answers, as far as `infra/aws` asks."""

ACCOUNT = "123456789012"
REGION = "eu-central-1"

# Optional arguments that the cloud fills in where they are left out.
COMPUTED = ("id", "region", "name", "bucket", "alias", "version", "policy_id")

# The same of blocks inside a resource.
COMPUTED_INSIDE = ("target_domain_name", "hosted_zone_id")

# Arguments of the provider itself.
PROVIDER = {"region": "string"}
PROVIDER_BLOCKS = {"default_tags": {"tags": ["map", "string"]}}

# Changes of these make the real provider replace the resource.
REPLACED_BY = {
    "aws_api_gateway_deployment": "triggers",
    "aws_secretsmanager_secret_version": "secret_string_wo_version",
    "aws_sqs_queue": "fifo_queue",
}


def arn(kind, value, number):
    name = value.get("name")
    if not isinstance(name, str):
        name = f"{value.get('name_prefix') or ''}{number}"
    function = value.get("function_name")
    place = f"{REGION}:{ACCOUNT}"
    names = {
        "aws_cloudwatch_event_rule": f"events:{place}:rule/{name}",
        "aws_cloudwatch_log_group": f"logs:{place}:log-group:{name}",
        "aws_iam_policy": f"iam::{ACCOUNT}:policy/{name}",
        "aws_iam_role": f"iam::{ACCOUNT}:role/{name}",
        "aws_lambda_function": f"lambda:{place}:function:{function}",
        "aws_s3_bucket": f"s3:::{value.get('bucket')}",
        "aws_secretsmanager_secret": f"secretsmanager:{place}:secret:{name}",
        "aws_sqs_queue": f"sqs:{place}:{name}",
    }
    return "arn:aws:" + names.get(kind, f"{kind}:{place}:{number}")


def answers(kind, value, number):
    own = arn(kind, value, number)
    made = {
        "account_id": ACCOUNT,
        "arn": own,
        "dns_suffix": "amazonaws.com",
        "execution_arn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api{number}",
        "function_url": f"https://url{number}.lambda-url.{REGION}.on.aws/",
        # No two resources have one, whatever they are called.
        "id": f"{kind}-{number}",
        "invoke_arn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{own}/invocations",
        "partition": "aws",
        "region": REGION,
        "target_domain_name": f"d-{number}.execute-api.{REGION}.amazonaws.com",
        "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{value.get('name')}",
    }
    # What the others are called by.
    names = {
        "aws_api_gateway_rest_api": f"api{number}",
        "aws_apigatewayv2_api": f"api{number}",
        "aws_apigatewayv2_domain_name": value.get("domain_name"),
        "aws_cloudwatch_log_group": value.get("name"),
        "aws_lambda_function": value.get("function_name"),
        "aws_s3_bucket": value.get("bucket"),
        "aws_secretsmanager_secret": own,
        "aws_sqs_queue": made["url"],
    }
    made["id"] = names.get(kind, made["id"])
    return made
