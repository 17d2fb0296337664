"""Compares the Terraform module in infra/aws with template.yaml: the same parameters make the same resources.

    aws_compare.py apply TERRAFORM FOLDER

applies the module, which FOLDER has a copy of, once for each set of parameters below, and keeps what was made.

    aws_compare.py compare TEMPLATE FOLDER

says where that differs from what this template makes, and ends with 1 then.
"""

import json
import pathlib
import re
import subprocess
import sys

from aws_names import OWN, PAIRS
from aws_pairs import Pairs
from aws_template import Template

NAME = "labelrelay"
ACCOUNT, REGION = "123456789012", "eu-central-1"

# Between them, they make every resource, and have both sides of every condition.
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/mine"
SETS = [
    {},
    {"Fifo": "true", "FairQueue": "true", "Fallback": "false", "LabelStudio": "false", "OversizedAlarm": "false"},
    {
        "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:mine",
        "DeadLetterQueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:mine-dead",
        "BucketArn": "arn:aws:s3:::mine",
        "LabelboxSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:one",
        "LabelStudioSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:other",
        "KmsKeyArns": f"{KEY}one,{KEY}other",
        "LabelboxAllowedAddresses": "192.0.2.7,198.51.100.0/24",
        "LabelStudioAllowedAddresses": "2001:db8::/32",
        "Traces": "true",
    },
    {"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:mine.fifo", "Labelbox": "false", "KmsKeyArns": f"{KEY}one"},
    {
        "EncryptionKeyArn": f"{KEY}mine",
        "Traces": "true",
        "FairQueue": "true",
        "LabelStudioMlBackend": "true",
        "ClaimRetentionDays": 90,
        "LogRetentionDays": 7,
        "Architecture": "x86_64",
        "MemorySize": 512,
        "ReservedConcurrency": "7",
        "LogLevel": "debug",
        "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/bound",
        "SubnetIds": "subnet-1,subnet-2",
        "SecurityGroupIds": "sg-1",
        "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
        "OldestMessageAlarmSeconds": 3600,
        "RefusedAlarmCount": 5,
        "MonthlyBudgetUsd": "20",
    },
    {"FrontDoor": "HttpApi", "MonthlyBudgetUsd": "20"},
    {
        "FrontDoor": "HttpApi",
        "DomainName": "hooks.example.com",
        "CertificateArn": CERTIFICATE,
        "RequestsPerSecond": "100",
        "AccessLogs": "true",
        "EncryptionKeyArn": f"{KEY}mine",
    },
    {"FrontDoor": "RestApi"},
    {
        "FrontDoor": "RestApi",
        "DomainName": "hooks.example.com",
        "CertificateArn": CERTIFICATE,
        "ApiAllowedAddresses": "192.0.2.7,198.51.100.0/24",
        "RequestsPerSecond": "100",
        "AccessLogs": "true",
    },
]

# Variables of the module that the template has no parameters for: CloudFormation is told them otherwise, or not at all.
OWN_VARIABLES = {"name", "region", "package", "tags", "labelbox_secret_version", "label_studio_secret_version"}


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def declared(folder):
    """Names of the module's variables, with type and default as they are written."""
    text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
    found = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.M | re.S)
    part = lambda body, name: next(iter(re.findall(rf"^  {name} += (.*)$", body, re.M)), None)
    return {name: (part(body, "type"), part(body, "default")) for name, body in found}


def variable(kind, value):
    """A parameter's value as that of a variable."""
    value = str(value)
    if kind == "list(string)":
        return [part for part in value.split(",") if part]
    if kind == "number":
        return int(value) if value else None
    return value == "true" if kind == "bool" else value


def apply(terraform, folder):
    kinds = declared(folder)
    package = folder / "bootstrap.zip"
    package.write_bytes(b"a function")
    run = lambda *arguments: subprocess.run(
        [terraform, *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    journal = folder / "journal"
    for index, parameters in enumerate(SETS):
        values = {snake(name): variable(kinds[snake(name)][0], value) for name, value in parameters.items()}
        variables, state = folder / f"{index}.tfvars.json", folder / f"{index}.tfstate"
        variables.write_text(json.dumps({"package": str(package), **values}))
        before = journal.stat().st_size
        run("apply", "-no-color", "-auto-approve", "-input=false", f"-state={state}", f"-var-file={variables}")
        shown = json.loads(run("show", "-json", str(state)))["values"]
        lines = journal.read_text()[before:].splitlines()
        configs = {(line["type"], line["state"]["id"]): line["config"] for line in map(json.loads, lines)}
        made = {}
        for resource in shown["root_module"]["resources"]:
            if resource["mode"] == "managed":
                key = resource["type"], resource["values"]["id"]
                made[resource["address"]] = {"values": resource["values"], "config": configs.pop(key)}
        assert not configs, configs
        outputs = {name: output.get("value") for name, output in shown["outputs"].items()}
        (folder / f"{index}.made.json").write_text(json.dumps({"made": made, "outputs": outputs}))


# Policies and definitions, which are texts in Terraform.
TEXTS = {"assume_role_policy", "body", "format", "policy", "redrive_allow_policy", "redrive_policy"}


def clean(value, name=None):
    """Without what says nothing, and what is the same written alike."""
    if name in TEXTS and isinstance(value, str):
        value = json.loads(value)
    if name == "Statement":
        return sorted((clean(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    # One is as good as a list of one, and lists of these have no order.
    if name in ("Action", "Resource", "kms:ViaService", "s3:prefix", "aws:SourceIp"):
        return sorted([value] if isinstance(value, str) else value)
    if isinstance(value, dict):
        value = {key: clean(one, key) for key, one in value.items()}
        return {key: one for key, one in value.items() if not is_empty(one)}
    if isinstance(value, list):
        return [one for one in map(clean, value) if not is_empty(one)]
    return value


def is_empty(value):
    return value is None or value is False or value in ("", [], {})


def differences(template, folder):
    text = template.read_text()
    whole = Template(text, {}, {}, None).whole
    seen, never = set(), set(whole["Resources"])
    one_sided = {(name, side) for name in whole["Conditions"] for side in (True, False)}
    for index, parameters in enumerate(SETS):
        kept = json.loads((folder / f"{index}.made.json").read_text())
        made = kept["made"]
        pairs = Pairs(lambda address, attribute: made[address]["values"][attribute], NAME)
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackName": NAME,
            "AWS::URLSuffix": "amazonaws.com",
        }
        read = Template(text, parameters, pseudo, pairs.attribute)
        of_set = f"with {parameters or 'no parameters'}"
        asked = {}
        for logical, kind, properties in read.resources():
            never.discard(logical)
            try:
                asked |= pairs.of(logical, kind, properties)
            except KeyError as missing:
                yield f"{of_set}: {logical} needs {missing}, which the module did not make"
        for address in sorted(asked.keys() | made.keys()):
            yield from (f"{of_set}: {line}" for line in differing(address, asked.get(address), made.get(address)))
        seen |= made.keys()
        one_sided -= {(name, read.holds(name)) for name in whole["Conditions"]}
        outputs = {snake(name): value for name, value in read.outputs().items()}
        for name in sorted(outputs.keys() | kept["outputs"].keys()):
            if outputs.get(name) != kept["outputs"].get(name):
                yield f"{of_set}: the output {name}: {outputs.get(name)!r}, and {kept['outputs'].get(name)!r}"
    if never:
        yield f"no set of parameters makes {sorted(never)}"
    if one_sided:
        yield f"of these conditions, no set of parameters has that side: {sorted(one_sided)}"
    yield from parameters_differ(whole["Parameters"], declared(folder))
    protected = set()
    for file in folder.glob("*.tf"):
        found = re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', file.read_text(), re.M | re.S)
        protected |= {f"{kind}.{name}" for kind, name, body in found if "prevent_destroy = true" in body}
    retained = {PAIRS[logical].split("[")[0] for logical in read.kept()}
    if protected != retained:
        yield f"kept by a stack that is deleted: {sorted(retained)}, not destroyed by Terraform: {sorted(protected)}"
    print(f"{len(SETS)} sets of parameters, {len(seen)} resources")


def differing(address, asked, made):
    if asked is None or made is None:
        yield f"{address} is made by {'the template' if made is None else 'the module'} alone"
        return
    own = OWN.get(address.split(".")[0], ())
    asked = clean(asked)
    made = {name: value for name, value in clean(made["config"]).items() if name not in own}
    for name in sorted(asked.keys() | made.keys()):
        if asked.get(name) != made.get(name):
            yield f"{address}, {name}: {asked.get(name)!r}, and {made.get(name)!r}"


def parameters_differ(parameters, variables):
    names = {snake(name): name for name in parameters}
    for name in sorted((names.keys() | variables.keys()) - OWN_VARIABLES):
        if name not in names or name not in variables:
            yield f"{name} is a {'variable' if name in variables else 'parameter'} alone"
            continue
        kind, default = variables[name]
        wanted = json.dumps(variable(kind, parameters[names[name]]["Default"]))
        if default != wanted:
            yield f"{name} is {wanted} by default, and {default}"


def main():
    verb, first, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    if verb == "apply":
        return apply(first, folder)
    found = list(differences(pathlib.Path(first), folder))
    print("\n".join(found))
    return 1 if found else 0


sys.exit(main())
