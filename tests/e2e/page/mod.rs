//! The page in a real browser: a person sees deliveries come, finds one, and sees what was drawn. What a payload says
//! does nothing there.

use labelrelay_tests::program;
use labelrelay_tests::relay::{SECRET, Site, secrets};
use labelrelay_tests::servers::installed;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
#[ignore = "needs Chromium and Playwright: run it with `cargo xtask e2e page`"]
fn deliveries_are_seen_in_a_browser() {
    let _machine = crate::beside_others();
    let site = Site::new();
    let relay = site.serve();
    let told = program::command()
        .args(["status", "--page-url", "--config"])
        .arg(site.config())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .envs(secrets())
        .output()
        .unwrap();
    assert!(told.status.success(), "{told:?}");
    let url = String::from_utf8(told.stdout).unwrap();
    let axe = installed("LABELRELAY_TEST_AXE").join("node_modules/axe-core/axe.min.js");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/page/look.py");
    // Pictures for the documents, into the folder of this absolute path.
    let screenshots = std::env::var_os("LABELRELAY_TEST_SCREENSHOTS");
    let screenshots = screenshots.map(|folder| ["--screenshots".into(), folder]);
    let looked = Command::new(installed("LABELRELAY_TEST_BROWSER_PYTHON"))
        .arg("-B")
        .arg(script)
        .args(screenshots.into_iter().flatten())
        .args(["--url", url.trim()])
        .args(["--relay", &format!("http://{}", relay.address)])
        .args(["--secret", SECRET, "--chromium"])
        .arg(installed("LABELRELAY_TEST_CHROMIUM"))
        .arg("--axe")
        .arg(axe)
        .current_dir(site.folder())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        looked.status.success(),
        "{}\n{}\n{}",
        String::from_utf8_lossy(&looked.stdout),
        String::from_utf8_lossy(&looked.stderr),
        relay.log()
    );
    // How long things took.
    print!("{}", String::from_utf8_lossy(&looked.stdout));
}
