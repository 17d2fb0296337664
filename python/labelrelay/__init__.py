"""labelrelay puts webhooks of Labelbox and Label Studio on your queue, and reads what it put there.

    event = labelrelay.parse(message)      # bytes or text from the queue; no I/O
    event.verify()
    for change in event.changes:
        print(change.key, change)

`docs/changes.md` says how an event becomes changes.

The relay itself is a program of the same name, which this package brings. `find_program` says where it lies, and
`python -m labelrelay` runs it.
"""

TYPE_CHECKING = (
    False  # for type checkers, which know the name; `typing` itself is most of what importing this would cost
)

if TYPE_CHECKING:
    from ._json import Json, Number
    from ._program import find_program
    from ._stats import Stats
    from .attributes import Attributes
    from .changes import By, Change, Changed, Key, Order, Removed
    from .consumer import Consumer
    from .errors import (
        BodyClaimed,
        BytesLost,
        ClaimDamaged,
        ClaimGone,
        ClaimRefused,
        ConsumerError,
        DigestMismatch,
        EnvelopeClaimed,
        EventError,
        LaterEnvelope,
        MalformedEnvelope,
        MaskUnreadable,
        NotJson,
        PayloadMissing,
        RefetchError,
        Reject,
        Retry,
        TooDeep,
        UnknownPayload,
    )
    from .event import Event, parse
    from .records import Annotation, Project, Record, Review, Task, Thing, Workflow
    from .refetch import Fetch, LabelStudio
    from .regions import (
        Box,
        Classification,
        Ellipse,
        Keypoint,
        Line,
        Mask,
        Other,
        Point,
        Polygon,
        Radii,
        Rect,
        Region,
        Relation,
        Size,
        Span,
        TimeSpan,
        Track,
        Value,
    )
    from .state import Known, State

    __version__: str

__all__ = [
    "Annotation",
    "Attributes",
    "BodyClaimed",
    "Box",
    "By",
    "BytesLost",
    "Change",
    "Changed",
    "ClaimDamaged",
    "ClaimGone",
    "ClaimRefused",
    "Classification",
    "Consumer",
    "ConsumerError",
    "DigestMismatch",
    "Ellipse",
    "EnvelopeClaimed",
    "Event",
    "EventError",
    "Fetch",
    "Json",
    "Key",
    "Keypoint",
    "Known",
    "LabelStudio",
    "LaterEnvelope",
    "Line",
    "MalformedEnvelope",
    "Mask",
    "MaskUnreadable",
    "NotJson",
    "Number",
    "Order",
    "Other",
    "PayloadMissing",
    "Point",
    "Polygon",
    "Project",
    "Radii",
    "Record",
    "Rect",
    "RefetchError",
    "Region",
    "Reject",
    "Relation",
    "Removed",
    "Retry",
    "Review",
    "Size",
    "Span",
    "State",
    "Stats",
    "Task",
    "Thing",
    "TimeSpan",
    "TooDeep",
    "Track",
    "UnknownPayload",
    "Value",
    "Workflow",
    "__version__",
    "find_program",
    "parse",
]

_MODULES = {
    "_json": ("Json", "Number"),
    "_program": ("find_program",),
    "_stats": ("Stats",),
    "attributes": ("Attributes",),
    "changes": ("By", "Change", "Changed", "Key", "Order", "Removed"),
    "consumer": ("Consumer",),
    "errors": (
        "BodyClaimed",
        "BytesLost",
        "ClaimDamaged",
        "ClaimGone",
        "ClaimRefused",
        "ConsumerError",
        "DigestMismatch",
        "EnvelopeClaimed",
        "EventError",
        "LaterEnvelope",
        "MalformedEnvelope",
        "MaskUnreadable",
        "NotJson",
        "PayloadMissing",
        "RefetchError",
        "Reject",
        "Retry",
        "TooDeep",
        "UnknownPayload",
    ),
    "event": ("Event", "parse"),
    "records": ("Annotation", "Project", "Record", "Review", "Task", "Thing", "Workflow"),
    "refetch": ("Fetch", "LabelStudio"),
    "state": ("Known", "State"),
    "regions": (
        "Box",
        "Classification",
        "Ellipse",
        "Keypoint",
        "Line",
        "Mask",
        "Other",
        "Point",
        "Polygon",
        "Radii",
        "Rect",
        "Region",
        "Relation",
        "Size",
        "Span",
        "TimeSpan",
        "Track",
        "Value",
    ),
}


def __getattr__(name: str) -> object:
    """Imports what is asked for, and no more: a command line that wants `find_program` waits for nothing else."""
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        value: object = version("labelrelay")
    else:
        for module, names in _MODULES.items():
            if name in names:
                value = getattr(import_module(f".{module}", __name__), name)
                break
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
