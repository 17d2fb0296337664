//! The start of every program: the same configurations through each one, and of each the same verdict,
//! message and exit code.
//!
//! A program is a closure: it starts with what it is given, down to the point from which it would serve, and says
//! how that ended. A new program joins with one line:
//!
//! ```ignore
//! start_suite::same_start("Lambda", &|given| Box::pin(start(given))).await;
//! ```

mod back_end;
mod cases;

pub use back_end::TestBackEnd;
pub use cases::{Case, File, Verdict, cases};

use labelrelay_core::BoxFuture;
use labelrelay_core::config::Environment;
use std::path::{Path, PathBuf};

/// Surroundings of a start.
pub struct Given {
    /// The variables.
    pub environment: Environment,
    /// The directory that it is started in.
    pub cwd: PathBuf,
    /// Back end that opens what the configuration names.
    pub back_end: TestBackEnd,
}

/// A program under test: `Err` with its exit code and the last thing that it says.
pub type Program<'a> = &'a dyn Fn(Given) -> BoxFuture<'a, Result<(), (u8, String)>>;

/// Every case through `program`, which starts in the empty directory `folder`.
pub async fn same_start(name: &str, folder: PathBuf, program: Program<'_>) {
    let cases = cases();
    for case in &cases {
        for (name, file) in case.files {
            put(*file, &folder.join(name));
        }
        let temporary = folder.display().to_string();
        let variables = [("TMPDIR", temporary.as_str())].into_iter();
        let given = Given {
            environment: variables.chain(case.variables.iter().copied()).collect(),
            cwd: folder.clone(),
            back_end: TestBackEnd,
        };
        let ended = program(given).await;
        match (&case.verdict, &ended) {
            (Verdict::Begins, Ok(())) => {}
            (Verdict::Ends(code, message), Err((got, said))) => {
                assert_eq!(said, message, "{name}, {}", case.name);
                assert_eq!(got, code, "{name}, {}: {said}", case.name);
            }
            (expected, got) => panic!("{name}, {}: {expected:?}, but {got:?}", case.name),
        }
        for (name, _) in case.files {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
    }
    assert!(cases.len() >= 12, "only {} cases", cases.len());
}

fn put(file: File, path: &Path) {
    match file {
        File::Text(text) => std::fs::write(path, text).unwrap(),
        #[cfg(unix)]
        File::Link(to) => std::os::unix::fs::symlink(to, path).unwrap(),
        #[cfg(unix)]
        File::Pipe => {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        }
    }
}
