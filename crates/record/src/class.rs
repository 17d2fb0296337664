//! Who stands behind a row: somebody with a secret, or anybody.

/// Kind of a row. Each has bounds of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A secret has vouched for the delivery.
    Verified,
    /// Anybody may have sent it.
    Stranger,
}

impl Class {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Verified, Self::Stranger];

    /// The number in tables.
    pub const fn number(self) -> i64 {
        match self {
            Self::Verified => 0,
            Self::Stranger => 1,
        }
    }
}

/// A value for each class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PerClass<T> {
    pub(crate) verified: T,
    pub(crate) stranger: T,
}

impl<T> PerClass<T> {
    pub(crate) const fn of(&self, class: Class) -> &T {
        match class {
            Class::Verified => &self.verified,
            Class::Stranger => &self.stranger,
        }
    }

    pub(crate) const fn of_mut(&mut self, class: Class) -> &mut T {
        match class {
            Class::Verified => &mut self.verified,
            Class::Stranger => &mut self.stranger,
        }
    }
}
