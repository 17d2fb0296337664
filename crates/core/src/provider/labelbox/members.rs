//! Picks out of a body what its description needs, for all shapes at once: which one it is, is known
//! only at the end.

use super::labels::{Labels, Projects};
use labelrelay_json::{Container, Interest, Visitor, Scalar, Text};
use crate::provider::ids::{set_id, set_text};

/// What stands in a body. An empty text is an absent one.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) id: String,
    pub(super) label: Label,
    pub(super) deleted: Option<bool>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    /// `project` and `dataRow` of v1, `data_row` of v2.
    pub(super) project: Thing,
    pub(super) data_row_v1: Thing,
    pub(super) data_row_v2: Thing,
    pub(super) projects: Option<Projects>,
    pub(super) action: String,
    pub(super) project_id: String,
    pub(super) data_row_ids: Option<Rows>,
    pub(super) timestamp: String,
    pub(super) model_id: String,
    pub(super) model_run_id: String,
    place: Place,
}

/// What `label` is: in v1 it is JSON within a string.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    #[default]
    Absent,
    Text,
    Object,
}

/// An object of which only the id matters.
#[derive(Debug, Default)]
pub(super) struct Thing {
    pub(super) is_object: bool,
    pub(super) id: String,
}

/// The rows that a workflow event moves.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Number of different rows; two of many.
    pub(super) count: u32,
    pub(super) first: String,
}

/// Where the scanner is.
#[derive(Debug, Default)]
struct Place {
    top: Top,
    at: At,
    label_id: String,
    label_updated_at: String,
}

/// The last key below the top, if it was one that matters where it stood.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Other,
    /// `id` in `project`, `dataRow`, `data_row`, or in a v2 label.
    Id,
    /// `labels` in a v2 project.
    Labels,
    /// `label_details` in a v2 label, and `updated_at` in those.
    Details,
    DetailsTime,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Top {
    #[default]
    Other,
    Id,
    Label,
    Deleted,
    CreatedAt,
    UpdatedAt,
    Project,
    DataRowV1,
    DataRowV2,
    Projects,
    Action,
    ProjectId,
    DataRowIds,
    Timestamp,
    ModelId,
    ModelRunId,
}

impl Members {
    fn top_key(&mut self, name: &[u8]) {
        self.place = Place::default();
        self.place.top = match name {
            b"id" => Top::Id,
            b"label" => Top::Label,
            b"deleted" => Top::Deleted,
            b"createdAt" => Top::CreatedAt,
            b"updatedAt" => Top::UpdatedAt,
            b"project" => Top::Project,
            b"dataRow" => Top::DataRowV1,
            b"data_row" => Top::DataRowV2,
            b"projects" => Top::Projects,
            b"action" => Top::Action,
            b"projectId" => Top::ProjectId,
            b"dataRowIds" => Top::DataRowIds,
            b"timestamp" => Top::Timestamp,
            b"modelId" => Top::ModelId,
            b"modelRunId" => Top::ModelRunId,
            _ => Top::Other,
        };
        match self.place.top {
            Top::Label => self.label = Label::Absent,
            Top::Deleted => self.deleted = None,
            Top::Projects => self.projects = None,
            Top::DataRowIds => self.data_row_ids = None,
            _ => {
                if let Some(thing) = self.thing() {
                    *thing = Thing::default();
                } else if let Some((text, _)) = self.text() {
                    text.clear();
                }
            }
        }
    }

    fn thing(&mut self) -> Option<&mut Thing> {
        match self.place.top {
            Top::Project => Some(&mut self.project),
            Top::DataRowV1 => Some(&mut self.data_row_v1),
            Top::DataRowV2 => Some(&mut self.data_row_v2),
            _ => None,
        }
    }

    /// The text of a scalar at the top, and whether it is an id.
    fn text(&mut self) -> Option<(&mut String, bool)> {
        match self.place.top {
            Top::Id => Some((&mut self.id, true)),
            Top::CreatedAt => Some((&mut self.created_at, false)),
            Top::UpdatedAt => Some((&mut self.updated_at, false)),
            Top::Action => Some((&mut self.action, false)),
            Top::ProjectId => Some((&mut self.project_id, true)),
            Top::Timestamp => Some((&mut self.timestamp, false)),
            Top::ModelId => Some((&mut self.model_id, true)),
            Top::ModelRunId => Some((&mut self.model_run_id, true)),
            _ => None,
        }
    }

    fn top_scalar(&mut self, scalar: Scalar<'_>) {
        match (self.place.top, scalar) {
            (Top::Label, Scalar::String(_)) => self.label = Label::Text,
            (Top::Deleted, Scalar::Bool(deleted)) => self.deleted = Some(deleted),
            _ => match self.text() {
                Some((id, true)) => set_id(id, scalar),
                Some((text, false)) => set_text(text, scalar),
                None => {}
            },
        }
    }

    /// A key in a v2 project, label, or label's details.
    fn key_below_projects(&mut self, depth: u32, name: &[u8]) {
        let Some(projects) = &mut self.projects else {
            return;
        };
        self.place.at = match (depth, name) {
            (2, _) => {
                projects.begin(&String::from_utf8_lossy(name));
                At::Other
            }
            (3, b"labels") => {
                *projects.labels() = Labels::default();
                At::Labels
            }
            (5, b"id") => {
                self.place.label_id.clear();
                At::Id
            }
            (5, b"label_details") => {
                self.place.label_updated_at.clear();
                At::Details
            }
            (6, b"updated_at") => {
                self.place.label_updated_at.clear();
                At::DetailsTime
            }
            _ => At::Other,
        };
    }

    fn end_label(&mut self) {
        if let Some(projects) = &mut self.projects {
            projects
                .labels()
                .add(&self.place.label_id, &self.place.label_updated_at);
        }
        self.place.label_id.clear();
        self.place.label_updated_at.clear();
    }
}

impl Visitor for Members {
    fn key(&mut self, depth: u32, key: Text<'_>) {
        let name = key.name();
        if depth == 1 {
            self.top_key(&name);
        } else if self.place.top == Top::Projects {
            self.key_below_projects(depth, &name);
        } else if depth == 2 {
            self.place.at = if *name == *b"id" { At::Id } else { At::Other };
            if let (At::Id, Some(thing)) = (self.place.at, self.thing()) {
                thing.id.clear();
            }
        }
    }

    fn scalar(&mut self, depth: u32, scalar: Scalar<'_>) {
        match (depth, self.place.top) {
            (1, _) => self.top_scalar(scalar),
            (2, Top::DataRowIds) => {
                let mut id = String::new();
                set_id(&mut id, scalar);
                if let Some(rows) = &mut self.data_row_ids {
                    if rows.count == 0 {
                        rows.count = 1;
                        rows.first = id;
                    } else if rows.first != id {
                        rows.count = 2;
                    }
                }
            }
            (2, _) if self.place.at == At::Id => {
                if let Some(thing) = self.thing() {
                    set_id(&mut thing.id, scalar);
                }
            }
            // An element of `labels` that is no object is still one.
            (4, Top::Projects) => self.end_label(),
            (5, Top::Projects) if self.place.at == At::Id => {
                set_id(&mut self.place.label_id, scalar);
            }
            (6, Top::Projects) if self.place.at == At::DetailsTime => {
                set_text(&mut self.place.label_updated_at, scalar);
            }
            _ => {}
        }
    }

    fn open(&mut self, depth: u32, container: Container) -> Interest {
        let is_object = container == Container::Object;
        let wanted = match (depth, self.place.top) {
            (0, _) | (2, Top::Projects) => is_object,
            (1, Top::Label) => {
                if is_object {
                    self.label = Label::Object;
                }
                false
            }
            (1, Top::Projects) => {
                self.projects = is_object.then(Projects::default);
                is_object
            }
            (1, Top::DataRowIds) => {
                self.data_row_ids = (!is_object).then(Rows::default);
                !is_object
            }
            (1, _) => match self.thing() {
                Some(thing) => {
                    thing.is_object = is_object;
                    is_object
                }
                None => false,
            },
            (3, Top::Projects) => self.place.at == At::Labels && !is_object,
            (4, Top::Projects) => {
                if !is_object {
                    self.end_label();
                }
                is_object
            }
            (5, Top::Projects) => self.place.at == At::Details && is_object,
            _ => false,
        };
        if wanted {
            Interest::Watch
        } else {
            Interest::Skip
        }
    }

    fn close(&mut self, depth: u32) {
        if depth == 4 && self.place.top == Top::Projects {
            self.end_label();
        }
    }
}
