//! A root with a new system in it, and nothing else.

use crate::files;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A copy of its own, which goes with its value.
pub(crate) struct CleanRoot(TempDir);

impl CleanRoot {
    pub(crate) fn new() -> Self {
        let copy = tempfile::tempdir().unwrap();
        let unpacked = Command::new("tar")
            .args(["--extract", "--preserve-permissions", "--same-owner"])
            .args(["--numeric-owner", "--file"])
            .arg(files::variable("LABELRELAY_TEST_CLEAN_ROOT"))
            .arg("--directory")
            .arg(copy.path())
            .status();
        assert!(unpacked.unwrap().success());
        let root = Self(copy);
        let compilers = root.run("command -v cargo rustc cc gcc clang || true");
        assert_eq!(compilers, "", "it has a compiler");
        root
    }

    /// Path of a file of the root, seen from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside.trim_start_matches('/'))
    }

    /// Puts a file into a folder of the root.
    pub(crate) fn put(&self, file: &Path, folder: &str) {
        let folder = self.path(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(file, folder.join(files::name(file))).unwrap();
    }

    /// A shell's command line in the root, as its administrator. Whatever it starts ends with it.
    pub(crate) fn command(&self, script: &str) -> Command {
        let root = self.0.path().display();
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--fork", "--kill-child"])
            .arg(format!("--mount-proc={root}/proc"))
            .arg("chroot")
            .arg(self.0.path())
            .args(["/bin/sh", "-ec", script])
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8");
        command
    }

    /// Runs it; it must succeed. What it printed.
    pub(crate) fn run(&self, script: &str) -> String {
        let ended = self.command(script).output().unwrap();
        assert!(ended.status.success(), "{script}\n{}", said(&ended));
        String::from_utf8(ended.stdout).unwrap().trim().to_owned()
    }

    /// Runs it, and says how long it took.
    pub(crate) fn timed(&self, what: &str, script: &str) -> (String, Duration) {
        let begun = Instant::now();
        let printed = self.run(script);
        let took = begun.elapsed();
        println!("{what}: {:.1} s", took.as_secs_f64());
        (printed, took)
    }

    /// All paths in it but those that the package manager keeps its books in, and those that a restart forgets.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        let books = "-path /proc -o -path /sys -o -path /run -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache";
        // The accounts' files have backups beside them.
        let listed = self.run(&format!(
            "find / \\( {books} \\) -prune -o ! -name 'passwd-' ! -name 'group-' ! -name 'shadow-' ! -name 'gshadow-' -print"
        ));
        listed.lines().map(str::to_owned).collect()
    }
}

pub(crate) fn said(ended: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        ended.status,
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    )
}

/// An installation and the demo, whose output this is, are done within the time that was promised.
pub(crate) fn demo_ran(printed: &str, took: Duration) {
    assert!(printed.contains("forgeries: "), "{printed}");
    assert!(printed.contains("byte for byte as sent"), "{printed}");
    assert!(printed.contains("com.labelbox.label.created"), "{printed}");
    if files::are_released() {
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}
