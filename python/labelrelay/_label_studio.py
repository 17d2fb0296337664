"""Label Studio: from a body to changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._label_studio_result import NOTHING, read_result
from ._lenient import flag, identifier, member, reference, text
from ._task_texts import Budget, texts_in
from ._time import version
from .changes import By, Changed, Key, Order, Removed
from .errors import PayloadMissing, UnknownPayload
from .records import Annotation, Project, Review, Task, Thing

if TYPE_CHECKING:
    from ._json import Json
    from ._task_texts import TaskTexts
    from .attributes import Attributes
    from .changes import Change
    from .records import Record

PREFIX = "io.labelstud."
KINDS = frozenset(("project", "task", "annotation", "label_link", "review"))
_HOLDERS = frozenset(("annotation", "project", "task"))
"""Members of a thing that say what holds it."""

ACTIONS = frozenset(("created", "updated", "deleted"))


def changes_of(payload: Json, attributes: Attributes) -> tuple[Change, ...]:
    """The changes of an event. Raises `UnknownPayload` and `PayloadMissing`."""
    event_id = attributes.id
    if not isinstance(payload, dict):
        raise UnknownPayload("the body is no JSON object", event_id)
    kind, _, action = attributes.type.removeprefix(PREFIX).partition(".")
    if kind in KINDS and action in ACTIONS:
        body = Body(payload, kind, attributes)
        return tuple(map(body.removed if action == "deleted" else body.changed, body.things()))
    if (kind, action) == ("task", "completed"):
        return (_request(payload, attributes, "completion", payload.get("task")),)
    if (kind, action) == ("training", "started"):
        # Beside the action there may be the project, or its id alone.
        project = payload.get("project")
        return (_request(payload, attributes, "training", payload.get("id") if project is None else project),)
    raise UnknownPayload(f"the type {attributes.type} is not known", event_id)


def _request(payload: dict[str, Json], attributes: Attributes, kind: str, subject: Json) -> Changed:
    """A request, or a completion: about a thing, and no version of it."""
    id = reference(subject)
    if id is None:
        raise PayloadMissing(f"the body does not say what the {kind} is about", attributes.id)
    source = attributes.source
    parents = [Key(source, "task", id)] if kind == "completion" else []
    project = id if kind == "training" else reference(payload.get("project"))
    if project is not None:
        parents.append(Key(source, "project", project))
    return Changed(
        key=Key(source, kind, id),
        version=None,
        order=Order.UNKNOWN,
        parents=tuple(parents),
        record=Thing(raw=payload),
        attributes=attributes,
    )


class Body:
    """A body about things of one kind."""

    __slots__ = (
        "_annotation",
        "_attributes",
        "_beside",
        "_changed_at",
        "_common",
        "_kind",
        "_payload",
        "_project",
        "_task",
        "_tasks",
    )

    def __init__(self, payload: dict[str, Json], kind: str, attributes: Attributes) -> None:
        self._payload = payload
        self._kind = kind
        self._attributes = attributes
        self._common: tuple[Key, ...] | None = None
        self._beside: dict[str | None, TaskTexts | None] | None = None
        is_alone = attributes.origin is not None
        projects = [] if is_alone else listed(payload, "project")
        self._project = reference(projects[0]) if len(projects) == 1 else None
        self._tasks = [] if is_alone else listed(payload, "task")
        self._task = reference(self._tasks[0]) if len(self._tasks) == 1 else None
        annotations = [] if is_alone or kind != "review" else listed(payload, "annotation")
        self._annotation = reference(annotations[0]) if len(annotations) == 1 else None
        self._changed_at = {
            reference(one): changed for one in annotations if (changed := text(member(one, "updated_at"))) is not None
        }

    def things(self) -> list[Json]:
        """The things that the event is about."""
        if self._attributes.origin is not None:
            return [self._payload]  # what the API returned, or what is left of it
        kind, payload = self._kind, self._payload
        found = listed(payload, kind)
        if found:
            return found
        if identifier(payload.get("id")) is not None:
            return [payload["id"]]
        if isinstance(payload.get(kind), list) or isinstance(payload.get(f"{kind}s"), list):
            return []
        raise PayloadMissing(
            f"the body does not say which {kind} it is about; switch on Send payload in the webhook's settings",
            self._attributes.id,
        )

    def changed(self, thing: Json) -> Changed:
        """A thing that was created or changed."""
        written = member(thing, "updated_at")
        # A label link has no time of its own.
        dated = version(written) if isinstance(written, str) and self._kind != "label_link" else None
        return Changed(
            key=self._key(thing),
            version=None if dated is None else dated[0],
            order=Order.NEWER if dated is not None and dated[1] else Order.UNKNOWN,
            parents=self._parents(thing, None),
            record=self._record(thing) if isinstance(thing, dict) and self._is_whole(thing) else None,
            attributes=self._attributes,
        )

    def removed(self, thing: Json) -> Removed:
        """A thing that is gone."""
        origin = self._attributes.origin
        if origin is None:
            by = By.HEADER if self._attributes.typefrom == "header" else By.BODY
        else:
            by = By.PULL if origin == "reconcile" else By.PARENT
        parents = self._parents(thing, self._attributes.task)
        return Removed(key=self._key(thing), by=by, parents=parents, attributes=self._attributes)

    def _key(self, thing: Json) -> Key:
        id = reference(thing) if not isinstance(thing, dict) else identifier(thing.get("id"))
        if id is None:
            raise UnknownPayload(f"the body names a {self._kind} without an id", self._attributes.id)
        return Key(self._attributes.source, self._kind, id)

    def _parents(self, thing: Json, task: str | None) -> tuple[Key, ...]:
        if isinstance(thing, dict) and not _HOLDERS.isdisjoint(thing):
            return self._find_parents(thing, task)
        # A deletion of thousands names nothing but ids.
        if self._common is None:
            self._common = self._find_parents(None, task)
        return self._common

    def _find_parents(self, thing: Json, task: str | None) -> tuple[Key, ...]:
        source, kind = self._attributes.source, self._kind
        parents: list[Key] = []
        if kind == "review":
            annotation = self._reviewed(thing)
            if annotation is not None:
                parents.append(Key(source, "annotation", annotation))
        if kind in ("annotation", "review"):
            task = reference(member(thing, "task")) or self._task or task
            if task is not None:
                parents.append(Key(source, "task", task))
        if kind != "project":
            project = self._project_of(thing)
            if project is not None:
                parents.append(Key(source, "project", project))
        return tuple(parents)

    def _reviewed(self, review: Json) -> str | None:
        """The annotation that a review is of."""
        return reference(member(review, "annotation")) or self._annotation

    def _project_of(self, thing: Json) -> str | None:
        return self._project or reference(member(thing, "project"))

    def _is_whole(self, thing: dict[str, Json]) -> bool:
        """Tells whether the object holds the thing, and does not just name it: a record must not pretend that an
        annotation is empty of which nothing was said."""
        if self._kind == "annotation":
            return isinstance(thing.get("result"), list)
        return {"task": "data", "project": "title"}.get(self._kind, "id") in thing

    def _record(self, thing: dict[str, Json]) -> Record:
        if self._kind == "annotation":
            return self._annotation_of(thing)
        created, updated = text(thing.get("created_at")), text(thing.get("updated_at"))
        if self._kind == "task":
            return Task(
                project=self._project_of(thing),
                created=created,
                updated=updated,
                labelled=flag(thing.get("is_labeled")),
                data=thing.get("data"),
                raw=thing,
            )
        if self._kind == "project":
            config = text(thing.get("label_config"))
            return Project(
                title=text(thing.get("title")), label_config=config, created=created, updated=updated, raw=thing
            )
        if self._kind == "review":
            annotation = self._reviewed(thing)
            return Review(
                accepted=flag(thing.get("accepted")),
                score=None,
                created=created,
                updated=updated,
                reviewed=None if annotation is None else self._changed_at.get(annotation),
                raw=thing,
            )
        return Thing(raw=thing)

    def _annotation_of(self, thing: dict[str, Json]) -> Annotation:
        task = reference(thing.get("task")) or self._task
        items = thing.get("result")
        result = read_result(items, self._texts(task)) if items else NOTHING
        return Annotation(
            task=task,
            project=self._project_of(thing),
            author=reference(thing.get("completed_by")),
            created=text(thing.get("created_at")),
            updated=text(thing.get("updated_at")),
            skipped=flag(thing.get("was_cancelled")),
            ground_truth=flag(thing.get("ground_truth")),
            workflow=None,
            regions=result.regions,
            classifications=result.classifications,
            relations=result.relations,
            raw=thing,
        )

    def _texts(self, task: str | None) -> TaskTexts | None:
        """The texts of the task beside; `None` if it is not there."""
        if self._beside is None:
            budget = Budget()
            self._beside = {reference(one): texts_in(member(one, "data"), budget) for one in self._tasks}
        return None if task is None else self._beside.get(task)


def listed(payload: dict[str, Json], kind: str) -> list[Json]:
    """The things under the singular key, else those under the plural: versions differ in which they send.

    Under either may be one thing, several in an array, or an id alone. `null` is none.
    """
    value = payload.get(kind)
    if value is None or value == []:
        value = payload.get(f"{kind}s")
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
