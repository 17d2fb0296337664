# Deploys the template whose text is the first argument beside what the first stack would have made, in the region
# that is the second one, lets its state machine run twice, and once with a task that hangs, and does as the task's
# role what that may and may not do. boto3.rs puts the beginning before it.
import time

ACCOUNT, REGION = "000000000000", args[1]
bucket, name = "labelrelay-bucket", "labelrelay-reconcile"
s3, sqs, secrets, ecs = client("s3"), client("sqs"), client("secretsmanager"), client("ecs")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
queue = sqs.create_queue(QueueName="labelrelay-queue")["QueueUrl"]
token = secrets.create_secret(Name="label-studio-token", SecretString="a-token")["ARN"]
ec2 = client("ec2")
vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


def eventually(look):
    for _ in range(1200):
        found = look()
        if found:
            return found
        time.sleep(0.1)
    sys.exit("it took too long: " + look.__name__)


parameters = {
    "Image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/labelrelay:1",
    "ImageRepositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/labelrelay",
    "LabelStudioUrl": "https://label-studio.example.org",
    "TokenSecretArn": token,
    "QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/labelrelay-queue",
    "BucketName": bucket,
    "VpcId": vpc,
    "SubnetIds": subnet,
}
stacks = client("cloudformation")
stacks.create_stack(
    StackName=name,
    TemplateBody=args[0],
    Capabilities=["CAPABILITY_IAM"],
    Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
)


def deployed():
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    return stack if not stack["StackStatus"].endswith("IN_PROGRESS") else None


status = eventually(deployed)["StackStatus"]
found = stacks.describe_stack_resources(StackName=name)["StackResources"]
made = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}

# The schedule starts the state machine, the first run a task, the second nothing.
schedule = client("scheduler").get_schedule(Name=made["Schedule"])
states = client("stepfunctions")
entered = []
for _ in range(2):
    run = states.start_execution(stateMachineArn=schedule["Target"]["Arn"])["executionArn"]

    def ran():
        events = states.get_execution_history(executionArn=run)["events"]
        names = [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]
        return names if len(names) == 3 and ecs.list_tasks(cluster=made["Cluster"])["taskArns"] else None

    entered.append(eventually(ran))
# No task ever ends here. The next one has less time than six hours, and more than it needs to be there.
(first,) = ecs.list_tasks(cluster=made["Cluster"])["taskArns"]
ecs.stop_task(cluster=made["Cluster"], task=first)
machine = schedule["Target"]["Arn"]
definition = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])
definition["States"]["Run"]["TimeoutSeconds"] = 15
states.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
run = states.start_execution(stateMachineArn=machine)["executionArn"]


def over():
    execution = states.describe_execution(executionArn=run)
    return execution if execution["status"] != "RUNNING" else None


execution = eventually(over)
events = states.get_execution_history(executionArn=run)["events"]
hung = dict(
    status=execution["status"],
    error=execution.get("error"),
    stopped=any(event.get("stateEnteredEventDetails", {}).get("name") == "Stop it" for event in events),
    running=ecs.list_tasks(cluster=made["Cluster"])["taskArns"],
)
task = ecs.describe_task_definition(taskDefinition=made["Task"])["taskDefinition"]
container = task["containerDefinitions"][0]

# As somebody who may do what the task may.
iam = client("iam")
iam.create_user(UserName="task")
for policy in iam.list_role_policies(RoleName=made["TaskRole"])["PolicyNames"]:
    document = iam.get_role_policy(RoleName=made["TaskRole"], PolicyName=policy)["PolicyDocument"]
    iam.put_user_policy(UserName="task", PolicyName=policy, PolicyDocument=json.dumps(document))
key = iam.create_access_key(UserName="task")["AccessKey"]
task_is = dict(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
its_s3, its_sqs = client("s3", **task_is), client("sqs", **task_is)
version = dict(Bucket=bucket, Key="ledger/label-studio/a/b")
trace = dict(Bucket=bucket, Key="traces/probe")
s3.put_object(**trace, Body=b"")
claim, event = dict(Bucket=bucket, Key="claims/probe"), dict(Bucket=bucket, Key="fallback/probe")
s3.put_object(**event, Body=b"")


def refused(call, **more):
    try:
        call(**more)
    except Exception as error:
        return "AccessDenied" in str(error) or str(error)
    return False


may = [
    refused(its_sqs.send_message, QueueUrl=queue, MessageBody="{}"),
    refused(its_sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["All"]),
    refused(its_s3.put_object, **claim, Body=b""),
    refused(its_s3.put_object, **version, Body=b""),
    refused(its_s3.list_objects_v2, Bucket=bucket, Prefix="ledger/label-studio/"),
    refused(its_s3.get_object, **version),
    refused(its_s3.delete_object, **version),
    refused(its_s3.list_objects_v2, Bucket=bucket, Prefix="traces/"),
    refused(its_s3.get_object, **trace),
    refused(its_s3.delete_object, **trace),
]
may_not = [
    refused(its_sqs.receive_message, QueueUrl=queue),
    refused(its_sqs.purge_queue, QueueUrl=queue),
    refused(its_s3.get_object, **claim),
    refused(its_s3.delete_object, **claim),
    refused(its_s3.put_object, **event, Body=b""),
    refused(its_s3.put_object, **trace, Body=b""),
    refused(its_s3.get_object, **event),
    refused(its_s3.delete_object, **event),
    refused(its_s3.list_objects_v2, Bucket=bucket, Prefix="fallback/"),
    refused(its_s3.list_objects_v2, Bucket=bucket),
    refused(client("secretsmanager", **task_is).get_secret_value, SecretId=token),
]
print(json.dumps(dict(
    status=status,
    every=schedule["ScheduleExpression"],
    entered=entered,
    hung=hung,
    command=container["command"],
    variables={variable["name"]: variable["value"] for variable in container["environment"]},
    may=may,
    may_not=may_not,
)))
