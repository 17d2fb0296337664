//! A release's files: the wheel, the Debian package, the archive and the package for Azure, each installed in a root
//! that holds a new system, no Rust and nothing of ours, and run there. Every file has its checksum, every product the
//! licences of what is in it, every program its bill of materials. `cargo xtask release --dry-run` makes the files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod archive;
mod azure;
mod bills;
mod checksums;
mod clean_root;
mod deb;
mod files;
mod licences;
mod speed;
mod systemd_unit;
mod wheel;
