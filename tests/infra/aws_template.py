"""template.yaml as CloudFormation reads it with parameters: what is made, with what values."""

import re

import yaml


class Tagged:
    """A function of CloudFormation, in its short form."""

    def __init__(self, name, value):
        self.name, self.value = name, value


class Loader(yaml.SafeLoader):
    pass


def tagged(loader, name, node):
    construct = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda node: loader.construct_sequence(node, deep=True),
        yaml.MappingNode: lambda node: loader.construct_mapping(node, deep=True),
    }
    return Tagged(name, construct[type(node)](node))


Loader.add_multi_constructor("!", tagged)

NOTHING = object()


class Template:
    """With these parameters. `made(logical_id, attribute)` says what a resource is called, or has."""

    def __init__(self, text, parameters, pseudo, made):
        self.whole = yaml.load(text, Loader)
        self.parameters = {name: declared["Default"] for name, declared in self.whole["Parameters"].items()}
        unknown = set(parameters) - set(self.parameters)
        assert not unknown, f"no parameters: {unknown}"
        self.parameters |= parameters
        self.pseudo, self.made = pseudo, made

    def resources(self):
        """Those that are made: their ids, with type and properties."""
        for name, resource in self.whole["Resources"].items():
            if self.holds(resource.get("Condition")):
                yield name, resource["Type"], self.value(resource.get("Properties", {}))

    def outputs(self):
        told = self.whole["Outputs"].items()
        return {name: self.value(output["Value"]) for name, output in told if self.holds(output.get("Condition"))}

    def kept(self):
        """What a stack that is deleted leaves."""
        resources = self.whole["Resources"].items()
        return {name for name, resource in resources if resource.get("DeletionPolicy", "").startswith("Retain")}

    def holds(self, condition):
        return condition is None or self.value(self.whole["Conditions"][condition])

    def parameter(self, name):
        value = self.parameters[name]
        if self.whole["Parameters"][name]["Type"] == "CommaDelimitedList":
            return value.split(",")
        return value

    def reference(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        if name in self.pseudo:
            return self.pseudo[name]
        return self.parameter(name) if name in self.parameters else self.made(*attribute(name))

    def value(self, node):
        if isinstance(node, Tagged):
            return getattr(self, f"fn_{node.name.lower()}")(node.value)
        if isinstance(node, dict):
            pairs = ((name, self.value(value)) for name, value in node.items())
            return {name: value for name, value in pairs if value is not NOTHING}
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not NOTHING]
        return node

    def fn_ref(self, name):
        return self.reference(name)

    def fn_getatt(self, path):
        return self.made(*attribute(path))

    def fn_if(self, parts):
        condition, yes, no = parts
        return self.value(yes if self.holds(condition) else no)

    def fn_equals(self, parts):
        one, other = map(self.value, parts)
        return str(one) == str(other)

    def fn_not(self, parts):
        return not self.value(parts[0])

    def fn_and(self, parts):
        return all(map(self.value, parts))

    def fn_or(self, parts):
        return any(map(self.value, parts))

    def fn_condition(self, name):
        return self.holds(name)

    def fn_select(self, parts):
        index, values = parts
        return self.value(values)[int(index)]

    def fn_split(self, parts):
        separator, text = parts
        return self.value(text).split(separator)

    def fn_join(self, parts):
        separator, values = parts
        return separator.join(self.value(values))

    def fn_sub(self, parts):
        text, own = parts if isinstance(parts, list) else (parts, {})
        own = {name: self.value(value) for name, value in own.items()}
        filled = lambda found: str(own[found[1]] if found[1] in own else self.reference(found[1]))
        return re.sub(r"\$\{([\w:.]+)\}", filled, text)


def attribute(path):
    name, _, attribute = path.partition(".")
    return name, attribute or None
