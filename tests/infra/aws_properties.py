"""Properties of a resource of CloudFormation, on their way to arguments of Terraform."""


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
