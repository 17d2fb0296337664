"""A kind: a labelling configuration, a task, and what a person does with them."""

import dataclasses
from typing import Any, Callable

KINDS = {}

IMAGE = {"image": "a.png"}


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    config: str
    # Data of the task. A value that names one of our media is uploaded first.
    data: dict[str, Any]
    # Takes the editor; returns the list of what was drawn, for `drawn.json`.
    do: Callable
    # "drawn" in the editor, or sent to the "api".
    how: str
    # The event that is kept.
    action: str
    # Tells that `do` submits what it made.
    ends: bool


def kind(config, data=None, how="drawn", action="ANNOTATION_CREATED", ends=False):
    """Makes a kind of a function, and names it so. `config` goes into a `View`."""
    def keep(do):
        whole = "<View>\n%s\n</View>\n" % "\n".join("  " + line for line in config.strip().split("\n"))
        data_of = IMAGE if data is None else data
        KINDS[do.__name__] = Kind(do.__name__, whole, data_of, do, how, action, ends or how == "api")
        return do

    return keep


# Drawn regions, in a reader's words. Points and sizes are pixels of the image, times are seconds.


def box(label, x, y, width, height, rotation=0, **more):
    return dict(kind="box", label=label, x=x, y=y, width=width, height=height, rotation=rotation, **more)


def shape(kind, label, **more):
    return dict(kind=kind, label=label, **more)


def answer(name, values, **more):
    return dict(kind="classification", name=name, values=values, **more)


def relation(start, end, direction="right", labels=()):
    """`start` and `end` are places in the list of what was drawn."""
    return dict(kind="relation", start=start, end=end, direction=direction, labels=list(labels))
