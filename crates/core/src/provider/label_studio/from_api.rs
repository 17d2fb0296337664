//! A thing as Label Studio's API returns it, read as the webhook that would have carried it.

use super::action::{self, Kind, Verb};
use super::inspector::Inspector;
use crate::describe::Inspection;
use crate::identity::Identity;
use crate::ledger::Change;
use labelrelay_event::Digest;

/// The version of a thing that is gone: there is one deletion of it, however often that is found out.
const DELETED: &str = "deleted";

/// The version of a task whose time of creation tells less than its id does: it is created once, and what else the
/// API says of it moves.
const CREATED: &str = "created";

/// Describes `entity` by the code that describes webhooks, so that an event that was found gets the id,
/// the subject and the version of the one that was not delivered.
pub(in crate::provider) fn describe_entity(
    kind: &str,
    change: Change,
    entity: &[u8],
) -> Option<Inspection> {
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
    let description = &mut inspection.description;
    if let Some(id) = description.subject.clone() {
        let version = match (&description.identity, change) {
            (_, Change::Deleted) => DELETED.to_owned(),
            (Identity::Version { .. }, _) => return Some(inspection),
            // There is no delivery that could tell two of them apart, and every event needs an id. That of the live
            // event is not known.
            _ if kind == Kind::Task => CREATED.to_owned(),
            _ => Digest::of(entity).to_hex(),
        };
        description.identity = Identity::Version {
            kind: kind.as_str(),
            id,
            version,
        };
    }
    Some(inspection)
}
