//! An archive with the program, its documents and all licences; `cargo binstall` knows its name and layout.

use super::folder::Folder;
use super::licences;
use super::version::{VERSION, commit_time};
use crate::Outcome;
use crate::paths::root;
use crate::step::{output, python, status};
use std::path::Path;
use std::process::Command;

pub(super) fn pack(folder: &Folder, target: &str, program: &Path) -> Outcome {
    let name = format!("labelrelay-{VERSION}-{target}");
    let stage = folder.stage(&name)?;
    fill(&stage, target, program)?;
    if target.contains("windows") {
        return zip(&stage, &folder.join(&format!("{name}.zip")), true);
    }
    let mut tar = Command::new("tar");
    tar.arg("--directory").arg(stage.parent().unwrap_or(&stage));
    if cfg!(target_os = "linux") {
        // The same bytes whenever it is made.
        tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .args(["--mode=u=rwX,go=rX", "--use-compress-program=gzip -9n"])
            .arg(format!("--mtime=@{}", commit_time()?));
    } else {
        tar.arg("--gzip");
    }
    tar.args(["--create", "--file"])
        .arg(folder.join(&format!("{name}.tar.gz")));
    status(tar.arg(&name))
}

/// Puts into `stage` what every package of the program has.
pub(super) fn fill(stage: &Path, target: &str, program: &Path) -> Outcome {
    let name = program.file_name().unwrap_or_default();
    std::fs::copy(program, stage.join(name))?;
    for file in ["README.md", "CHANGELOG.md"] {
        std::fs::copy(root().join(file), stage.join(file))?;
    }
    licences::put(stage, "labelrelay", target)?;
    copy_folder(&root().join("docs"), &stage.join("docs"))
}

pub(super) fn copy_folder(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Packs a folder, or what is in it. Python's own module runs everywhere, and no times stand in the archive.
pub(super) fn zip(stage: &Path, file: &Path, with_folder: bool) -> Outcome {
    let script = "import pathlib, sys, zipfile
stage, file, above = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3] == 'True'
with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for path in sorted(path for path in stage.rglob('*') if path.is_file()):
        name = path.relative_to(stage.parent if above else stage).as_posix()
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
        entry.external_attr = (0o100644 | path.stat().st_mode & 0o111) << 16
        out.writestr(entry, path.read_bytes())";
    let mut run = python();
    run.args(["-c", script]).arg(stage).arg(file);
    run.arg(if with_folder { "True" } else { "False" });
    output(&mut run).map(drop)
}
