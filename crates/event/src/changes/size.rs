//! Sizes of images.

/// Width and height of an image in pixels, each from 1 to 2^31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Size {
    pub width: u32,
    pub height: u32,
}
