//! Tables, and the statements that fill them.

use crate::store::parts;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bytes,
    Whole,
    Real,
    /// The part of the dataset that a task is in; columns 0 to 2 name the task.
    Split,
    /// Whoever made an annotation.
    Author,
    /// An address.
    Address,
    /// The address of a task's medium, as the other formats say it; columns 0 to 2 name the task.
    Media,
    /// JSON of the platform that says nothing of authors.
    Data,
    /// JSON of the platform that may say who made an annotation.
    Raw,
    /// A text that is about other things than the addresses in it.
    Prose,
}

/// A table: its name, its rows, and the names and kinds of their columns.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The statement, up to what says which rows in what order.
    sql: &'static str,
    pub(super) rows: Rows,
    pub(super) columns: &'static [(&'static str, Kind)],
}

/// Rows of a file.
pub(super) enum Rows {
    /// All, in the order of these columns.
    All(&'static str),
    /// Those of a part, in the order of the tasks, and then of these columns.
    OfPart {
        then: &'static str,
        /// The revision in which they changed last.
        changed: fn(&parts::Part) -> i64,
    },
}

impl Table {
    pub(super) fn statement(&self) -> String {
        match self.rows {
            Rows::All(order) => format!("{} ORDER BY {order}", self.sql),
            Rows::OfPart { then, .. } => {
                let (within, key) = (parts::within(), parts::key("task_id"));
                format!("{} WHERE {within} ORDER BY {key}{then}", self.sql)
            }
        }
    }
}

fn of_annotations(part: &parts::Part) -> i64 {
    part.annotations
}

fn of_tasks(part: &parts::Part) -> i64 {
    part.tasks
}

use Kind::{Address, Author, Bytes, Data, Media, Prose, Raw, Real, Split as Part, Text, Whole};

pub(super) const TABLES: [Table; 6] = [
    Table {
        name: "annotations",
        sql: "SELECT source, project_id, task_id, kind, annotation_id, version, ordering, state, deleted_by, author,
                  created_at, updated_at, skipped, ground_truth, workflow,
                  (SELECT state FROM reviewed WHERE annotation = row), consensus, benchmark, event_id, received_at, origin,
                  sha256, raw
              FROM annotations",
        rows: Rows::OfPart {
            then: ", kind, annotation_id",
            changed: of_annotations,
        },
        columns: &[
            ("source", Text),
            ("project_id", Text),
            ("task_id", Text),
            ("kind", Text),
            ("annotation_id", Text),
            ("version", Text),
            ("ordering", Text),
            ("state", Text),
            ("deleted_by", Text),
            ("author", Author),
            ("created_at", Text),
            ("updated_at", Text),
            ("skipped", Whole),
            ("ground_truth", Whole),
            ("workflow", Text),
            ("review", Text),
            ("consensus", Real),
            ("benchmark", Real),
            ("event_id", Text),
            ("received_at", Text),
            ("origin", Text),
            ("sha256", Text),
            ("raw", Raw),
        ],
    },
    Table {
        name: "regions",
        sql: "SELECT source, project_id, task_id, annotations.kind, annotation_id, position, region_id, regions.kind,
                  (SELECT class_id FROM classes WHERE classes.name = json_extract(labels, '$[0]')),
                  json_extract(labels, '$[0]'), labels, regions.name, unit, x, y, width, height, rotation, points, rle,
                  mask_url, begins, ends, channel, text, image_width, image_height, item, parent_id, regions.raw,
                  regions.frame
              FROM annotations CROSS JOIN regions ON annotations.row = annotation",
        rows: Rows::OfPart {
            then: ", annotations.kind, annotation_id, position",
            changed: of_annotations,
        },
        columns: &[
            ("source", Text),
            ("project_id", Text),
            ("task_id", Text),
            ("annotation_kind", Text),
            ("annotation_id", Text),
            ("position", Whole),
            ("region_id", Text),
            ("kind", Text),
            ("class_id", Whole),
            ("label", Text),
            ("labels", Text),
            ("name", Text),
            ("unit", Text),
            ("x", Real),
            ("y", Real),
            ("width", Real),
            ("height", Real),
            ("rotation", Real),
            ("points", Text),
            ("rle", Bytes),
            ("mask_url", Address),
            ("start", Real),
            ("end", Real),
            ("channel", Whole),
            ("text", Text),
            ("image_width", Whole),
            ("image_height", Whole),
            ("item", Whole),
            ("parent_id", Text),
            ("raw", Raw),
            ("frame", Whole),
        ],
    },
    Table {
        name: "classifications",
        sql: "SELECT source, project_id, task_id, kind, annotation_id, position, name, answers, region_id, frame, item,
                  parents
              FROM annotations CROSS JOIN classifications ON annotations.row = annotation",
        rows: Rows::OfPart {
            then: ", kind, annotation_id, position",
            changed: of_annotations,
        },
        columns: &[
            ("source", Text),
            ("project_id", Text),
            ("task_id", Text),
            ("annotation_kind", Text),
            ("annotation_id", Text),
            ("position", Whole),
            ("name", Text),
            ("values", Text),
            ("region_id", Text),
            ("frame", Whole),
            ("item", Whole),
            ("parents", Text),
        ],
    },
    Table {
        name: "tasks",
        sql: "SELECT source, project_id, task_id, external_id, media_url, width, height, workflow_state, workflow_at,
                  data, completed_at, deleted, NULL, agreement
              FROM tasks",
        rows: Rows::OfPart {
            then: "",
            changed: of_tasks,
        },
        columns: &[
            ("source", Text),
            ("project_id", Text),
            ("task_id", Text),
            ("external_id", Text),
            ("media_url", Media),
            ("width", Whole),
            ("height", Whole),
            ("workflow_state", Text),
            ("workflow_at", Text),
            ("data", Data),
            ("completed_at", Text),
            ("deleted", Whole),
            ("split", Part),
            ("agreement", Real),
        ],
    },
    Table {
        name: "classes",
        sql: "SELECT class_id, name, projects, first_seen, retired, schema_id FROM classes",
        rows: Rows::All("class_id"),
        columns: &[
            ("class_id", Whole),
            ("name", Text),
            ("projects", Text),
            ("first_seen", Text),
            ("retired", Text),
            ("schema_id", Text),
        ],
    },
    Table {
        name: "projects",
        sql: "SELECT source, project_id, seen_at, title, label_config FROM projects",
        rows: Rows::All("source, project_id, seen_at"),
        columns: &[
            ("source", Text),
            ("project_id", Text),
            ("seen_at", Text),
            ("title", Text),
            ("label_config", Prose),
        ],
    },
];

/// The snapshots that are there, and the last ones that were, with the last comparison of what is in them with the platform. It is no part of a
/// snapshot, for it changes after each.
pub(super) const SNAPSHOTS: Table = Table {
    name: "snapshots",
    sql: "SELECT snapshots.number, snapshots.at, json_extract(summary, '$.path'), json_extract(summary, '$.digest'),
              options, json_extract(summary, '$.counts'), json_extract(summary, '$.counts.annotations'),
              json_extract(summary, '$.counts.samples'), json_extract(summary, '$.counts.classes'),
              json_extract(summary, '$.counts.rejected'), verdicts.at, equal, missing, nullif(extra, -1), different,
              json_extract(summary, '$.program'), json_extract(summary, '$.inputs')
          FROM snapshots LEFT JOIN verdicts ON verdicts.number =
              (SELECT max(number) FROM verdicts WHERE verdicts.revision = snapshots.revision)",
    rows: Rows::All("snapshots.number"),
    columns: &[
        ("number", Whole),
        ("at", Text),
        ("path", Text),
        ("digest", Text),
        ("options", Text),
        ("counts", Text),
        ("annotations", Whole),
        ("samples", Whole),
        ("classes", Whole),
        ("rejected", Whole),
        ("verified_at", Text),
        ("equal", Whole),
        ("missing", Whole),
        ("extra", Whole),
        ("different", Whole),
        ("program", Text),
        ("inputs", Text),
    ],
};
