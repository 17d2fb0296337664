//! Decides which changes are news: "Applying changes" in `docs/changes.md`.

use super::progress::Under;
use crate::state::Known;
use labelrelay_core::time;
use labelrelay_event::Attributes;
use labelrelay_event::changes::{Changed, Key, Kind, Order, Removed};
use std::borrow::Cow;
use std::collections::HashMap;

/// The version that a change is compared by. A completion has none of its own, and the id of its task may be given again: so
/// the receipt of its event stands for it.
pub(super) fn dated<'v>(changed: &'v Changed<'_>, attributes: &Attributes) -> Option<Cow<'v, str>> {
    if changed.version.is_none() && changed.key.kind == Kind::Completion {
        let received = time::parse(&attributes.receivedtime)?;
        return Some(Cow::Owned(time::sequence(received)));
    }
    changed.version.as_deref().map(Cow::Borrowed)
}

/// Tells whether a change is news. `known` has the thing and everything that holds it, however indirectly; `dated` is the
/// change's.
pub(super) fn is_news(
    changed: &Changed<'_>,
    dated: Option<&str>,
    known: &HashMap<Key<'static>, Known>,
    is_replay: bool,
) -> bool {
    let version = dated.unwrap_or_default();
    let is_gone = |one: &Known| !one.until.is_empty() && version <= one.until.as_str();
    if known.values().any(is_gone) {
        return false;
    }
    let Some(mine) = known.get(&changed.key).filter(|mine| mine.is_there) else {
        return true;
    };
    match (dated, mine.version.as_deref()) {
        (Some(new), Some(old)) if new == old => changed.order == Order::Unknown || is_replay,
        (Some(new), Some(old)) => new > old,
        _ => true,
    }
}

/// Knowledge of a thing once a change of it was handled. `dated` is the change's.
pub(super) fn after(changed: &Changed<'static>, dated: Option<&str>, known: &Known) -> Known {
    let older = known.version.as_deref().filter(|_| known.is_there);
    Known {
        // `None` is the least.
        version: dated.max(older).map(str::to_owned),
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
