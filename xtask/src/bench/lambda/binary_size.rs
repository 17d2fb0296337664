//! Size of a function: its binary, and the archive that is uploaded.

use crate::Outcome;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;
use std::path::Path;

pub(super) struct BinarySize {
    pub(super) binary: f64,
    pub(super) archive: f64,
}

/// A zip archive's headers round one file named `bootstrap`: local header, directory, its end.
const ARCHIVE_HEADERS: usize = 30 + 46 + 22 + 2 * "bootstrap".len();

/// Megabytes (10⁶) of `program` and of an archive of it at the usual level of compression.
pub(super) fn of(program: &Path) -> Outcome<BinarySize> {
    let bytes = std::fs::read(program)?;
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&bytes)?;
    let archive = deflated.finish()?.len() + ARCHIVE_HEADERS;
    Ok(BinarySize {
        binary: megabytes(bytes.len()),
        archive: megabytes(archive),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of programs are far below 2^52"
)]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
