use std::borrow::Cow;
use std::fmt;

/// Type of an event, in reverse-DNS form: `com.labelbox.label.created`.
///
/// ```
/// use labelrelay_event::EventType;
/// let t: EventType = "com.labelbox.label.created".parse()?;
/// assert_eq!(t.kind(), "label");
/// assert_eq!(t.action(), "created");
/// assert!(t.matches("com.labelbox.label.*"));
/// assert!(!t.is_deletion());
/// # Ok::<(), labelrelay_event::InvalidEventType>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventType(Cow<'static, str>);

impl EventType {
    /// A type that is known when the program is written.
    pub const fn from_static(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Kind of thing that the event is about: the last segment but one.
    pub fn kind(&self) -> &str {
        self.0.rsplit('.').nth(1).unwrap_or_default()
    }

    /// Action: the last segment.
    pub fn action(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or_default()
    }

    /// Tells whether something was deleted. [`Attributes::is_tombstone`](crate::Attributes::is_tombstone) tells what
    /// exactly is gone.
    pub fn is_deletion(&self) -> bool {
        self.action() == "deleted"
    }

    /// Tells whether the relay verified the event but did not understand it.
    pub fn is_unrecognized(&self) -> bool {
        self.action() == "unrecognized"
    }

    /// Tells whether the name equals `pattern`, or starts with the part before a final `*` in it.
    pub fn matches(&self, pattern: &str) -> bool {
        match pattern.strip_suffix('*') {
            Some(prefix) => self.0.starts_with(prefix),
            None => *self.0 == *pattern,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for EventType {
    type Err = InvalidEventType;

    /// # Errors
    /// When the name is empty, longer than 128 bytes, or holds anything but `a-z 0-9 _ .`
    fn from_str(name: &str) -> Result<Self, InvalidEventType> {
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.';
        if name.is_empty() || name.len() > crate::MAX_ATTRIBUTE_BYTES || !name.bytes().all(allowed)
        {
            return Err(InvalidEventType);
        }
        Ok(Self(Cow::Owned(name.to_owned())))
    }
}

/// A name that cannot be an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidEventType;

impl fmt::Display for InvalidEventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event type is 1 to 128 of the characters a-z, 0-9, '_' and '.'")
    }
}

impl std::error::Error for InvalidEventType {}
