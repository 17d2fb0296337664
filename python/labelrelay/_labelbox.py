"""Labelbox: from a body to changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._labelbox_label import Marks, object_in, read_annotations, read_v1
from ._lenient import flag, identifier, items, member, number, text
from ._time import version
from .changes import By, Changed, Key, Order, Removed
from .errors import UnknownPayload
from .records import Annotation, Review, Thing, Workflow
from .regions import Size

if TYPE_CHECKING:
    from ._json import Json
    from .attributes import Attributes
    from .changes import Change
    from .records import Record

PREFIX = "com.labelbox."


def changes_of(payload: Json, attributes: Attributes) -> tuple[Change, ...]:
    """The changes of an event. Raises `UnknownPayload`."""
    if not isinstance(payload, dict):
        raise UnknownPayload("the body is no JSON object", attributes.id)
    match attributes.type.removeprefix(PREFIX).split("."):
        case ["label", "created" | "updated" | "deleted" | "unrecognized"]:
            row, projects = payload.get("data_row"), payload.get("projects")
            if isinstance(row, dict) and isinstance(projects, dict):
                return _RowBody(payload, row, projects, attributes).changes()
            return (_label_v1(payload, attributes),)
        case ["review", "created" | "updated" | "deleted" | "unrecognized"]:
            return (_review(payload, attributes),)
        case ["workflow", _]:
            return _workflow(payload, attributes)
        case ["model_run", "created"]:
            run = _key(payload.get("modelRunId"), "model_run", attributes)
            return (_changed(run, None, (), Thing(raw=payload), attributes),)
        case _:
            raise UnknownPayload(f"the type {attributes.type} is not known", attributes.id)


def _key(id: Json, kind: str, attributes: Attributes) -> Key:
    found = identifier(id)
    if found is None:
        raise UnknownPayload(f"the body names a {kind} without an id", attributes.id)
    return Key(attributes.source, kind, found)


def _keys(attributes: Attributes, **ids: str | None) -> tuple[Key, ...]:
    """Keys of the things with these ids, as far as they are known."""
    return tuple(Key(attributes.source, kind, id) for kind, id in ids.items() if id is not None)


def _changed(
    key: Key, written: str | None, parents: tuple[Key, ...], record: Record | None, attributes: Attributes
) -> Changed:
    """A change whose version is the time that is `written`."""
    dated = version(written)
    # Without the header that says what happened, the thing may be gone.
    is_told = attributes.action != "unrecognized" or key.kind == "workflow"
    return Changed(
        key=key,
        version=None if dated is None else dated[0],
        order=Order.NEWER if dated is not None and dated[1] and is_told else Order.UNKNOWN,
        parents=parents,
        record=record,
        attributes=attributes,
    )


def _removed(key: Key, parents: tuple[Key, ...], attributes: Attributes) -> Removed:
    if attributes.origin is not None:
        by = By.PULL if attributes.origin == "reconcile" else By.PARENT
    else:
        by = By.HEADER if attributes.typefrom == "header" else By.BODY
    return Removed(key=key, by=by, parents=parents, attributes=attributes)


def _parents_v1(payload: dict[str, Json], attributes: Attributes, label: str | None = None) -> tuple[Key, ...]:
    row = identifier(member(payload.get("dataRow"), "id"))
    project = identifier(member(payload.get("project"), "id"))
    return _keys(attributes, label=label, data_row=row, project=project)


def _label_v1(payload: dict[str, Json], attributes: Attributes) -> Change:
    """A flat label, whose annotations are JSON in a string."""
    key = _key(payload.get("id"), "label", attributes)
    parents = _parents_v1(payload, attributes)
    if attributes.action == "deleted":
        return _removed(key, parents, attributes)
    updated = text(payload.get("updatedAt"))
    written = payload.get("label")
    if not isinstance(written, str):
        return _changed(key, updated, parents, None, attributes)
    marks = read_v1(written)
    record = Annotation(
        task=identifier(member(payload.get("dataRow"), "id")),
        project=identifier(member(payload.get("project"), "id")),
        author=identifier(member(payload.get("user"), "id")),
        created=text(payload.get("createdAt")),
        updated=updated,
        skipped=flag(payload.get("skipped")),
        ground_truth=None,
        workflow=None,
        regions=marks.regions,
        classifications=marks.classifications,
        relations=marks.relations,
        raw=payload,
    )
    return _changed(key, updated, parents, record, attributes)


def _review(payload: dict[str, Json], attributes: Attributes) -> Change:
    """A review: an object of its own, or the label that was reviewed."""
    key = _key(payload.get("id"), "review", attributes)
    written = payload.get("label")
    label = object_in(written) if isinstance(written, str) else written
    named = identifier(member(label, "id")) or identifier(payload.get("labelId"))
    is_label = named is None and (isinstance(written, str) or isinstance(payload.get("dataRow"), dict))
    if named is None and isinstance(written, str):
        named = key.id
    parents = _parents_v1(payload, attributes, label=named)
    # Of a label's body `deleted` is about the label.
    if attributes.action == "deleted" or (not is_label and payload.get("deleted") is True):
        return _removed(key, parents, attributes)
    # A label's times say nothing of how often it was reviewed.
    own: dict[str, Json] = {} if is_label else payload
    updated = text(own.get("updatedAt"))
    score = number(payload.get("score"))
    record = Review(
        accepted=score > 0 if score else None,
        score=score,
        created=text(own.get("createdAt")),
        updated=updated,
        reviewed=text(member(payload if is_label else label, "updatedAt")),
        raw=payload,
    )
    return _changed(key, updated, parents, record, attributes)


def _workflow(payload: dict[str, Json], attributes: Attributes) -> tuple[Change, ...]:
    """Rows that went from one queue of a project to another."""
    project = identifier(payload.get("projectId"))
    time = text(payload.get("timestamp"))
    record = Workflow(
        action=text(payload.get("action")),
        origin=text(payload.get("originTaskName")),
        destination=text(payload.get("destinationTaskName")),
        actor=identifier(payload.get("actorId")),
        time=time,
        raw=payload,
    )
    rows = [_key(row, "workflow", attributes) for row in items(payload.get("dataRowIds"))]
    return tuple(
        _changed(row, time, _keys(attributes, data_row=row.id, project=project), record, attributes)
        for row in dict.fromkeys(rows)
    )


class _Label(NamedTuple):
    """A label of a row, and the project that it is in."""

    project: str | None
    details: Json
    label: dict[str, Json]


class _RowBody:
    """A data row with its labels (v2), in the form of an export. It does not say what happened."""

    __slots__ = ("_attributes", "_payload", "_projects", "_row")

    def __init__(
        self, payload: dict[str, Json], row: dict[str, Json], projects: dict[str, Json], attributes: Attributes
    ) -> None:
        self._payload = payload
        self._row = identifier(row.get("id"))
        self._projects = projects
        self._attributes = attributes

    def changes(self) -> tuple[Change, ...]:
        attributes = self._attributes
        is_deletion = attributes.action == "deleted"
        if attributes.origin is not None:
            label = self._pulled()
            return (self._removed(label) if is_deletion else self._changed(label),)
        labels = list(self._labels())
        if is_deletion and len(labels) == 1:
            return (self._removed(labels[0]),)
        if is_deletion or not labels:
            # Nothing says which label is gone: the platform has to be asked about the row.
            key = _key(self._row, "data_row", attributes)
            projects = [identifier(project) for project in self._projects]
            parents = tuple(Key(attributes.source, "project", project) for project in projects if project is not None)
            return (_changed(key, None, parents, None, attributes),)
        return tuple(self._changed(label) for label in labels)

    def _labels(self) -> list[_Label]:
        return [
            _Label(identifier(project), member(held, "project_details"), label if isinstance(label, dict) else {})
            for project, held in self._projects.items()
            for label in items(member(held, "labels"))
        ]

    def _pulled(self) -> _Label:
        """The label that `subject` names, of those that the API returned with it."""
        for label in self._labels():
            id = identifier(label.label.get("id"))
            if id is not None and _named("label", id) == self._attributes.subject:
                return label
        raise UnknownPayload(f"the row has no {self._attributes.subject}", self._attributes.id)

    def _parents(self, label: _Label) -> tuple[Key, ...]:
        return _keys(self._attributes, data_row=self._row, project=label.project)

    def _removed(self, label: _Label) -> Removed:
        key = _key(label.label.get("id"), "label", self._attributes)
        return _removed(key, self._parents(label), self._attributes)

    def _changed(self, label: _Label) -> Changed:
        details = label.label.get("label_details")
        key = _key(label.label.get("id"), "label", self._attributes)
        written, updated = label.label.get("annotations"), text(member(details, "updated_at"))
        if not isinstance(written, dict):
            return _changed(key, updated, self._parents(label), None, self._attributes)
        media = self._payload.get("media_attributes")
        marks: Marks = read_annotations(written, _size(media))
        record = Annotation(
            task=self._row,
            project=label.project,
            author=text(member(details, "created_by")),
            created=text(member(details, "created_at")),
            updated=updated,
            skipped=flag(member(label.label.get("performance_details"), "skipped")),
            ground_truth=None,
            workflow=text(member(label.details, "workflow_status")),
            regions=marks.regions,
            classifications=marks.classifications,
            relations=marks.relations,
            raw=label.label,
        )
        return _changed(key, updated, self._parents(label), record, self._attributes)


def _size(media: Json) -> Size | None:
    from ._label_studio_shapes import MAX_SIDE
    from ._lenient import whole

    width, height = whole(member(media, "width")), whole(member(media, "height"))
    if width is None or height is None or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        return None
    return Size(width, height)


def _named(kind: str, id: str) -> str:
    """Kind and id as the relay writes them into `subject`: what is long, or not visible ASCII, is hashed."""
    name = f"{kind}/{id}"
    if len(name) <= 128 and all("!" <= sign <= "~" for sign in name):
        return name
    from hashlib import sha256

    return f"{kind}/sha256:{sha256(id.encode('utf-8')).hexdigest()}"
