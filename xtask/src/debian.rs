//! Debian's packages: a program that is installed if it is missing, and a root with nothing in it but a new system.

use crate::Outcome;
use crate::cache_folder;
use crate::paths::cache;
use crate::runtimes;
use crate::step::{find, output, python, status};
use std::path::PathBuf;
use std::process::Command;

/// In a root besides what every system has: what a wheel and a service are installed with.
const PACKAGES: &str = "--include=python3-venv,systemd,adduser";

/// A root of this machine's own distribution and release, without Rust, as an archive that tests unpack.
pub(crate) fn clean_root() -> Outcome<PathBuf> {
    rights()?;
    let debootstrap = installed_program("debootstrap")?;
    let (release, mirror) = source()?;
    let folder = cache()?.join(format!("clean-root-{release}-1"));
    let archive = folder.join("root.tar");
    cache_folder::ensure(&folder, || {
        let root = folder.join("root");
        // In a name space of its own, so that nothing stays mounted, however it ends.
        let mut make = Command::new("unshare");
        make.arg("--mount").arg(&debootstrap);
        make.args(["--variant=minbase", PACKAGES, &release]);
        output(make.arg(&root).arg(&mirror))?;
        output(Command::new("chroot").arg(&root).args(["apt-get", "clean"]))?;
        // Whoever keeps the cache need not be able to keep devices and owners.
        let mut pack = Command::new("tar");
        pack.args(["--create", "--file"]).arg(&archive);
        output(pack.arg("--directory").arg(&root).arg("."))?;
        std::fs::remove_dir_all(root)?;
        Ok(())
    })?;
    Ok(archive)
}

/// Fails for whoever could not make that root, before anything is built.
pub(crate) fn rights() -> Outcome {
    let user = output(Command::new("id").arg("-u"))?;
    if user.trim() == "0" {
        return Ok(());
    }
    Err("a release's files are installed in a root of their own, which needs root's rights: `sudo --preserve-env --set-home env \"PATH=$PATH\" \"RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}\" cargo xtask test`; `cargo xtask test --quick` needs none".into())
}

/// Source of this machine's own packages: the release's name and the mirror.
fn source() -> Outcome<(String, String)> {
    let mut ask = Command::new("apt-get");
    ask.args([
        "indextargets",
        "--format",
        "$(RELEASE) $(REPO_URI)",
        "Created-By: Packages",
    ]);
    let told = output(&mut ask)
        .map_err(|error| format!("a release is tried on Debian or Ubuntu alone ({error})"))?;
    let mut words = told.split_whitespace();
    match (words.next(), words.next()) {
        (Some(release), Some(mirror)) => Ok((release.to_owned(), mirror.to_owned())),
        _ => Err("apt has no source of packages: see /etc/apt/sources.list".into()),
    }
}

/// Installs the packages that a test run needs and this machine lacks, where that is allowed: as root, on a system
/// with apt. Elsewhere the step that needs one says so, or goes without.
pub(crate) fn install_what_is_missing() -> Outcome {
    if rights().is_err() || find("apt-get").is_none() {
        return Ok(());
    }
    let python_is_whole = output(python().args(["-c", "import venv, ensurepip"])).is_ok();
    let needs = [
        ("g++", find("c++").is_some()),
        ("python3-venv", python_is_whole),
        // Any from 17 on will do.
        ("default-jre-headless", runtimes::own_java().is_some()),
        ("debootstrap", find("debootstrap").is_some()),
        ("chromium", runtimes::own_chromium().is_some()),
    ];
    let missing: Vec<&str> = needs
        .into_iter()
        .filter_map(|(package, there)| (!there).then_some(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing packages of this system: {}", missing.join(" "));
    install(&missing)
}

/// Path of a Chromium.
pub(crate) fn chromium() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("LABELRELAY_TEST_CHROMIUM") {
        return Ok(path.into());
    }
    match runtimes::own_chromium() {
        Some(program) => Ok(program),
        None => installed_program("chromium"),
    }
}

/// Path of Prometheus' checker of rules. It is taken out of its package: who installs that gets a service, too.
pub(crate) fn promtool() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("LABELRELAY_TEST_PROMTOOL") {
        return Ok(path.into());
    }
    if let Some(program) = find("promtool") {
        return Ok(program);
    }
    let folder = cache()?.join("promtool-1");
    let filled = cache_folder::ensure(&folder, || {
        let download = || {
            let mut fetch = Command::new("apt-get");
            fetch.args(["download", "--quiet=2", "prometheus"]);
            output(fetch.current_dir(&folder))
        };
        // A machine that never asked knows no packages.
        if download().is_err() {
            output(Command::new("apt-get").args(["update", "--quiet=2"]))?;
            download()?;
        }
        for file in std::fs::read_dir(&folder)? {
            let package = file?.path();
            if package.extension().is_some_and(|found| found == "deb") {
                let mut extract = Command::new("dpkg-deb");
                extract.arg("--extract").arg(&package).arg(&folder);
                output(&mut extract)?;
                std::fs::remove_file(package)?;
            }
        }
        Ok(())
    });
    filled.map_err(|error| {
        format!("promtool is needed (https://prometheus.io/download/, or Debian's package prometheus): put it on the PATH, or set LABELRELAY_TEST_PROMTOOL to it ({error})")
    })?;
    Ok(folder.join("usr/bin/promtool"))
}

/// Path of a program of the package of the same name.
fn installed_program(name: &str) -> Outcome<PathBuf> {
    if find(name).is_none() {
        install(&[name])?;
    }
    find(name).ok_or_else(|| format!("{name} is needed: `apt-get install {name}`").into())
}

fn install(packages: &[&str]) -> Outcome {
    let refused = |error| {
        format!(
            "`apt-get install {}` is needed ({error})",
            packages.join(" ")
        )
    };
    status(Command::new("apt-get").args(["update", "--quiet=2"])).map_err(refused)?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet=2", "--no-install-recommends"]);
    install.args(packages);
    status(install.env("DEBIAN_FRONTEND", "noninteractive")).map_err(refused)?;
    Ok(())
}
