//! What an image holds, in a root of its own.

use crate::dockerfile::{Stage, stage};
use crate::tool::output;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The libraries in `gcr.io/distroless/cc-debian13` that programs are linked with.
const LIBRARIES: [&str; 7] = [
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
];

/// Folder of an image with the licences of what its program links.
pub(crate) const LICENCES: &str = "/usr/share/doc/labelrelay";

/// The base images' `nonroot`.
pub(crate) const USER: &str = "65532";

/// A root with what an image would hold.
pub(crate) struct Image {
    root: tempfile::TempDir,
    program: PathBuf,
}

impl Image {
    /// Copies what stage `name` copies.
    pub(crate) fn of(stages: &[Stage], name: &str, built: &Path) -> Self {
        let root = tempfile::tempdir().unwrap();
        for copy in stage(stages, name).all("COPY") {
            let mut words = copy.split(' ').filter(|word| !word.starts_with("--"));
            let from = words.next().unwrap().strip_prefix("/image/").unwrap();
            let from = built.join(from);
            let to = root
                .path()
                .join(words.next().unwrap().trim_start_matches('/'));
            std::fs::create_dir_all(&to).unwrap();
            if from.is_dir() {
                // An image gets what is in it.
                for entry in std::fs::read_dir(&from).unwrap() {
                    let entry = entry.unwrap();
                    std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            } else {
                std::fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
            }
        }
        let entry: Vec<String> =
            serde_json::from_str(stage(stages, name).all("ENTRYPOINT").next().unwrap()).unwrap();
        let program = PathBuf::from(&entry[0]);
        link(root.path(), &program);
        Self { root, program }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Fails without the texts, and where these crates are not among them.
    pub(crate) fn has_licences_of(&self, crates: &[&str]) {
        let folder = self.root().join(LICENCES.trim_start_matches('/'));
        for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(folder.join(file).is_file(), "{file}");
        }
        let texts = std::fs::read_to_string(folder.join("LICENSE-THIRD-PARTY.txt")).unwrap();
        for name in crates.iter().copied().chain(["ring", "rustls"]) {
            let begin = format!("{name} ");
            assert!(
                texts.lines().any(|line| line.starts_with(&begin)),
                "{} has no licence of {name}",
                self.program.display()
            );
        }
    }

    /// The program in that root, as the image's user.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        // The user must be able to pass the folder itself.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(self.root(), open).unwrap();
        let mut command = if is_root() {
            let mut command = Command::new("chroot");
            command.arg(format!("--userspec={USER}:{USER}"));
            command.arg(self.root());
            command
        } else {
            // Who is not root is nobody there either, in a name space of one's own.
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-user", USER, "--map-group", USER, "--root"]);
            command.arg(self.root());
            command
        };
        command.arg(&self.program).args(words).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }
}

pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).trim() == "0"
}

/// Copies the libraries that a program needs, all of which the base image must have.
fn link(root: &Path, program: &Path) {
    let program = root.join(program.strip_prefix("/").unwrap());
    for line in output(Command::new("ldd").arg(program)).lines() {
        let Some(path) = line.split_whitespace().find(|word| word.starts_with('/')) else {
            // Part of the kernel itself.
            assert!(line.contains("vdso"), "{line}");
            continue;
        };
        let path = Path::new(path);
        let name = path.file_name().and_then(OsStr::to_str).unwrap();
        assert!(LIBRARIES.contains(&name), "the base image has no {name}");
        let to = root.join(path.strip_prefix("/").unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(path, to).unwrap();
    }
}
