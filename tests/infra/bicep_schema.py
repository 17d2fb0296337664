"""Checks that the properties of Bicep resources are those that Azure knows.

    bicep_schema.py FOLDER

Reads every .bicep file of the folder with two parsers, and compares names of properties and values of
enumerations with the models of Azure's own management clients. It prints what is wrong, and at the end how
many resources it looked at.
"""

import enum
import importlib
import pathlib
import re
import sys

import tree_sitter
import tree_sitter_bicep
from pycep import BicepParser

# Which model describes which type of resource.
MODELS = {
    "Microsoft.App/jobs": "appcontainers.Job",
    "Microsoft.App/managedEnvironments": "appcontainers.ManagedEnvironment",
    "Microsoft.Authorization/roleAssignments": "authorization.v2022_04_01.RoleAssignmentCreateParameters",
    "Microsoft.Cdn/profiles": "cdn.Profile",
    "Microsoft.Cdn/profiles/afdEndpoints": "cdn.AFDEndpoint",
    "Microsoft.Cdn/profiles/afdEndpoints/routes": "cdn.Route",
    "Microsoft.Cdn/profiles/originGroups": "cdn.AFDOriginGroup",
    "Microsoft.Cdn/profiles/originGroups/origins": "cdn.AFDOrigin",
    "Microsoft.Consumption/budgets": "consumption.Budget",
    "Microsoft.Insights/components": "applicationinsights.v2020_02_02.ApplicationInsightsComponent",
    "Microsoft.Insights/diagnosticSettings": "monitor.DiagnosticSettingsResource",
    "Microsoft.Insights/metricAlerts": "monitor.MetricAlertResource",
    "Microsoft.Insights/scheduledQueryRules": "monitor.ScheduledQueryRuleResource",
    "Microsoft.KeyVault/vaults": "keyvault.VaultCreateOrUpdateParameters",
    "Microsoft.KeyVault/vaults/secrets": "keyvault.SecretCreateOrUpdateParameters",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "msi.v2024_11_30.Identity",
    "Microsoft.OperationalInsights/workspaces": "loganalytics.Workspace",
    "Microsoft.Storage/storageAccounts": "storage.StorageAccountCreateParameters",
    "Microsoft.Storage/storageAccounts/blobServices": "storage.BlobServiceProperties",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "storage.BlobContainer",
    "Microsoft.Storage/storageAccounts/managementPolicies": "storage.ManagementPolicy",
    "Microsoft.Storage/storageAccounts/queueServices": "storage.QueueServiceProperties",
    "Microsoft.Storage/storageAccounts/queueServices/queues": "storage.StorageQueue",
    "Microsoft.Web/serverfarms": "web.AppServicePlan",
    "Microsoft.Web/sites": "web.Site",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "web.CsmPublishingCredentialsPoliciesEntity",
}

# Members that Bicep itself gives a resource, or that the models leave out.
BICEPS_OWN = {"name", "parent", "scope", "location", "kind", "identity", "dependsOn"}

# Models that stand for several, told apart by a member.
KINDS = {
    "MetricAlertCriteria": "MetricAlertSingleResourceMultipleMetricCriteria",
    "MultiMetricCriteria": "MetricCriteria",
}


class Model:
    """A model's members: each the models of its value, or None for a plain one."""

    def __init__(self, members):
        self.members = members

    @classmethod
    def of(cls, kind):
        if not hasattr(kind, "_attribute_map"):
            return cls(new_members(kind))
        flat = {
            tuple(re.split(r"(?<!\\)\.", entry["key"])): (kind.__module__, entry["type"])
            for entry in kind._attribute_map.values()
        }
        return cls.nested(flat)

    @classmethod
    def nested(cls, flat):
        """Older models write `properties.x` for a member of a member."""
        members = {}
        for path, (module, text) in flat.items():
            name = path[0].replace("\\.", ".")
            if len(path) == 1:
                members[name] = lambda module=module, text=text: named(module, re.findall(r"\w+", text))
            else:
                inner = {p[1:]: v for p, v in flat.items() if p[0] == path[0] and len(p) > 1}
                members[name] = lambda inner=inner: [cls.nested(inner)]
        return cls(members)


def new_members(kind):
    """Newer models know the names by which members travel, once they were made."""
    kind.__new__(kind)
    members = {}
    for base in reversed(kind.__mro__):
        for attribute, text in getattr(base, "__annotations__", {}).items():
            found = base.__dict__.get(attribute)
            if hasattr(found, "_rest_name_input"):
                names = re.findall(r"models\.(?:_models\.|_enums\.)?(\w+)", str(text))
                # The names in a map are its writer's.
                kinds = map_of if "dict[str, " in str(text) else named
                members[found._rest_name] = lambda module=base.__module__, names=names, kinds=kinds: kinds(module, names)
    return members


def named(module, names):
    package = importlib.import_module(module.rsplit(".", 1)[0])
    names = [KINDS.get(name, name) for name in names]
    return [getattr(package, name) for name in names if isinstance(getattr(package, name, None), type)]


class Map:
    def __init__(self, kinds):
        self.kinds = kinds


def map_of(module, names):
    return [Map(named(module, names))]


def is_expression(value):
    """An object may have a member `operator` too; an expression's is none that anybody wrote."""
    return isinstance(value, dict) and any(isinstance(value.get(word), dict) for word in ("operator", "function"))


def written(value):
    """What stands there, or in the branches and lists that it is put together of."""
    if isinstance(value, list):
        return [item for part in value for item in written(part)]
    if is_expression(value):
        kind = value.get("operator") or value["function"]
        if kind["type"] == "conditional":
            branches = kind["operands"]
            return written(branches["true_value"]) + written(branches["false_value"])
        if kind["type"] == "concat":
            return [item for part in kind["parameters"].values() for item in written(part)]
    return [value]


def check(model, value, path, wrong, also=frozenset()):
    for name, inner in value.items():
        name = name.strip("'")
        if name not in model.members:
            if name not in also:
                wrong.append(f"{path}: {name} is none of {', '.join(sorted(model.members))}")
            continue
        for item in written(inner):
            for kind in model.members[name]():
                if isinstance(kind, type) and issubclass(kind, enum.Enum):
                    known = [member.value for member in kind]
                    # Names of parameters and variables look like words; the values used here have capitals.
                    if isinstance(item, str) and item[:1].isupper() and item not in known:
                        wrong.append(f"{path}.{name}: {item} is none of {', '.join(known)}")
                elif isinstance(kind, Map) and isinstance(item, dict) and not is_expression(item):
                    for key, entry in item.items():
                        for entry_kind in kind.kinds:
                            check(Model.of(entry_kind), entry, f"{path}.{name}.{key}", wrong)
                elif isinstance(item, dict) and not is_expression(item):
                    check(kind if isinstance(kind, Model) else Model.of(kind), item, f"{path}.{name}", wrong)


def errors(node, file):
    if node.type == "ERROR" or node.is_missing:
        yield f"{file}:{node.start_point[0] + 1}: this is not Bicep"
    else:
        for child in node.children:
            yield from errors(child, file)


def main():
    wrong, count = [], 0
    syntax = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
    for file in sorted(pathlib.Path(sys.argv[1]).glob("*.bicep")):
        unparsed = list(errors(syntax.parse(file.read_bytes()).root_node, file.name))
        wrong += unparsed
        if unparsed:
            continue
        for name, resource in BicepParser().parse(file_path=file).get("resources", {}).items():
            if resource["existing"]:
                continue
            place = f"{file.name}.{name}"
            if resource["type"] not in MODELS:
                wrong.append(f"{place}: {resource['type']} has no model here: add it to MODELS")
                continue
            module, kind = MODELS[resource["type"]].rsplit(".", 1)
            package = importlib.import_module(f"azure.mgmt.{module}.models")
            config = resource["config"]
            # A resource that is made on a condition.
            config = config.get("config", config) if "condition" in config else config
            check(Model.of(getattr(package, kind)), config, place, wrong, BICEPS_OWN)
            count += 1
    if wrong:
        sys.exit("\n".join(wrong))
    print(count, "resources")


main()
