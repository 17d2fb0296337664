//! The Debian package: program, documents, and a service of its own account.

use super::folder::Folder;
use super::version::{VERSION, commit_time};
use super::{archive, glibc, licences};
use crate::Outcome;
use crate::paths::root;
use crate::step::{output, status};
use std::path::Path;
use std::process::Command;

/// Debian's word for a kind of processor.
fn architecture(target: &str) -> Outcome<&'static str> {
    match target.split('-').next() {
        Some("x86_64") => Ok("amd64"),
        Some("aarch64") => Ok("arm64"),
        _ => Err(format!("no Debian architecture is known for {target}").into()),
    }
}

pub(super) fn pack(folder: &Folder, target: &str, program: &Path) -> Outcome {
    let architecture = architecture(target)?;
    let stage = folder.stage("deb")?;
    let usr = stage.join("usr");
    let documents = usr.join("share/doc/labelrelay");
    install(program, &usr.join("bin/labelrelay"), 0o755)?;
    install(
        &root().join("packaging/labelrelay.service"),
        &usr.join("lib/systemd/system/labelrelay.service"),
        0o644,
    )?;
    for file in ["README.md", "CHANGELOG.md"] {
        install(&root().join(file), &documents.join(file), 0o644)?;
    }
    archive::copy_folder(&root().join("docs"), &documents.join("docs"))?;
    std::fs::write(documents.join("copyright"), copyright(target)?)?;
    let completions = usr.join("share/bash-completion/completions");
    std::fs::create_dir_all(&completions)?;
    let bash = output(Command::new(program).args(["completions", "bash"]))?;
    std::fs::write(completions.join("labelrelay"), bash)?;

    let debian = stage.join("DEBIAN");
    std::fs::create_dir_all(&debian)?;
    for script in ["postinst", "prerm", "postrm"] {
        let from = root().join("packaging/debian").join(script);
        install(&from, &debian.join(script), 0o755)?;
    }
    let control = std::fs::read_to_string(root().join("packaging/debian/control"))?
        .replace("@VERSION@", VERSION)
        .replace("@ARCHITECTURE@", architecture)
        .replace("@SIZE@", &(size(&usr)? / 1024).to_string())
        .replace("@LIBRARIES@", &libraries(program)?);
    std::fs::write(debian.join("control"), control)?;
    // Nobody's umask has a say.
    status(
        Command::new("chmod")
            .args(["-R", "u=rwX,go=rX"])
            .arg(&stage),
    )?;
    status(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "--build"])
            .arg(&stage)
            .arg(folder.join(&format!("labelrelay_{VERSION}_{architecture}.deb")))
            .env("SOURCE_DATE_EPOCH", commit_time()?),
    )
}

/// Packages of the libraries that the program loads, to be put after others.
fn libraries(program: &Path) -> Outcome<String> {
    let mut packages = String::new();
    if let Some((major, minor)) = glibc::newest(program)? {
        packages = format!(", libc6 (>= {major}.{minor})");
    }
    for library in glibc::needed(program)? {
        match library.as_str() {
            "libgcc_s.so.1" => packages.push_str(", libgcc-s1"),
            _ if OF_THE_C_LIBRARY.iter().any(|own| library.starts_with(own)) => {}
            _ => {
                return Err(
                    format!("the program loads {library}, and control does not say so").into(),
                );
            }
        }
    }
    Ok(packages)
}

const OF_THE_C_LIBRARY: [&str; 6] = [
    "libc.so.",
    "libm.so.",
    "libdl.so.",
    "libpthread.so.",
    "librt.so.",
    "ld-linux",
];

fn copyright(target: &str) -> Outcome<String> {
    let read = |name: &str| std::fs::read_to_string(root().join(name));
    let third_party = std::fs::read_to_string(licences::write(target)?)?;
    Ok(format!(
        "License: MIT OR Apache-2.0\n\n{}\n\n{}\n\n{third_party}",
        read("LICENSE-MIT")?,
        read("LICENSE-APACHE")?
    ))
}

fn install(from: &Path, to: &Path, mode: u32) -> Outcome {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::copy(from, to)?;
    #[cfg(unix)]
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = mode;
    Ok(())
}

fn size(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            size(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}
