//! Parts of a dataset: for training, for validation, for the test.

use sha2::{Digest as _, Sha256};

/// A part of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Split {
    Train,
    Val,
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// The name: `train`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// Sizes of the parts, in ten-thousandths. The rest is for the test.
///
/// A task's part depends on nothing but its names and these sizes. So it stays where it is when others come and go, and
/// two versions of one image are never in two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Splits {
    train: u16,
    val: u16,
}

impl Default for Splits {
    fn default() -> Self {
        Self {
            train: 8000,
            val: 1000,
        }
    }
}

impl Splits {
    /// Parts of this many percent. `None` unless they make a hundred together.
    ///
    /// ```
    /// use labelrelay_dataset::{Split, Splits};
    ///
    /// let splits = Splits::percent(80, 10, 10).unwrap();
    /// assert_eq!(splits.of("/label-studio", "1", "7"), Split::Train);
    /// assert!(Splits::percent(80, 30, 10).is_none());
    /// ```
    pub fn percent(train: u8, val: u8, test: u8) -> Option<Self> {
        let all = u16::from(train) + u16::from(val) + u16::from(test);
        (all == 100).then(|| Self {
            train: u16::from(train) * 100,
            val: u16::from(val) * 100,
        })
    }

    /// The three parts, in percent.
    pub(crate) fn percents(self) -> [u16; 3] {
        let (train, val) = (self.train / 100, self.val / 100);
        [train, val, 100 - train - val]
    }

    /// The part of a task: the first eight bytes of the SHA-256 of `source/project/task`, as a number, modulo 10,000.
    pub fn of(self, source: &str, project: &str, task: &str) -> Split {
        let mut hash = Sha256::new();
        for part in [source, "/", project, "/", task] {
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let first = digest.first_chunk().copied().unwrap_or_default();
        let place = u64::from_be_bytes(first) % 10_000;
        let (train, val) = (u64::from(self.train), u64::from(self.val));
        if place < train {
            Split::Train
        } else if place < train + val {
            Split::Val
        } else {
            Split::Test
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart: of `printf /ls/1/7 | sha256sum`, the first 16 digits modulo 10,000 are 2125; 8500 for task 6, 9304
    /// for task 27.
    #[test]
    fn the_rule_is_what_the_documents_say() {
        let of = |task| Splits::default().of("/ls", "1", task);
        assert_eq!([of("7"), of("6"), of("27")], Split::ALL);
        let exact = Splits {
            train: 2125,
            val: 1,
        };
        assert_eq!(exact.of("/ls", "1", "7"), Split::Val);
        let mut counts = [0; 3];
        for task in 0..10_000 {
            match Splits::default().of("/ls", "1", &task.to_string()) {
                Split::Train => counts[0] += 1,
                Split::Val => counts[1] += 1,
                Split::Test => counts[2] += 1,
            }
        }
        assert!((7_850..8_150).contains(&counts[0]), "{counts:?}");
        assert!((880..1_120).contains(&counts[1]), "{counts:?}");
        let all = Splits::percent(0, 0, 100).unwrap();
        assert_eq!(all.of("/ls", "1", "7"), Split::Test);
    }
}
