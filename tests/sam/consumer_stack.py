# Deploys the template whose text is the first argument beside what the first stack would have made, in the region
# that is the second one, and prints what it made. boto3.rs puts the beginning before it.
import io, time, zipfile

ACCOUNT, REGION = "000000000000", args[1]
name = "labelrelay-consumer"
sqs, s3, iam, lambdas, tables = client("sqs"), client("s3"), client("iam"), client("lambda"), client("dynamodb")
for bucket in ["labelrelay-bucket", "labelrelay-code"]:
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
for queue in ["labelrelay-queue", "labelrelay-dead"]:
    sqs.create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "300"})
statement = {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": "*"}
policy = {"Version": "2012-10-17", "Statement": [statement]}
consumes = iam.create_policy(PolicyName="labelrelay-consumes", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]

packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("consumer.py", "def lambda_handler(event, context): return {'batchItemFailures': []}")
s3.put_object(Bucket="labelrelay-code", Key="consumer-1.zip", Body=packed.getvalue())

url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/labelrelay"
parameters = {
    "CodeBucket": "labelrelay-code",
    "CodeKey": "consumer-1.zip",
    "QueueUrl": f"{url}-queue",
    "DeadLetterQueueUrl": f"{url}-dead",
    "BucketName": "labelrelay-bucket",
    "ConsumerPolicyArn": consumes,
    "Concurrency": "3",
}
stacks = client("cloudformation")
stacks.create_stack(
    StackName=name,
    TemplateBody=args[0],
    Capabilities=["CAPABILITY_IAM"],
    Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
)
stack = None
for _ in range(1200):
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    if not stack["StackStatus"].endswith("IN_PROGRESS"):
        break
    time.sleep(0.1)
found = stacks.describe_stack_resources(StackName=name)["StackResources"]
made = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

function = lambdas.get_function(FunctionName=made["Consumer"])
mapping = lambdas.get_event_source_mapping(UUID=made["Calls"])
table = tables.describe_table(TableName=made["State"])["Table"]
roles = iam.list_attached_role_policies(RoleName=made["Role"])["AttachedPolicies"]
inline = iam.get_role_policy(RoleName=made["Role"], PolicyName="consume")["PolicyDocument"]

print(
    json.dumps(
        {
            "status": stack["StackStatus"],
            "variables": function["Configuration"]["Environment"]["Variables"],
            "handler": function["Configuration"]["Handler"],
            "answers": mapping.get("FunctionResponseTypes"),
            "scaling": mapping.get("ScalingConfig"),
            "source": mapping["EventSourceArn"],
            "keys": [[key["AttributeName"], key["KeyType"]] for key in table["KeySchema"]],
            "policies": [policy["PolicyArn"] for policy in roles] == [consumes],
            "tables": [one["Resource"] for one in inline["Statement"] if one["Sid"] == "Remember"] == [table["TableArn"]],
            "table": made["State"],
        }
    )
)
