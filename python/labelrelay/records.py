"""Records: what a thing holds, in the same words for both platforms, and `raw` beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    from ._json import Json
    from .regions import Classification, Region, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """An annotation of Label Studio, or a label of Labelbox."""

    task: str | None
    """Id of the task, or of the data row."""
    project: str | None
    author: str | None
    """Label Studio's id of the user; of Labelbox an id (v1) or an address (v2)."""
    created: str | None
    updated: str | None
    """As the platform writes it; the change's `version` compares."""
    skipped: bool | None
    ground_truth: bool | None
    workflow: str | None
    """State of the data row in Labelbox's workflow, where the body says it."""
    regions: tuple[Region, ...]
    classifications: tuple[Classification, ...]
    relations: tuple[Relation, ...]
    raw: Json = field(repr=False, hash=False)
    """As the platform sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task of Label Studio."""

    project: str | None
    created: str | None
    updated: str | None
    """Moves by itself, and no webhook tells."""
    labelled: bool | None
    data: Json = field(repr=False, hash=False)
    raw: Json = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project of Label Studio. Its `raw` holds a token."""

    title: str | None
    label_config: str | None = field(repr=False)
    created: str | None
    updated: str | None
    raw: Json = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """The last step of a data row in Labelbox's workflow."""

    action: str | None
    origin: str | None
    """Name of the queue that it left."""
    destination: str | None
    actor: str | None
    time: str | None
    raw: Json = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review: of an annotation of Label Studio, or of a label of Labelbox. The parents of its change say of which."""

    accepted: bool | None
    """`False` if it rejects what was reviewed. `None` if it does neither, as a score of zero."""
    score: float | None
    """Labelbox's: what is above zero accepts, what is below rejects."""
    created: str | None
    updated: str | None
    reviewed: str | None
    """When the annotation or label was changed last before it was reviewed, if the body says it."""
    raw: Json = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Anything else: a label link, a request to train, a completion."""

    raw: Json = field(repr=False, hash=False)


Record: TypeAlias = Union[Annotation, Task, Project, Workflow, Review, Thing]
