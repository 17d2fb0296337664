//! The characters that are percent-encoded in signatures and in names of objects.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// Everything but letters, digits and `-_.~`.
pub(crate) const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The same, without the slashes between a name's parts.
pub(crate) const PATH: &AsciiSet = &COMPONENT.remove(b'/');
