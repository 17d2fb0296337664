"""The rules of `docs/changes.md`, as a consumer follows them: what is news, what is stale, and what a removal takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import labelrelay
import pytest
from in_memory import InMemory, annotation, at, envelope, task_deleted
from labelrelay import By, Changed, Removed
from labelrelay.state import MemoryState
from labelrelay.testing import Delivered, deliver, sample, samples
from plain import CHANGES
from samples import SAMPLES, contents

if TYPE_CHECKING:
    from labelrelay import Change


class Copy:
    """What a handler keeps."""

    def __init__(self, **settings: Any) -> None:
        self.relay = labelrelay.Consumer(InMemory(), **settings)
        self.state = MemoryState()
        self.things: dict[tuple[str, str], str | None] = {}
        self.told: list[Change] = []
        self.relay.on("*")(self.keep)

    def keep(self, change: Change) -> None:
        self.told.append(change)
        if isinstance(change, Removed):
            self.things.pop(change.key[1:], None)
        else:
            self.things[change.key[1:]] = change.version

    def deliver(self, *bodies: bytes) -> Delivered:
        for body in bodies:
            delivered = deliver(self.relay, body, state=self.state)
        return delivered


def test_a_stale_version_is_dropped_and_a_repeat_is_known() -> None:
    copy = Copy()
    copy.deliver(annotation(second=2.5), annotation(second=1.5), annotation(second=2.5))
    assert len(copy.told) == 1
    # The same version in another event: another webhook, or a pull.
    copy.deliver(annotation(second=2.5, action="updated"))
    assert len(copy.told) == 1
    stats = copy.relay.stats
    assert (stats.repeats, stats.stale, stats.changes) == (1, 2, 1)
    copy.deliver(annotation(second=3.5, action="updated"))
    assert len(copy.told) == 2


def test_an_event_sent_again_on_purpose_is_handled_again() -> None:
    copy = Copy()
    copy.deliver(annotation(second=2.5))
    again = annotation(second=2.5, replayedtime="2026-11-21T00:00:00Z")
    copy.deliver(again, again)
    assert len(copy.told) == 2
    # Not if something newer is there, and not if it is gone.
    copy.deliver(annotation(second=3.5), annotation(second=2.5, replayedtime="2026-11-22T00:00:00Z"))
    assert len(copy.told) == 3


def test_a_removal_takes_what_it_held_and_late_news_of_it_is_stale() -> None:
    copy = Copy()
    copy.deliver(annotation(5, 1.5), annotation(6, 2.5), annotation(8, 2.5, task=9), task_deleted(7, 4.5))
    assert set(copy.things) == {("annotation", "8")}
    removed = [change for change in copy.told if isinstance(change, Removed)]
    assert [(change.key.kind, change.key.id, change.by) for change in removed] == [
        ("task", "7", By.BODY),
        ("annotation", "5", By.PARENT),
        ("annotation", "6", By.PARENT),
    ]
    # An annotation of it that comes late, and one that is another with the same id.
    copy.deliver(annotation(10, 3.5), annotation(5, 5.5))
    assert set(copy.things) == {("annotation", "8"), ("annotation", "5")}
    # The removal comes once more, as another event: the newer one is not touched.
    copy.deliver(task_deleted(7, 4.5, id="another"))
    assert set(copy.things) == {("annotation", "8"), ("annotation", "5")}


def test_a_removed_project_takes_annotations_that_only_name_their_task() -> None:
    copy = Copy()
    task = envelope(
        {"action": "TASK_CREATED", "task": {"id": 7, "data": {}, "updated_at": at(1.5)}, "project": {"id": 3}},
        "io.labelstud.task.created",
    )
    pulled = envelope(
        {"id": 5, "task": 7, "result": [], "updated_at": at(2.5)},
        "io.labelstud.annotation.created",
        origin="reconcile",
        subject="annotation/5",
    )
    gone = envelope({"action": "PROJECT_DELETED", "project": {"id": 3}}, "io.labelstud.project.deleted", received=at(4.5))
    copy.deliver(task, pulled, gone)
    assert copy.things == {}
    late = envelope(
        {"id": 6, "task": 7, "result": [], "updated_at": at(3.5)},
        "io.labelstud.annotation.created",
        origin="reconcile",
        subject="annotation/6",
    )
    copy.deliver(late)
    assert copy.things == {}


def test_a_removal_whose_handler_failed_half_way_takes_the_rest_when_it_comes_again() -> None:
    copy = Copy()
    task = {"action": "TASK_CREATED", "task": {"id": 7, "data": {}, "updated_at": at(1.5)}, "project": {"id": 3}}
    pulled = {"id": 5, "task": 7, "result": [], "updated_at": at(2.5)}
    copy.deliver(
        envelope(task, "io.labelstud.task.created"),
        envelope(pulled, "io.labelstud.annotation.created", origin="reconcile", subject="annotation/5"),
    )
    fails = [True]

    @copy.relay.on("annotation")
    def fail_once(change: Change) -> None:
        if fails:
            fails.clear()
            raise RuntimeError("not yet")

    gone = envelope({"action": "PROJECT_DELETED", "project": {"id": 3}}, "io.labelstud.project.deleted", received=at(4.5))
    assert copy.deliver(gone).outcome == "again"
    copy.told.clear()
    assert copy.deliver(gone).outcome == "done"
    # The task was handled, and its annotation is not forgotten with it.
    assert [change.key.kind for change in copy.told] == ["project", "annotation"]


def test_an_id_that_is_given_again_elsewhere_does_not_go_with_what_held_it_before() -> None:
    # SQLite gives the id of the newest task again. The deletion of the task before comes late, or never.
    def task(second: float, project: int) -> bytes:
        body = {"action": "TASK_CREATED", "task": {"id": 7, "data": {}, "updated_at": at(second)}, "project": {"id": project}}
        return envelope(body, "io.labelstud.task.created", id=f"task-{second}")

    def on_it(second: float, project: int) -> bytes:
        body = {
            "action": "ANNOTATION_CREATED",
            "annotation": {"id": 5, "task": 7, "result": [], "updated_at": at(second)},
            "project": {"id": project},
        }
        return envelope(body, "io.labelstud.annotation.created", id=f"annotation-{second}")

    gone = envelope({"action": "PROJECT_DELETED", "project": {"id": 1}}, "io.labelstud.project.deleted", received=at(8.5))
    there = {("task", "7"), ("annotation", "5")}
    for order in (
        [task(3.5, 1), gone, task(5.5, 2), on_it(6.5, 2)],
        [task(3.5, 1), gone, on_it(6.5, 2), task(5.5, 2)],
        [task(3.5, 1), on_it(6.5, 2), gone, task(5.5, 2)],
    ):
        copy = Copy()
        copy.deliver(*order)
        assert set(copy.things) == there
    # Those of the task before are gone with it.
    copy = Copy()
    copy.deliver(task(3.5, 1), on_it(4.5, 1), gone, on_it(4.25, 1), task(3.25, 1))
    assert copy.things == {}


def test_a_completion_is_one_of_the_task_that_was_there_when_it_was_received() -> None:
    # The id of the newest task is given again, and a completion has no version.
    def completed(second: float, project: int = 1) -> bytes:
        body = {"task": 7, "project": project, "annotation": 5}
        return envelope(body, "io.labelstud.task.completed", id=f"completed-{second}", origin="derived", received=at(second))

    def told(copy: Copy) -> list[tuple[str, bool]]:
        return [(change.key.kind, change.is_removal) for change in copy.told]

    came, went, task_went = ("completion", False), ("completion", True), ("task", True)
    copy = Copy()
    copy.deliver(completed(3.5), task_deleted(7, 8.5), completed(4.5), completed(9.5))
    assert told(copy) == [came, task_went, went, came]
    assert copy.relay.stats.stale == 1, "what was completed before the deletion"
    # The deletion comes late: it is one of the task before.
    copy = Copy()
    copy.deliver(completed(9.5), task_deleted(7, 8.5))
    assert told(copy) == [came, task_went]
    # One of the task that has the id now.
    copy.deliver(task_deleted(7, 12.5, id="again"))
    assert told(copy)[2:] == [task_went, went]
    # One of the task before comes late, and does not say where the task is now.
    project_gone = {"action": "PROJECT_DELETED", "project": {"id": 3}}
    copy = Copy()
    copy.deliver(completed(9.5, project=3), completed(3.5, project=2))
    copy.deliver(envelope(project_gone, "io.labelstud.project.deleted", received=at(12.5)))
    assert told(copy) == [came, ("project", True), went]


def test_a_header_holds_for_all_that_follows() -> None:
    copy = Copy()
    copy.deliver((CHANGES / "lb_review_of_label.json").read_bytes())
    (review,) = copy.told
    (label,) = [key for key in review.parents if key.kind == "label"]
    gone = envelope(
        {"id": label.id}, "com.labelbox.label.deleted", source=label.source, typefrom="header", received="2030-01-01T00:00:00.5Z"
    )
    copy.deliver(gone)
    assert [(change.key.kind, change.by) for change in copy.told[1:] if isinstance(change, Removed)] == [
        ("label", By.HEADER),
        ("review", By.HEADER),
    ]


def test_without_a_version_everything_is_handed_on() -> None:
    copy = Copy()
    whole_second = {"action": "ANNOTATION_CREATED", "annotation": {"id": 5, "result": [], "updated_at": "2026-11-20T12:00:00Z"}}
    copy.deliver(envelope(whole_second, "io.labelstud.annotation.created", id="1"))
    copy.deliver(envelope(whole_second, "io.labelstud.annotation.updated", id="2"))
    assert len(copy.told) == 2
    training = sample("label-studio/training")
    copy.deliver(training, training)
    assert len(copy.told) == 3, "the event itself is known"


def test_one_change_of_several_that_fails_takes_no_other_along() -> None:
    relay = labelrelay.Consumer(InMemory())
    state, kept, fails = MemoryState(), list[str](), True

    @relay.on("annotation")
    def keep(change: Change) -> None:
        if fails and change.key.id == "5":
            raise OSError("no room")
        kept.append(change.key.id)

    def made(id: int) -> dict[str, Any]:
        return {"id": id, "task": 7, "result": [], "updated_at": at(1.5)}

    several = envelope(
        {"action": "ANNOTATIONS_CREATED", "annotation": [made(4), made(5), made(6)], "project": {"id": 1}},
        "io.labelstud.annotation.created",
    )
    delivered = deliver(relay, several, state=state)
    assert (delivered.outcome, delivered.reason) == ("again", "OSError: no room")
    assert kept == ["4", "6"]
    fails = False
    assert deliver(relay, several, state=state).outcome == "done"
    assert kept == ["4", "6", "5"], "those that were handled are not handled again"


def test_retry_and_reject() -> None:
    relay = labelrelay.Consumer(InMemory())

    @relay.on("annotation")
    def keep(change: Change) -> None:
        if isinstance(change, Changed) and change.annotation.skipped:
            raise labelrelay.Retry(after=3)
        raise labelrelay.Reject("no use for it")

    assert deliver(relay, sample("label-studio/skipped")).outcome == "again"
    delivered = deliver(relay, sample("label-studio/brush"))
    assert (delivered.outcome, delivered.reason) == ("rejected", "no use for it")
    with pytest.raises(ValueError, match="after"):
        labelrelay.Retry(after=-1)


@pytest.mark.parametrize(
    ("fixture", "error"),
    [
        ("malformed_cut", "MalformedEnvelope"),
        ("later_specversion", "LaterEnvelope"),
        ("digest_mismatch", "DigestMismatch"),
        ("later_schema", "UnknownPayload"),
        ("ls_no_payload", "PayloadMissing"),
        ("ls_nested_501", "TooDeep"),
        ("ls_edge_not_utf8", "NotJson"),
        ("ls_claimed", "ClaimRefused"),
    ],
)
def test_an_unreadable_event_is_named_and_counted(fixture: str, error: str) -> None:
    copy = Copy()
    delivered = copy.deliver((CHANGES / f"{fixture}.json").read_bytes())
    assert delivered.outcome == "unreadable"
    assert delivered.reason.startswith(f"{error}: ")
    assert copy.told == []


@pytest.mark.parametrize("fixture", ["ls_nested_500", "ls_task_lone_surrogate", "ls_edge_integer_of_5000_digits"])
def test_odd_bodies_are_read(fixture: str) -> None:
    assert Copy().deliver((CHANGES / f"{fixture}.json").read_bytes()).outcome == "done"


def test_an_error_of_the_reader_in_a_handler_is_the_handlers() -> None:
    relay = labelrelay.Consumer(InMemory())

    @relay.on("annotation")
    def keep(change: Change) -> None:
        assert isinstance(change, Changed)
        change.annotation.regions  # noqa: B018: it is only named

    delivered = deliver(relay, (CHANGES / "ls_annotation_named.json").read_bytes())
    assert delivered.outcome == "again"
    assert "only names it" in delivered.reason


def test_kinds_are_checked() -> None:
    relay = labelrelay.Consumer(InMemory())
    with pytest.raises(labelrelay.ConsumerError, match="'annotations'.*annotation"):
        relay.on("annotations")
    with pytest.raises(labelrelay.ConsumerError, match="no handler"):
        relay.run()


def test_async_handlers() -> None:
    relay = labelrelay.Consumer(InMemory())
    told = []

    @relay.on("annotation", "task")
    async def keep(change: Change) -> None:
        told.append(change.key)

    assert deliver(relay, sample("label-studio/brush")).outcome == "done"
    assert len(told) == 1


def test_every_sample_is_a_fixture_and_is_read() -> None:
    assert samples() == sorted(SAMPLES), "python/tests/samples.py writes them"
    for name, fixture in SAMPLES.items():
        assert sample(name) == contents(fixture), f"{name}: run python/tests/samples.py"
        copy = Copy()
        assert copy.deliver(sample(name)).outcome == "done"
        assert copy.told
    with pytest.raises(KeyError, match="label-studio/brush"):
        sample("brush")
