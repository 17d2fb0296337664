//! Picks out of a body what its description needs, for all shapes at once: which one it is, is known
//! only at the end.

use super::labels::{Labels, Projects};
use crate::provider::extractor::{ExtractedValues, Members, Node};
use crate::provider::ids::{set_id, set_text};
use labelrelay_json::{Container, Scalar};

/// Values of a body. An empty text is an absent one.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) id: String,
    pub(super) label: Label,
    pub(super) deleted: Option<bool>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    /// `project` and `dataRow` of v1, `data_row` of v2.
    pub(super) project: EntityRef,
    pub(super) data_row_v1: EntityRef,
    pub(super) data_row_v2: EntityRef,
    pub(super) projects: Option<Projects>,
    pub(super) action: String,
    pub(super) project_id: String,
    pub(super) data_row_ids: Option<Rows>,
    pub(super) timestamp: String,
    pub(super) model_id: String,
    pub(super) model_run_id: String,
    /// The label of a v2 body that is being read.
    label_id: String,
    label_updated_at: String,
}

/// The member `label`: in v1 it is JSON within a string.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    #[default]
    Absent,
    Text,
    Object,
}

/// An object of which only the id matters.
#[derive(Debug, Default)]
pub(super) struct EntityRef {
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

impl Rows {
    fn add(&mut self, id: String) {
        if self.count == 0 {
            self.count = 1;
            self.first = id;
        } else if self.first != id {
            self.count = 2;
        }
    }
}

/// A member of the outermost object that is an id or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    CreatedAt,
    UpdatedAt,
    Action,
    ProjectId,
    Timestamp,
    ModelId,
    ModelRunId,
}

/// An entity beside others in the outermost object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entity {
    Project,
    DataRowV1,
    DataRowV2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Document,
    Field(Field),
    Label,
    Deleted,
    Entity(Entity),
    EntityId(Entity),
    DataRowIds,
    DataRowId,
    /// `projects` of v2, one of them by its id, its labels, and one of those.
    Projects,
    ProjectOfV2,
    Labels,
    LabelOfV2,
    LabelId,
    LabelDetails,
    LabelUpdatedAt,
}

const fn field(name: &'static str, field: Field) -> (&'static str, Node<Slot>) {
    (name, Node::leaf(Slot::Field(field)))
}

static BODY: Node<Slot> = Node::object(
    Slot::Document,
    Members::Named(&[
        field("id", Field::Id),
        ("label", Node::leaf(Slot::Label)),
        ("deleted", Node::leaf(Slot::Deleted)),
        field("createdAt", Field::CreatedAt),
        field("updatedAt", Field::UpdatedAt),
        (
            "project",
            Node::object(
                Slot::Entity(Entity::Project),
                Members::Named(&[("id", Node::leaf(Slot::EntityId(Entity::Project)))]),
            ),
        ),
        (
            "dataRow",
            Node::object(
                Slot::Entity(Entity::DataRowV1),
                Members::Named(&[("id", Node::leaf(Slot::EntityId(Entity::DataRowV1)))]),
            ),
        ),
        (
            "data_row",
            Node::object(
                Slot::Entity(Entity::DataRowV2),
                Members::Named(&[("id", Node::leaf(Slot::EntityId(Entity::DataRowV2)))]),
            ),
        ),
        (
            "projects",
            Node::object(Slot::Projects, Members::Any(&PROJECT)),
        ),
        field("action", Field::Action),
        field("projectId", Field::ProjectId),
        (
            "dataRowIds",
            Node::array(Slot::DataRowIds, &Node::leaf(Slot::DataRowId)),
        ),
        field("timestamp", Field::Timestamp),
        field("modelId", Field::ModelId),
        field("modelRunId", Field::ModelRunId),
    ]),
);

/// A project of v2, with its labels.
static PROJECT: Node<Slot> = Node::object(
    Slot::ProjectOfV2,
    Members::Named(&[("labels", Node::array(Slot::Labels, &LABEL))]),
);

static LABEL: Node<Slot> = Node::object(
    Slot::LabelOfV2,
    Members::Named(&[
        ("id", Node::leaf(Slot::LabelId)),
        (
            "label_details",
            Node::object(
                Slot::LabelDetails,
                Members::Named(&[("updated_at", Node::leaf(Slot::LabelUpdatedAt))]),
            ),
        ),
    ]),
);

impl Body {
    fn field(&mut self, field: Field) -> &mut String {
        match field {
            Field::Id => &mut self.id,
            Field::CreatedAt => &mut self.created_at,
            Field::UpdatedAt => &mut self.updated_at,
            Field::Action => &mut self.action,
            Field::ProjectId => &mut self.project_id,
            Field::Timestamp => &mut self.timestamp,
            Field::ModelId => &mut self.model_id,
            Field::ModelRunId => &mut self.model_run_id,
        }
    }

    fn entity(&mut self, entity: Entity) -> &mut EntityRef {
        match entity {
            Entity::Project => &mut self.project,
            Entity::DataRowV1 => &mut self.data_row_v1,
            Entity::DataRowV2 => &mut self.data_row_v2,
        }
    }

    fn end_label(&mut self) {
        if let Some(projects) = &mut self.projects {
            let labels = projects.labels();
            labels.add(&self.label_id, &self.label_updated_at);
        }
        self.label_id.clear();
        self.label_updated_at.clear();
    }
}

impl ExtractedValues for Body {
    type Slot = Slot;

    const ROOT: &'static Node<Slot> = &BODY;

    fn key(&mut self, slot: Slot, name: &[u8]) {
        match slot {
            Slot::Field(field) => self.field(field).clear(),
            Slot::Label => self.label = Label::Absent,
            Slot::Deleted => self.deleted = None,
            Slot::Entity(entity) => *self.entity(entity) = EntityRef::default(),
            Slot::EntityId(entity) => self.entity(entity).id.clear(),
            Slot::DataRowIds => self.data_row_ids = None,
            Slot::Projects => self.projects = None,
            Slot::ProjectOfV2 => {
                if let Some(projects) = &mut self.projects {
                    projects.begin(&String::from_utf8_lossy(name));
                }
            }
            Slot::Labels => {
                if let Some(projects) = &mut self.projects {
                    *projects.labels() = Labels::default();
                }
            }
            Slot::LabelId => self.label_id.clear(),
            Slot::LabelDetails | Slot::LabelUpdatedAt => self.label_updated_at.clear(),
            Slot::Document | Slot::DataRowId | Slot::LabelOfV2 => {}
        }
    }

    fn scalar(&mut self, slot: Slot, scalar: Scalar<'_>) {
        match (slot, scalar) {
            (
                Slot::Field(
                    field
                    @ (Field::CreatedAt | Field::UpdatedAt | Field::Action | Field::Timestamp),
                ),
                text,
            ) => set_text(self.field(field), text),
            (Slot::Field(field), id) => set_id(self.field(field), id),
            (Slot::Label, Scalar::String(_)) => self.label = Label::Text,
            (Slot::Deleted, Scalar::Bool(deleted)) => self.deleted = Some(deleted),
            (Slot::EntityId(entity), id) => set_id(&mut self.entity(entity).id, id),
            (Slot::DataRowId, scalar) => {
                let mut id = String::new();
                set_id(&mut id, scalar);
                if let Some(rows) = &mut self.data_row_ids {
                    rows.add(id);
                }
            }
            // An element of `labels` that is no object is still one.
            (Slot::LabelOfV2, _) => self.end_label(),
            (Slot::LabelId, id) => set_id(&mut self.label_id, id),
            (Slot::LabelUpdatedAt, time) => set_text(&mut self.label_updated_at, time),
            _ => {}
        }
    }

    fn open(&mut self, slot: Slot, container: Container) {
        let is_object = container == Container::Object;
        match slot {
            Slot::Label if is_object => self.label = Label::Object,
            Slot::Entity(entity) => self.entity(entity).is_object = is_object,
            Slot::DataRowIds => self.data_row_ids = (!is_object).then(Rows::default),
            Slot::Projects => self.projects = is_object.then(Projects::default),
            Slot::LabelOfV2 if !is_object => self.end_label(),
            _ => {}
        }
    }

    fn close(&mut self, slot: Slot, _container: Container) {
        if slot == Slot::LabelOfV2 {
            self.end_label();
        }
    }
}
