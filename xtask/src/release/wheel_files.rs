//! Takes files out of a wheel.

use crate::Outcome;
use crate::python::RELEASE;
use crate::step::output;
use std::path::Path;
use std::process::Command;

/// The bill of materials that maturin has put into it: all crates of `package`.
pub(super) fn bill_of(wheel: &Path, package: &str, out: &Path) -> Outcome {
    take(wheel, &format!("/sboms/{package}.cyclonedx.json"), out)
}

/// The program of this name.
pub(super) fn program(wheel: &Path, name: &str, out: &Path) -> Outcome {
    take(wheel, &format!(".data/scripts/{name}"), out)?;
    #[cfg(unix)]
    std::fs::set_permissions(out, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}

/// The one file whose path ends so.
fn take(wheel: &Path, end: &str, out: &Path) -> Outcome {
    let script = "import pathlib, sys, zipfile
wheel, end, out = sys.argv[1:]
with zipfile.ZipFile(wheel) as files:
    [name] = [name for name in files.namelist() if name.endswith(end)]
    pathlib.Path(out).write_bytes(files.read(name))";
    let mut python = Command::new(RELEASE.ensure()?.with_file_name("python"));
    output(python.args(["-c", script]).arg(wheel).arg(end).arg(out)).map(drop)
}
