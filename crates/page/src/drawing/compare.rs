//! The regions of two versions side by side.

use super::forms::kind_of;
use super::view::State;
use labelrelay_event::changes::Region;
use std::collections::HashMap;

/// What a region is found again by: its id, or else what was sent. Parts of one region can share its id.
type Identity<'r> = (&'r str, &'static str, Option<&'r str>);

fn identity<'r>(region: &'r Region<'_>) -> Identity<'r> {
    let id = region.id.as_deref();
    (
        id.unwrap_or_else(|| region.raw.get()),
        kind_of(&region.shape),
        region.name.as_deref(),
    )
}

/// Every region with its state; those that are only in the version before come first, to be drawn below the others.
pub(super) fn states<'r, 'a>(
    now: &'r [Region<'a>],
    before: Option<&'r [Region<'a>]>,
) -> Vec<(State, &'r Region<'a>)> {
    let Some(before) = before else {
        return now.iter().map(|region| (State::Plain, region)).collect();
    };
    let known: HashMap<_, _> = before
        .iter()
        .map(|region| (identity(region), region))
        .collect();
    let mut states = Vec::with_capacity(now.len());
    let mut found: HashMap<_, State> = HashMap::new();
    for region in now {
        let identity = identity(region);
        let state = match known.get(&identity) {
            None => State::New,
            Some(known) if *known == region => State::Same,
            Some(_) => State::Changed,
        };
        found.insert(identity, state);
        states.push((state, region));
    }
    let mut all: Vec<_> = before
        .iter()
        .filter_map(|region| match found.get(&identity(region)) {
            None => Some((State::Gone, region)),
            Some(State::Changed) => Some((State::Was, region)),
            Some(_) => None,
        })
        .collect();
    all.extend(states);
    all
}
