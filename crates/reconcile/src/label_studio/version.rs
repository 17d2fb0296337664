//! The version that a Label Studio says it has.

use std::fmt;

/// Version of a Label Studio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// The version that is written so.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Tells whether its API is one that we were tried with: 1.20 to 1.23.
    pub fn is_known(&self) -> bool {
        let mut numbers = self.0.split('.').map(|number| number.parse().ok());
        matches!(
            (numbers.next().flatten(), numbers.next().flatten()),
            (Some(1_u32), Some(20..=23_u32))
        )
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_by_their_numbers() {
        for (text, is_known) in [
            ("1.20.0", true),
            ("1.23.2", true),
            ("1.23.2.post1", true),
            ("1.23", true),
            ("1.19.9", false),
            ("1.24.0", false),
            ("2.20.0", false),
            ("develop", false),
            ("", false),
        ] {
            assert_eq!(Version::new(text).is_known(), is_known, "{text}");
        }
    }
}
