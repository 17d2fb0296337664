//! A machine on which a reader types what a page prints.

use super::{Block, root};
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::program;
use labelrelay_tests::relay::{PATIENCE, eventually_within};
use labelrelay_tests::servers::{API_KEY, Labelbox};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Programs that `programs.sh` answers for.
const STOOD_IN: [&str; 20] = [
    "apt",
    "aws",
    "az",
    "cargo",
    "cloudflared",
    "docker",
    "gcloud",
    "gh",
    "kubectl",
    "ngrok",
    "pip",
    "sam",
    "sha256sum",
    "sudo",
    "systemctl",
    "tar",
    "terraform",
    "unzip",
    "uvx",
    "zip",
];

/// The user of the tests' Label Studio, and how documents call theirs.
const USERS: [&str; 2] = ["driver@example.com", "you@example.com"];

/// Begins what each block prints.
const MARK: char = '\u{1}';

pub(super) struct Machine {
    label_studio: LabelStudio,
    labelbox: Labelbox,
    /// First in PATH.
    programs: TempDir,
}

/// A page that was run.
pub(super) struct Ran {
    /// Output of each block that was begun, by its line.
    pub(super) outputs: BTreeMap<usize, String>,
    /// Why it did not come to the end.
    pub(super) error: Option<String>,
}

impl Ran {
    /// Line of the block that was begun last.
    pub(super) fn last(&self) -> usize {
        self.outputs.keys().next_back().copied().unwrap_or_default()
    }
}

impl Machine {
    pub(super) fn start() -> Self {
        let programs = tempfile::tempdir().unwrap();
        let folder = root().join("tests/e2e/documents");
        symlink(
            folder.join("labelrelay.sh"),
            programs.path().join("labelrelay"),
        )
        .unwrap();
        for name in STOOD_IN {
            symlink(folder.join("programs.sh"), programs.path().join(name)).unwrap();
        }
        let labelbox = Labelbox::start();
        labelbox.set_rows(&[
            r#"{"data_row": {"id": "r"}, "projects": {"PROJECT-ID": {"labels": []}}}"#.to_owned(),
        ]);
        let mut label_studio = LabelStudio::start();
        label_studio.project("Cars");
        Self {
            label_studio,
            labelbox,
            programs,
        }
    }

    /// Runs the page's blocks, in a folder of its own.
    pub(super) fn run(&self, page: &Path, blocks: &[Block]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("page.sh");
        fs::write(&script, self.script(page, blocks)).unwrap();
        let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
        let mut child = self
            .shell(folder.path())
            .arg(&script)
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        // Dozens of commands, some of which wait.
        let status =
            eventually_within(10 * PATIENCE, "the page ends", || child.try_wait().unwrap());
        let [ours, reader_s] = USERS;
        let printed = fs::read_to_string(stdout).unwrap().replace(ours, reader_s);
        let errors = fs::read_to_string(stderr).unwrap();
        Ran {
            outputs: printed.split(MARK).skip(1).map(output).collect(),
            error: (!status.success()).then(|| format!("{status}\n{errors}")),
        }
    }

    /// A shell in a group of its own, in an environment that holds nothing of this machine's owner.
    fn shell(&self, folder: &Path) -> Command {
        let mut path = self.programs.path().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell
            .env_clear()
            .env("PATH", path)
            .env("HOME", folder)
            .env("PAGE", folder)
            .env("ROOT", root())
            .env("PROGRAM", program::labelrelay())
            // As the wheel brings it.
            .env("PYTHONPATH", root().join("python"))
            .env("STAND_IN_LABELBOX", self.labelbox.endpoint())
            .env("TESTS_LABEL_STUDIO", &self.label_studio.base)
            .env("TESTS_TOKEN", &self.label_studio.token)
            // So that pages may run beside whatever this machine runs.
            .env("LABELRELAY_LISTEN", "127.0.0.1:0")
            .env("LABELRELAY_ADMIN_LISTEN", "127.0.0.1:0")
            .current_dir(folder)
            .stdin(Stdio::null())
            .process_group(0);
        shell
    }

    fn script(&self, page: &Path, blocks: &[Block]) -> String {
        let mut script = include_str!("begin.sh").to_owned();
        if page != Path::new("README.md") {
            script.push_str(include_str!("events.sh"));
        }
        for (block, shell) in blocks
            .iter()
            .filter_map(|block| Some((block, block.shell()?)))
        {
            let _ = write!(script, "printf '{MARK}%s\\n' {}\n{shell}", block.line);
        }
        script
            .replace("http://127.0.0.1:8090", "http://$(cat \"$PAGE/ready\")")
            .replace("http://127.0.0.1:8080", &self.label_studio.base)
            .replace("YOUR-TOKEN", &self.label_studio.token)
            .replace("YOUR-KEY", &format!("'{API_KEY}'"))
    }
}

/// A block's line, and what it printed.
fn output(part: &str) -> (usize, String) {
    let (line, printed) = part.split_once('\n').unwrap();
    (line.parse().unwrap(), printed.to_owned())
}
