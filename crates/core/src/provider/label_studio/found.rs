//! A thing as Label Studio's API returns it, read as the webhook that would have carried it.

use super::Inspector;
use super::action::{self, Kind, Verb};
use crate::describe::Inspection;
use crate::found::Change;
use crate::identity::Identity;

/// The version of a thing that is gone: there is one deletion of it, however often that is found out.
const DELETED: &str = "deleted";

/// Describes `entity` by the code that describes webhooks, so that an event that was found gets the id,
/// the subject and the version of the one that was not delivered.
pub(in crate::provider) fn found(kind: &str, change: Change, entity: &[u8]) -> Option<Inspection> {
    let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    let verb = match change {
        // A task's update time moves by itself, and no webhook reports its changes: there is its creation, and
        // its end.
        Change::Updated if kind == Kind::Task => Verb::Created,
        Change::Created => Verb::Created,
        Change::Updated => Verb::Updated,
        Change::Deleted => Verb::Deleted,
    };
    let mut inspector = Inspector::new();
    let action = action::name(kind, verb);
    inspector.update(format!(r#"{{"action":"{action}","{}":"#, kind.as_str()).as_bytes());
    inspector.update(entity);
    inspector.update(b"}");
    let mut inspection = inspector.finish();
    if change == Change::Deleted
        && let Some(id) = inspection.description.subject.clone()
    {
        inspection.description.identity = Identity::Version {
            kind: kind.as_str(),
            id,
            version: DELETED.to_owned(),
        };
    }
    Some(inspection)
}
