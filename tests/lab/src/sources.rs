//! The secrets of a seed: one for each source and each rotation.

use labelrelay_event::Digest;

/// Target of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// Signed, as Labelbox does.
    Labelbox,
    /// The secret in `Authorization`, as Label Studio's users set it.
    LabelStudio,
    /// The secret in a header of another name.
    Token,
}

impl Source {
    pub(crate) const ALL: [Self; 3] = [Self::Labelbox, Self::LabelStudio, Self::Token];

    /// Name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Labelbox => "labelbox",
            Self::LabelStudio => "label-studio",
            Self::Token => "token",
        }
    }
}

/// The secret that the last rotation of so many brought.
pub(crate) fn secret(seed: u64, source: Source, generation: u32) -> String {
    let text = format!("{seed} {} {generation}", source.name());
    Digest::of(text.as_bytes()).to_hex()[..40].to_owned()
}

/// A secret that no source ever has.
pub(crate) fn foreign(seed: u64) -> String {
    Digest::of(format!("{seed} foreign").as_bytes()).to_hex()[..40].to_owned()
}
