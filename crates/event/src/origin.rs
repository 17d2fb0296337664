use serde::{Deserialize, Serialize};

/// Way on which the event reached the relay, when not as a delivery.
///
/// A word of a later version is kept as it is: a reader of this version passes such an event on, and writes it back
/// unchanged.
///
/// ```
/// use labelrelay_event::Origin;
/// let newer: Origin = serde_json::from_str("\"imported\"").unwrap();
/// assert_eq!(newer, Origin::Other("imported".into()));
/// assert_eq!(serde_json::to_string(&newer).unwrap(), "\"imported\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Box<str>", into = "Box<str>")]
#[non_exhaustive]
pub enum Origin {
    /// Found through the provider's API; the data is what the API returned.
    Reconcile,
    /// Derived by the relay from another event, and from what it knew before.
    Derived,
    /// A word that this version does not know.
    Other(Box<str>),
}

impl From<Box<str>> for Origin {
    fn from(word: Box<str>) -> Self {
        match &*word {
            "reconcile" => Self::Reconcile,
            "derived" => Self::Derived,
            _ => Self::Other(word),
        }
    }
}

impl From<Origin> for Box<str> {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Reconcile => "reconcile".into(),
            Origin::Derived => "derived".into(),
            Origin::Other(word) => word,
        }
    }
}
