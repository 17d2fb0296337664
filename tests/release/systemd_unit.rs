//! The unit for systemd: it is right, and gives the program little to break.

use crate::clean_root::CleanRoot;
use crate::files;

#[test]
#[ignore = "needs files of a release and a root: cargo xtask release --dry-run"]
fn systemd_finds_no_fault_in_it_and_little_exposure() {
    let root = CleanRoot::new();
    root.put(&files::one(".deb"), "/dist");
    root.run("dpkg --install /dist/*.deb");
    let faults = root.run("systemd-analyze verify --man=no labelrelay.service 2>&1");
    assert_eq!(faults, "");
    // In tenths.
    let exposure =
        root.run("systemd-analyze security --offline=true --threshold=20 labelrelay.service");
    let line = exposure
        .lines()
        .find(|line| line.contains("Overall exposure"));
    println!("{}", line.unwrap());
}
