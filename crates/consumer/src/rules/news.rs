//! Decides which changes are news: "Applying changes" in `docs/changes.md`.

use super::progress::Under;
use crate::state::Known;
use labelrelay_event::changes::{Changed, Key, Order, Removed};
use std::collections::HashMap;

/// Tells whether a change is news. `known` has the thing and everything that holds it, however indirectly.
pub(super) fn is_news(
    changed: &Changed<'_>,
    known: &HashMap<Key<'static>, Known>,
    is_replay: bool,
) -> bool {
    let version = changed.version.as_deref().unwrap_or_default();
    let is_gone = |one: &Known| !one.until.is_empty() && version <= one.until.as_str();
    if known.values().any(is_gone) {
        return false;
    }
    let Some(mine) = known.get(&changed.key).filter(|mine| mine.is_there) else {
        return true;
    };
    match (&changed.version, &mine.version) {
        (Some(new), Some(old)) if new == old => changed.order == Order::Unknown || is_replay,
        (Some(new), Some(old)) => new > old,
        _ => true,
    }
}

/// Knowledge of a thing once a change of it was handled.
pub(super) fn after(changed: &Changed<'static>, known: &Known) -> Known {
    let older = known.version.as_ref().filter(|_| known.is_there);
    let version = match (&changed.version, older) {
        (Some(new), Some(old)) => Some(new.max(old)),
        (new, old) => new.as_ref().or(old),
    };
    Known {
        version: version.cloned(),
        is_there: true,
        until: known.until.clone(),
        parents: if changed.parents.is_empty() {
            known.parents.clone()
        } else {
            changed.parents.to_vec()
        },
    }
}

/// Tells whether a removal is news: of what is not there any more, only a removal of its own is. `under` is what held it,
/// where the removal follows from that one's.
pub(super) fn is_gone(removed: &Removed<'_>, known: &Known, under: Option<&Under>) -> bool {
    if under.is_some_and(|under| !known.is_there || !is_held(known, under)) {
        return false;
    }
    !known.is_there || is_of_before(removed, known)
}

/// Tells whether a thing went with what held it before this. Something that it held may be left: a handler failed then, or the
/// process ended.
pub(super) fn has_gone(removed: &Removed<'_>, known: &Known, under: Option<&Under>) -> bool {
    under.is_some_and(|under| !known.is_there && is_held(known, under))
        && is_of_before(removed, known)
}

fn is_held(known: &Known, under: &Under) -> bool {
    let Under { holder, first } = under;
    // It says itself that another one of that kind holds it: the id of what held it was given again there.
    let is_other = |it: &Key<'static>| it.kind == first.kind && it != first;
    let is_elsewhere = first != holder && known.parents.iter().any(is_other);
    !is_elsewhere && known.parents.contains(holder)
}

fn is_of_before(removed: &Removed<'_>, known: &Known) -> bool {
    known.version.as_deref().unwrap_or_default() <= &*removed.until
}
