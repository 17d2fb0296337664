//! A thing as an item of the table.

use super::requests::{Change, Item};
use crate::state::key_text::keys_of;
use crate::state::{Known, StateError};

/// The end of a lease, with nothing new known of the thing.
pub(super) fn given_back(name: &str, owner: &str) -> Change {
    Change::of(&pk_of(name), "REMOVE #o, #l").text(":owner", owner)
}

/// The item of a thing, by its first key.
pub(super) fn pk_of(name: &str) -> String {
    format!("t#{name}")
}

/// Knowledge of the thing; `None` if there is no such item.
pub(super) fn known(item: &Item) -> Result<Option<Known>, StateError> {
    if !item.is_there() {
        return Ok(None);
    }
    Ok(Some(Known {
        version: item.text("version").map(str::to_owned),
        is_there: item.truth("is_there"),
        until: item.text("until").unwrap_or_default().to_owned(),
        parents: keys_of(item.text("parents").unwrap_or("[]"))?,
    }))
}

/// Knowledge of a thing without what its lease has just written; of a removal that was noted since, `until` is new.
pub(super) fn without_lease(before: Option<&Known>, until: String) -> Option<Known> {
    let mut known = match before {
        None if until.is_empty() => return None,
        before => before.cloned().unwrap_or_default(),
    };
    if until > known.until {
        known.until = until;
    }
    Some(known)
}

/// Tells whether nobody has the thing, and this is known of it.
pub(super) fn is_left_as(item: &Item, left: &Known) -> Result<bool, StateError> {
    let is_free = item.text("owner").is_none();
    let is_known = |now: Known| {
        now.version == left.version && now.is_there == left.is_there && now.parents == left.parents
    };
    Ok(is_free && known(item)?.is_some_and(is_known))
}
