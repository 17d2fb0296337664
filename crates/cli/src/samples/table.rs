//! All of them. A name stands for the first with it; those further down show what else can come.

use super::Sample;
use labelrelay_core::provider::Provider::{self, LabelStudio, Labelbox};

/// The first sample called `event`, of `provider` if that is given.
pub(crate) fn named(event: &str, provider: Option<Provider>) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| {
        sample.event == event && provider.is_none_or(|wanted| wanted == sample.provider)
    })
}

macro_rules! labelbox {
    ($event:literal, $topic:expr, $path:literal, $file:literal, $about:literal, $fresh:expr) => {
        Sample {
            event: $event,
            provider: Labelbox,
            topic: $topic,
            path: $path,
            about: $about,
            body: include_bytes!(concat!("../../samples/labelbox/", $file)),
            fresh: &$fresh,
        }
    };
}

macro_rules! label_studio {
    ($event:literal, $file:literal, $about:literal, $fresh:expr) => {
        Sample {
            event: $event,
            provider: LabelStudio,
            topic: None,
            path: "",
            about: $about,
            body: include_bytes!(concat!("../../samples/label_studio/", $file)),
            fresh: &$fresh,
        }
    };
}

/// In the order in which `send --list` shows them.
pub(crate) static SAMPLES: &[Sample] = &[
    labelbox!(
        "label.created",
        Some("LABEL_CREATED"),
        "",
        "label_created.json",
        "a label, payload v1",
        [
            ("cle357uex0g5307z996y28ic0", "{id}"),
            ("2023-02-13T18:22:46Z", "{seconds}"),
        ]
    ),
    labelbox!(
        "label.updated",
        Some("LABEL_UPDATED"),
        "",
        "label_updated.json",
        "a label, payload v1",
        [
            ("cl4g555g81ltr07cka1a2b1wv", "{id}"),
            ("2022-06-16T19:58:25Z", "{seconds}"),
        ]
    ),
    labelbox!(
        "label.deleted",
        Some("LABEL_DELETED"),
        "",
        "label_deleted.json",
        "a label, payload v1",
        [
            ("cl2i6hegh1x660z9i9fzz01a0", "{id}"),
            ("2022-06-16T20:12:41Z", "{seconds}"),
        ]
    ),
    labelbox!(
        "label_v2.created",
        Some("LABEL_CREATED"),
        "",
        "label_created_v2.json",
        "a data row, payload v2",
        [
            ("clvo7b6h501ic07fdbg62c32w", "{id}"),
            ("2024-05-06T17:18:48Z", "{seconds}"),
        ]
    ),
    labelbox!(
        "label_v2.deleted",
        Some("LABEL_DELETED"),
        "",
        "label_deleted_v2.json",
        "a data row, payload v2",
        [
            ("clvo7b02m01p807znd5bwfr2v", "{id}"),
            ("2024-05-06T17:22:06Z", "{seconds}"),
        ]
    ),
    labelbox!(
        "review.created",
        Some("REVIEW_CREATED"),
        "",
        "review.json",
        "a reviewed label",
        [
            ("cl4g555g81ltr07cka1a2b1wv", "{id}"),
            ("2022-06-16T19:58:25Z", "{seconds}"),
        ]
    ),
    labelbox!(
        "review.updated",
        Some("REVIEW_UPDATED"),
        "",
        "review.json",
        "a reviewed label",
        [
            ("cl4g555g81ltr07cka1a2b1wv", "{id}"),
            ("2022-06-16T19:58:25Z", "{seconds}"),
        ]
    ),
    labelbox!(
        "workflow.move",
        Some("WORKFLOW_ACTION"),
        "",
        "workflow_move.json",
        "a data row moved by hand",
        [
            ("clvmpaetz76ct0706730rfcq9", "{id}"),
            ("2024-05-06T17:18:48.797Z", "{millis}"),
        ]
    ),
    labelbox!(
        "workflow.approve",
        Some("WORKFLOW_ACTION"),
        "",
        "workflow_approve.json",
        "a data row approved",
        [
            ("cl9elx44f001i076k2pz84tw6", "{id}"),
            ("2023-01-20T12:06:01.421Z", "{millis}"),
        ]
    ),
    labelbox!(
        "model_run.created",
        None,
        "/model_run",
        "model_run.json",
        "the training of a model",
        [("0f2d5f5e-0000-4000-8000-0242ac120003", "{uuid}",)]
    ),
    label_studio!(
        "annotation.created",
        "annotation_created.json",
        "bounding boxes",
        [
            (
                "\"annotation\": {\"id\": 2,",
                "\"annotation\": {\"id\": {number},"
            ),
            ("2026-11-21T09:47:10.371814Z", "{micros}"),
            ("2026-11-21T09:47:10.371842Z", "{micros}"),
        ]
    ),
    label_studio!(
        "annotation.updated",
        "annotation_updated.json",
        "bounding boxes",
        [
            (
                "\"annotation\": {\"id\": 2,",
                "\"annotation\": {\"id\": {number},"
            ),
            ("2026-11-21T09:47:13.460854Z", "{micros}"),
        ]
    ),
    label_studio!(
        "annotation.deleted",
        "annotation_deleted.json",
        "one annotation",
        [(
            "\"annotations\": [{\"id\": 2}]",
            "\"annotations\": [{\"id\": {number}}]",
        )]
    ),
    label_studio!(
        "task.created",
        "task_created.json",
        "one task",
        [
            ("\"tasks\": [{\"id\": 1,", "\"tasks\": [{\"id\": {number},"),
            ("2026-11-21T09:47:08.674782Z", "{micros}"),
            ("2026-11-21T09:47:08.674810Z", "{micros}"),
        ]
    ),
    label_studio!(
        "task.deleted",
        "task_deleted.json",
        "one task",
        [(
            "\"tasks\": [{\"id\": 1}]",
            "\"tasks\": [{\"id\": {number}}]",
        )]
    ),
    label_studio!(
        "project.created",
        "project_created.json",
        "a project",
        [
            (
                "\"project\": {\"id\": 1,",
                "\"project\": {\"id\": {number},"
            ),
            ("2026-11-21T09:47:07.407475Z", "{micros}"),
            ("2026-11-21T09:47:07.407511Z", "{micros}"),
        ]
    ),
    label_studio!(
        "project.updated",
        "project_updated.json",
        "a project",
        [
            (
                "\"project\": {\"id\": 1,",
                "\"project\": {\"id\": {number},"
            ),
            ("2026-11-21T09:47:08.396975Z", "{micros}"),
        ]
    ),
    label_studio!(
        "project.deleted",
        "project_deleted.json",
        "a project",
        [(
            "\"project\": {\"id\": 1}",
            "\"project\": {\"id\": {number}}",
        )]
    ),
    label_studio!(
        "label_link.created",
        "label_link_created.json",
        "two links",
        [(
            "\"label_link\": [{\"id\": 1,",
            "\"label_link\": [{\"id\": {number},",
        )]
    ),
    label_studio!(
        "label_link.updated",
        "label_link_updated.json",
        "one link",
        [(
            "\"label_link\": {\"id\": 1,",
            "\"label_link\": {\"id\": {number},",
        )]
    ),
    label_studio!(
        "label_link.deleted",
        "label_link_deleted.json",
        "one link",
        [(
            "\"label_link\": {\"id\": 1}",
            "\"label_link\": {\"id\": {number}}",
        )]
    ),
    label_studio!(
        "review.created",
        "review_created.json",
        "a review (constructed)",
        [
            ("\"review\": {\"id\": 5,", "\"review\": {\"id\": {number},"),
            ("2026-11-21T09:47:21.100000Z", "{micros}"),
        ]
    ),
    label_studio!(
        "review.updated",
        "review_updated.json",
        "a review (constructed)",
        [
            ("\"review\": {\"id\": 5,", "\"review\": {\"id\": {number},"),
            ("2026-11-21T09:47:21.100000Z", "{micros}"),
        ]
    ),
    label_studio!(
        "review.deleted",
        "reviews_deleted.json",
        "a review (constructed)",
        [(
            "\"reviews\": [{\"id\": 5}]",
            "\"reviews\": [{\"id\": {number}}]",
        )]
    ),
    label_studio!(
        "training.started",
        "start_training.json",
        "Start Training was clicked",
        []
    ),
    labelbox!(
        "label_2020.created",
        Some("LABEL_CREATED"),
        "",
        "label_created_2020.json",
        "a label as of 2020",
        [
            ("ckfgcfsbi00003h5ziwnd8qt7", "{id}"),
            ("2020-09-24T04:56:08Z", "{seconds}"),
        ]
    ),
    label_studio!(
        "annotation_text.created",
        "annotation_unicode.json",
        "entities and a relation in Unicode text",
        [
            (
                "\"annotation\": {\"id\": 8,",
                "\"annotation\": {\"id\": {number},"
            ),
            ("2026-11-21T09:47:11.397263Z", "{micros}"),
            ("2026-11-21T09:47:11.397290Z", "{micros}"),
        ]
    ),
    label_studio!(
        "annotation_skipped.created",
        "annotation_skipped.json",
        "a skipped task",
        [
            (
                "\"annotation\": {\"id\": 12,",
                "\"annotation\": {\"id\": {number},"
            ),
            ("2026-11-21T09:47:12.258812Z", "{micros}"),
            ("2026-11-21T09:47:12.258832Z", "{micros}"),
        ]
    ),
    label_studio!(
        "annotations.created",
        "annotations_created.json",
        "two annotations from predictions",
        [(
            "\"annotation\": [{\"id\": 14,",
            "\"annotation\": [{\"id\": {number},"
        ),]
    ),
    label_studio!(
        "tasks.created",
        "tasks_imported.json",
        "an import of three tasks",
        [("\"tasks\": [{\"id\": 2,", "\"tasks\": [{\"id\": {number},"),]
    ),
    label_studio!(
        "task_surrogate.created",
        "task_lone_surrogate.json",
        "half a character, escaped",
        [(
            "\"tasks\": [{\"id\": 520,",
            "\"tasks\": [{\"id\": {number},",
        )]
    ),
    label_studio!(
        "task_numbers.created",
        "task_numbers.json",
        "numbers that no parser keeps",
        [(
            "\"tasks\": [{\"id\": 519,",
            "\"tasks\": [{\"id\": {number},",
        )]
    ),
    label_studio!(
        "action_alone.created",
        "action_alone.json",
        "sent without payload",
        []
    ),
];
