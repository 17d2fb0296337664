//! The items of an annotation's `result` to regions, classifications and relations.
//!
//! Items with one id belong together: a shape, its labels, and answers about it.

use super::answers::{all_texts, classification, relation};
use super::geometry::shape;
use super::item::{Item, labels_of};
use super::task_texts::TaskTexts;
use crate::changes::marks::Marks;
use crate::json::{Index, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::Arc;

/// Reads a `result`; `beside` are the texts of the task, if the event has them.
pub(super) fn read_result<'a>(
    result: Value<'_, 'a>,
    beside: Option<&TaskTexts<'_, 'a>>,
) -> Marks<'a> {
    let left = beside.map(TaskTexts::left);
    if let Some(marks) = read_distinct(result, beside) {
        return marks;
    }
    // What was compared in vain is compared again.
    if let Some((beside, left)) = beside.zip(left) {
        beside.set_left(left);
    }
    read_grouped(result, beside)
}

/// Reads a `result` in one go, if no two items have one id. Where two have, that mostly shows early: answers about a region
/// follow it.
fn read_distinct<'a>(
    result: Value<'_, 'a>,
    beside: Option<&TaskTexts<'_, 'a>>,
) -> Option<Marks<'a>> {
    let mut marks = Marks::default();
    let count = result.items().count();
    marks.regions.reserve(count);
    // Hashes in place of ids: two ids with one hash are only read the longer way. Not for all of them at once, if they are very
    // many: they may have no id.
    let hasher = RandomState::new();
    let mut ids: HashSet<u64, BuildHasherDefault<Itself>> =
        HashSet::with_capacity_and_hasher(count.min(MOST_AT_ONCE), BuildHasherDefault::default());
    let mut item = Item::new(result);
    for json in result.items() {
        item.read(json);
        if let Some(id) = item.id()
            && !ids.insert(hasher.hash_one(id))
        {
            return None;
        }
        read_alone(&item, beside, &mut marks);
    }
    Some(marks)
}

/// The hash of a number that is one already.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        // Nothing but numbers comes here; of anything else, this is a hash too.
        self.0 = bytes
            .iter()
            .fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn read_grouped<'a>(result: Value<'_, 'a>, beside: Option<&TaskTexts<'_, 'a>>) -> Marks<'a> {
    let mut marks = Marks::default();
    let groups = Groups::of(result);
    marks.regions.reserve(groups.firsts.len());
    for first in groups.firsts.iter().copied() {
        let mut items = groups.items(first);
        match (items.next(), items.next()) {
            (Some(one), None) => read_alone(&Item::new(one), beside, &mut marks),
            (one, two) => {
                let items = one.into_iter().chain(two).chain(items);
                let items: Vec<_> = items.map(Item::new).collect();
                read_group(&items, beside, &mut marks);
            }
        }
    }
    marks
}

/// Ids that there is room for at the beginning, at most.
const MOST_AT_ONCE: usize = 1 << 16;

/// Items by their id; an item without one stands alone.
struct Groups<'d, 'a> {
    /// Each item, and the next one of its group.
    items: Vec<(Value<'d, 'a>, Option<usize>)>,
    /// The first item of each group, in their order.
    firsts: Vec<usize>,
}

impl<'d, 'a> Groups<'d, 'a> {
    fn of(result: Value<'d, 'a>) -> Self {
        let mut items = Vec::with_capacity(result.items().count());
        items.extend(result.items().map(|item| (item, None)));
        let mut firsts = Vec::with_capacity(items.len());
        // Not for all of them at once, if they are very many: they may have no id.
        let mut lasts: HashMap<Cow<'a, str>, usize> =
            HashMap::with_capacity(items.len().min(MOST_AT_ONCE));
        for at in 0..items.len() {
            let Some((item, _)) = items.get(at) else {
                break;
            };
            let id = item.member("id").and_then(Value::identifier);
            let last = id.and_then(|id| lasts.insert(id, at));
            match last.and_then(|last| items.get_mut(last)) {
                Some((_, next)) => *next = Some(at),
                None => firsts.push(at),
            }
        }
        Self { items, firsts }
    }

    /// The items of the group that begins here.
    fn items(&self, first: usize) -> impl Iterator<Item = Value<'d, 'a>> {
        let mut next = Some(first);
        std::iter::from_fn(move || {
            let (item, behind) = self.items.get(next?)?;
            next = *behind;
            Some(*item)
        })
    }
}

/// Reads an item that is a group by itself. Nearly all regions are, and there may be thousands.
fn read_alone<'a>(item: &Item<'_, 'a>, beside: Option<&TaskTexts<'_, 'a>>, marks: &mut Marks<'a>) {
    if item.is_answer() || item.is_relation() {
        read_group(std::slice::from_ref(item), beside, marks);
        return;
    }
    let region = item.region(labels_of(&[item]), shape(item, beside));
    marks.regions.push(region);
}

fn read_group<'a>(
    group: &[Item<'_, 'a>],
    beside: Option<&TaskTexts<'_, 'a>>,
    marks: &mut Marks<'a>,
) {
    let drawn = group
        .iter()
        .find(|item| !item.is_answer() && !item.is_relation());
    // Names of many members are not to be looked through again for each of many items.
    let members = match (drawn.and_then(|item| item.value.as_ref()), group) {
        (Some(value), [_, _, ..]) => value.object().members(),
        _ => Vec::new(),
    };
    let members: Members<'_, '_> = members
        .into_iter()
        .map(|(key, value)| (key.exact(), value))
        .collect();
    let is_drawn = |item: &Item<'_, '_>| {
        drawn.is_some_and(|drawn| drawn.json.object().is_same(item.json.object()))
    };
    let (of_region, others): (Vec<_>, Vec<_>) = group
        .iter()
        .partition(|item| is_drawn(item) || adds_labels_alone(item, &members));
    let region = drawn.map(|item| item.region(labels_of(&of_region), shape(item, beside)));
    let id = region.as_ref().and_then(|region| region.id.clone());
    marks.regions.extend(region);
    for item in others {
        if item.is_answer()
            && let Some(answers) = classification(item, id.as_deref().map(Arc::from))
        {
            marks.classifications.push(answers);
        } else if item.is_relation()
            && let Some(relation) = relation(item)
        {
            marks.relations.push(relation);
        } else {
            marks.regions.push(item.other());
        }
    }
}

type Members<'d, 'a> = HashMap<Cow<'d, [u8]>, Value<'d, 'a>>;

/// Tells whether an item beside a region says nothing but its labels: the rest of its `value` is in the region's too.
fn adds_labels_alone(item: &Item<'_, '_>, region: &Members<'_, '_>) -> bool {
    let has_labels = item
        .member("labels")
        .is_some_and(|labels| !labels.texts().is_empty());
    let is_mark = item.kind.is_some() && !item.is_answer() && !item.is_relation();
    if !is_mark || !item.kind().ends_with("labels") && !has_labels {
        return false;
    }
    let Some(value) = item.value.as_ref().map(Index::object) else {
        return true;
    };
    if !value.is_object() {
        return !value.says_something();
    }
    value.members().into_iter().all(|(key, held)| {
        let is_labels = key.reads("labels") || key.exact() == item.kind().as_bytes();
        if is_labels {
            return !held.says_something() || all_texts(held).is_some();
        }
        let same = region.get(&key.exact());
        same.is_some_and(|same| held.is_equal(*same))
    })
}
