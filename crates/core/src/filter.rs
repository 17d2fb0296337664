//! Filter of the verified events that a source forwards.

use labelrelay_event::EventType;

/// Patterns of event types: a whole name, or a beginning that ends in `*`.
///
/// A filtered event is answered with 200, so that the sender does not try again. Events that the
/// relay verified but did not understand pass, unless they are excluded by a pattern: whoever lists
/// what is wanted cannot know what a platform's next version will call it.
///
/// ```
/// use labelrelay_core::filter::Filter;
/// use labelrelay_event::EventType;
/// let filter = Filter { include: vec!["com.labelbox.label.*".into()], exclude: vec!["com.labelbox.label.deleted".into()] };
/// assert!(filter.passes(&EventType::from_static("com.labelbox.label.created")));
/// assert!(!filter.passes(&EventType::from_static("com.labelbox.label.deleted")));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// When not empty: only these.
    pub include: Vec<String>,
    /// But never these.
    pub exclude: Vec<String>,
}

impl Filter {
    /// Tells whether an event of this type is forwarded.
    pub fn passes(&self, event_type: &EventType) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| event_type.matches(pattern));
        let wanted = self.include.is_empty() || any(&self.include) || event_type.is_unrecognized();
        wanted && !any(&self.exclude)
    }

    /// Tells whether `pattern` is a name, or the beginning of one and a final `*`.
    pub fn is_pattern(pattern: &str) -> bool {
        let name = pattern.strip_suffix('*').unwrap_or(pattern);
        !pattern.is_empty() && (name.is_empty() || name.parse::<EventType>().is_ok())
    }
}
