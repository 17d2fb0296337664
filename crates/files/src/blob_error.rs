//! Errors of directories, with what was tried and the cure.

use labelrelay_core::BlobError;
use std::io::ErrorKind;
use std::path::Path;

pub(crate) fn failed(what: &str, path: &Path, source: std::io::Error) -> BlobError {
    let retryable = matches!(
        source.kind(),
        ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::WouldBlock
    );
    let cure = match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; free space",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; let this user write the directory"
        }
        _ => "",
    };
    let message = format!("{what} ({}): {source}{cure}", path.display());
    let error = if retryable {
        BlobError::transient(message)
    } else {
        BlobError::permanent(message)
    };
    error.caused_by(source)
}
