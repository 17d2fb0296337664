//! What became of the files of a queue, in words: each says how to put it right.

use labelrelay_core::{QueueError, QueueErrorKind};
use std::path::{Path, PathBuf};

/// Role of a file in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Database,
    Journal,
    JournalIndex,
    Lock,
}

/// Why nothing can be answered for any more.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Displaced {
    #[error("{}", gone(*.role, path))]
    Gone { role: Role, path: PathBuf },
    #[error("{}", replaced(*.role, path))]
    Replaced { role: Role, path: PathBuf },
    #[error("{} has {names} names (hard links) now, and through another one it would be damaged: remove the others (`find -samefile` shows them); nothing is stored until then", path.display())]
    Linked { path: PathBuf, names: u64 },
    #[error("{} was cut off while it was in use, to {bytes} bytes, and events in it are damaged or lost: stop `serve`, move the file away together with what begins with its name (`labelrelay events export` may still read it), put a backup in its place if there is one, and start `serve` again", path.display())]
    Shorter { path: PathBuf, bytes: u64 },
    #[error("{} was cut off while it was in use, and written on: it has holes where events were. Stop `serve`, move the file away together with what begins with its name (`labelrelay events export` may still read it), put a backup in its place if there is one, and start `serve` again", path.display())]
    Holes { path: PathBuf },
    #[error("{} or its journal became shorter, and whether rightly (`VACUUM`) or because it was cut off cannot be told now: {why}. It is looked at again every second; nothing is stored until then", path.display())]
    Undecided { path: PathBuf, why: String },
    #[error("{} was cut off while the queue was in use, and a program that reads on in it is ended by the system: stop `serve` with SIGTERM, end the other programs that use the queue, and start `serve` again, which makes it anew and loses nothing; nothing is stored until then", path.display())]
    IndexCutOff { path: PathBuf },
    #[error("{} leads elsewhere now than to the queue that is in use, {}: let it lead there again, or stop `serve` and start it again, which then uses what is there (the events of the first stay in {})", configured.display(), path.display(), path.display())]
    Elsewhere { configured: PathBuf, path: PathBuf },
    #[error("{} cannot be looked at ({why}): see that its directory may be read and its disk works", path.display())]
    Unseen { path: PathBuf, why: String },
}

/// The error that the sender of a message gets when the files are not what they were. Trying again at once cannot
/// help: somebody has to put them right, unless that is not known yet.
pub(crate) fn displaced_error(displaced: &Displaced) -> QueueError {
    let error = QueueError::new(QueueErrorKind::Unavailable, displaced.to_string());
    match displaced {
        Displaced::Undecided { .. } => error,
        _ => error.permanent(),
    }
}

fn gone(role: Role, path: &Path) -> String {
    let here = path.parent().is_some_and(Path::is_dir);
    let shown = path.display();
    match role {
        _ if !here => format!(
            "the directory of {shown} was removed or moved away while the queue was in use: put it back with all that was in it, or start `serve` again, which refuses what has no directory; nothing is stored until then"
        ),
        Role::Database => format!(
            "the queue file {shown} was removed or moved away while it was in use: put it back (that file itself, no copy), or start `serve` again, which makes a new one; nothing is stored until then"
        ),
        Role::Journal => format!(
            "{shown}, the newest part of the queue, was removed or moved away while it was in use: stop `serve` with SIGTERM, so that what it still holds gets into the queue file, and start it again; nothing is stored until then"
        ),
        Role::JournalIndex => format!(
            "{shown} was removed or moved away while the queue was in use, so programs would no longer see each other's changes: stop `serve` with SIGTERM, end the other programs that use the queue, and start `serve` again; nothing is stored until then"
        ),
        Role::Lock => format!(
            "{shown} was removed or moved away, so another `serve` may own the queue as well: stop that one if there is one, and start `serve` again; nothing is stored until then"
        ),
    }
}

fn replaced(role: Role, path: &Path) -> String {
    let shown = path.display();
    let what = match role {
        Role::Database => "is another file now than the queue that is in use",
        Role::Journal => "is another file now than the one that holds the newest part of the queue",
        Role::JournalIndex => {
            "is another file now than the one by which programs see each other's changes"
        }
        Role::Lock => {
            "is another file now, so another `serve` may own the queue as well; stop that one if there is one"
        }
    };
    format!(
        "{shown} {what}: put the first one back, or stop `serve` with SIGTERM and start it again, which then uses what is there; nothing is stored until then"
    )
}
