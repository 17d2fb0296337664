# Deploys the template whose text is the first argument beside what the first stack would have made, once for each kind of
# queue, and hands its function what a queue handed out. The second argument has the bodies. Prints what came of it. boto3.rs
# puts the beginning before it.
import re
import time

import yaml

sqs, ec2, lambdas = client("sqs"), client("ec2"), client("lambda")
stacks, tasks, scheduler = client("cloudformation"), client("ecs"), client("scheduler")
states = client("stepfunctions")
bodies = json.loads(args[1])
vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]


class Functions(yaml.SafeLoader):
    """Reads functions as objects of one member."""


def function(loader, name, node):
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_scalar(node)}


Functions.add_multi_constructor("!", function)


def reckoned(value, parameters):
    """What AWS makes of an expression."""
    if isinstance(value, list):
        return [reckoned(one, parameters) for one in value]
    if not isinstance(value, dict):
        return value
    [(name, given)] = value.items()
    given = reckoned(given, parameters)
    match name:
        case "Ref":
            return parameters[given]
        case "Join":
            return given[0].join(given[1])
        case "Split":
            return given[1].split(given[0])
        case "Select":
            return given[1][given[0]]
        case "Equals":
            return given[0] == given[1]
    raise ValueError(name)


def template(parameters):
    """With the one condition reckoned that the stand-in does not understand: it splits no text there."""
    is_fifo = reckoned(yaml.load(args[0], Functions)["Conditions"]["MakeFifo"], parameters)
    text, count = re.subn("(?m)^  MakeFifo: .*$", f'  MakeFifo: !Equals ["{is_fifo}", "True"]', args[0])
    assert count == 1
    return text


def deployed(name, parameters):
    """What was made, by its name in the template."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    text = template(parameters)
    stacks.create_stack(StackName=name, TemplateBody=text, Capabilities=["CAPABILITY_IAM"], Parameters=given)
    for _ in range(1200):
        stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.1)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.describe_stack_events(StackName=name)
    found = stacks.describe_stack_resources(StackName=name)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}


def messages(url):
    found = []
    while True:
        some = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not some:
            return found
        found += some
        for one in some:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])


def record(message):
    """A message as Lambda hands it to a function."""
    attributes = message.get("MessageAttributes", {}).items()
    return {
        "messageId": message["MessageId"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: {"stringValue": one["StringValue"], "dataType": one["DataType"]} for name, one in attributes
        },
    }


def copied(message):
    group = message["Attributes"].get("MessageGroupId")
    return [message["Body"], message["MessageAttributes"]["type"]["StringValue"], group]


def called(function, records):
    answer = lambdas.invoke(FunctionName=function, Payload=json.dumps({"Records": records}))
    answer = json.loads(answer["Payload"].read())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def hung(made, machine):
    """What becomes of a run that puts files together and does not end. No task ever ends here."""
    definition = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])
    definition["States"]["Run"]["TimeoutSeconds"] = 3
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))
    run = states.start_execution(stateMachineArn=machine)["executionArn"]
    for _ in range(1200):
        execution = states.describe_execution(executionArn=run)
        if execution["status"] != "RUNNING":
            break
        time.sleep(0.1)
    return [execution["status"], execution.get("error"), tasks.list_tasks(cluster=made["Cluster"])["taskArns"]]


found = {}
for kind, suffix, more in [("plain", "", {}), ("fifo", ".fifo", {"FifoQueue": "true"})]:
    # Not the one that the stack's function reads: the stand-in might hand it something in between.
    relay = sqs.create_queue(QueueName=f"read-{kind}{suffix}", Attributes=more)["QueueUrl"]
    sqs.create_queue(QueueName=f"relay-{kind}{suffix}", Attributes={"VisibilityTimeout": "300", **more})
    made = deployed(
        f"labelrelay-{kind}",
        {
            "Image": "labelrelay:1",
            "QueueUrl": f"https://sqs.{args[2]}.amazonaws.com/000000000000/relay-{kind}{suffix}",
            "BucketName": "labelrelay-bucket",
            "VpcId": vpc,
            "SubnetIds": subnet,
        },
    )
    for number, body in enumerate(bodies):
        of_group = {"MessageGroupId": "group", "MessageDeduplicationId": str(number)} if suffix else {}
        attributes = {"type": {"DataType": "String", "StringValue": "com.labelbox.label.created"}}
        sqs.send_message(QueueUrl=relay, MessageBody=body, MessageAttributes=attributes, **of_group)
    records = [record(message) for message in messages(relay)]
    failed = called(made["Copier"], records)
    events, archive = [[copied(one) for one in messages(made[name])] for name in ("EventsQueue", "ArchiveQueue")]
    container = tasks.describe_task_definition(taskDefinition=made["Write"])["taskDefinition"]["containerDefinitions"][0]
    writes = ["archive", "write", f"s3://{made['Archive']}/archive", "--queue", made["ArchiveQueue"]]
    # By a state machine, which waits for the end of the task.
    machine = scheduler.get_schedule(Name=made["CompactSchedule"])["Target"]["Arn"]
    run = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])["States"]["Run"]
    compacts = (machine, run["Parameters"]["TaskDefinition"], run["Resource"].rsplit(":", 1)[1])
    held_back = []
    if suffix:
        # One that the queue cannot take, one behind it in its group, and one of another group.
        broken = {**records[0], "messageId": "broken", "attributes": {"MessageGroupId": "group"}}
        alone = {"MessageGroupId": "another", "MessageDeduplicationId": "another"}
        other = {**records[2], "messageId": "other", "attributes": alone}
        held_back = called(made["Copier"], [broken, {**records[1], "messageId": "behind"}, other])
    sqs.delete_queue(QueueUrl=made["ArchiveQueue"])
    found[kind] = {
        "is_fifo": [made[name].endswith(".fifo") for name in ("EventsQueue", "EventsDeadLetters")],
        "failed": failed,
        "events": events,
        "archive": archive,
        "held_back": held_back,
        "all_fail": called(made["Copier"], records) == [one["messageId"] for one in records],
        "command": container["command"] == [*writes, "--dead-letter", made["ArchiveDeadLetters"]],
        "every": scheduler.get_schedule(Name=made["Schedule"])["ScheduleExpression"],
        "hung": hung(made, machine) if kind == "plain" else None,
        "compacts": compacts == (made["CompactRuns"], made["Compact"], "runTask.sync"),
    }
print(json.dumps(found))
