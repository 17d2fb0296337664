//! Picks a few values out of a body by a table of their paths, in the scanner's one pass.

use labelrelay_json::{Container, Interest, Scalar, Text, Visitor};
use std::fmt::Debug;

/// A place in a body that somebody wants to hear of, with the places in it.
#[derive(Debug)]
pub(super) struct Node<S: 'static> {
    /// Name for [`ExtractedValues`].
    pub(super) slot: S,
    /// Places in it when it is an object; without any, an object here is skipped.
    pub(super) members: Members<S>,
    /// Every element of it when it is an array; without this, an array here is skipped.
    pub(super) elements: Option<&'static Node<S>>,
}

/// The members of an object that count.
#[derive(Debug)]
pub(super) enum Members<S: 'static> {
    /// None does.
    None,
    /// Members with these keys.
    Named(&'static [(&'static str, Node<S>)]),
    /// All of them: their keys are data.
    Any(&'static Node<S>),
}

impl<S: 'static> Node<S> {
    /// A place of which only a scalar is of interest.
    pub(super) const fn leaf(slot: S) -> Self {
        Self::object(slot, Members::None)
    }

    /// An object.
    pub(super) const fn object(slot: S, members: Members<S>) -> Self {
        Self {
            slot,
            members,
            elements: None,
        }
    }

    /// An array.
    pub(super) const fn array(slot: S, elements: &'static Self) -> Self {
        Self {
            slot,
            members: Members::None,
            elements: Some(elements),
        }
    }

    #[inline]
    fn member(&self, name: &[u8]) -> Option<&'static Self> {
        match self.members {
            Members::None => None,
            Members::Any(node) => Some(node),
            Members::Named(members) => members
                .iter()
                .find(|(key, _)| key.as_bytes() == name)
                .map(|(_, node)| node),
        }
    }

    fn interest(&self, container: Container) -> Interest {
        let is_wanted = match container {
            Container::Object => !matches!(self.members, Members::None),
            Container::Array => self.elements.is_some(),
        };
        if is_wanted {
            Interest::Watch
        } else {
            Interest::Skip
        }
    }
}

/// Values at the paths of a table, kept as they come. Keys may repeat: the last one wins, so a key forgets what
/// an equal one before it has brought.
pub(super) trait ExtractedValues {
    /// Names of the places.
    type Slot: Copy + Debug + 'static;

    /// The table. No path in it has more than [`MAX_LEVELS`] containers.
    const ROOT: &'static Node<Self::Slot>;

    /// A key leads here; its value follows.
    fn key(&mut self, slot: Self::Slot, name: &[u8]);

    /// A scalar stands here.
    fn scalar(&mut self, slot: Self::Slot, scalar: Scalar<'_>);

    /// A container begins here.
    fn open(&mut self, slot: Self::Slot, container: Container);

    /// A container that has places in it ends here.
    fn close(&mut self, slot: Self::Slot, container: Container);
}

/// Containers that one path may lead through.
const MAX_LEVELS: usize = 8;

/// A container that is open, and its place in the table.
type Level<S> = (&'static Node<S>, Container);

/// Walks down the table as the scanner walks down the body.
#[derive(Debug)]
pub(super) struct Extractor<E: ExtractedValues> {
    values: E,
    /// The containers that are open, outermost first. All of them are in the table.
    open: [Option<Level<E::Slot>>; MAX_LEVELS],
    level: usize,
    /// Target of the last key.
    key_target: Option<&'static Node<E::Slot>>,
}

impl<E: ExtractedValues> Extractor<E> {
    pub(super) fn new(values: E) -> Self {
        Self {
            values,
            open: [None; MAX_LEVELS],
            level: 0,
            key_target: None,
        }
    }

    /// The values so far.
    pub(super) fn values(&self) -> &E {
        &self.values
    }

    /// The values, at the end.
    pub(super) fn into_values(self) -> E {
        self.values
    }

    #[inline]
    fn innermost(&self) -> Option<Level<E::Slot>> {
        *self.open.get(self.level.checked_sub(1)?)?
    }

    /// The node of the value that comes now.
    #[inline]
    fn current_node(&self) -> Option<&'static Node<E::Slot>> {
        match self.innermost() {
            None => Some(E::ROOT),
            Some((_, Container::Object)) => self.key_target,
            Some((node, Container::Array)) => node.elements,
        }
    }
}

impl<E: ExtractedValues> Visitor for Extractor<E> {
    fn key(&mut self, _depth: u32, key: Text<'_>) {
        let name = key.name();
        self.key_target = self.innermost().and_then(|(node, _)| node.member(&name));
        if let Some(node) = self.key_target {
            self.values.key(node.slot, &name);
        }
    }

    fn scalar(&mut self, _depth: u32, scalar: Scalar<'_>) {
        if let Some(node) = self.current_node() {
            self.values.scalar(node.slot, scalar);
        }
    }

    fn open(&mut self, _depth: u32, container: Container) -> Interest {
        let Some(node) = self.current_node() else {
            return Interest::Skip;
        };
        self.values.open(node.slot, container);
        let Some(innermost) = self.open.get_mut(self.level) else {
            return Interest::Skip;
        };
        let interest = node.interest(container);
        if interest == Interest::Watch {
            *innermost = Some((node, container));
            self.level += 1;
        }
        interest
    }

    fn close(&mut self, _depth: u32) {
        if let Some((node, container)) = self.innermost() {
            self.level -= 1;
            self.values.close(node.slot, container);
        }
    }
}
