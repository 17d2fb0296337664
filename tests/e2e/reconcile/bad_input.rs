//! Bad input is named, with the cure; the watermark stays where it was.

use super::{reconcile, run, summary, text};
use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::relay::Site;
use labelrelay_tests::servers::free_ports;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

/// Asserts that it fails, and says each of these.
fn refused(command: &mut Command, said: &[&str]) {
    let output = command.output().unwrap();
    let told = text(&output.stderr);
    assert!(!output.status.success(), "{told}");
    for words in said {
        assert!(told.contains(words), "{words:?} is not in: {told}");
    }
}

/// A web server that is no Label Studio.
fn web_page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _head = stream.read(&mut [0; 4096]).unwrap();
            let page =
                "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>";
            let _gone = stream.write_all(page.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn a_fault_is_named_and_nothing_moves() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let (base, token) = (label_studio.base.clone(), label_studio.token.clone());
    let site = Site::new();
    let first = label_studio.project("first");
    label_studio.import(first, 3, true);

    let wrong = "ffffffffffffffffffffffffffffffffffffffff";
    let command = || reconcile(&site, &base, &token);
    refused(
        &mut reconcile(&site, &base, wrong),
        &["refuses the token", "env:LABEL_STUDIO_API_KEY", "401"],
    );
    let [port] = free_ports();
    refused(
        &mut reconcile(&site, &format!("http://127.0.0.1:{port}"), &token),
        &["cannot connect to", "see that the server runs"],
    );
    refused(
        &mut reconcile(&site, &web_page(), &token),
        &["is not what Label Studio's API answers", "a web page"],
    );
    refused(
        command().args(["--project", "9999"]),
        &["project 9999 is gone", "--project 9999"],
    );
    refused(
        command().env_remove("LABEL_STUDIO_API_KEY"),
        &["LABEL_STUDIO_API_KEY is not set"],
    );
    refused(
        command().args(["--source", "labelbox"]),
        &["no such source", "label-studio"],
    );
    refused(
        &mut reconcile(&site, "127.0.0.1", &token),
        &["begins with http://"],
    );
    let secret_shown = command().args(["--token", &token]).output().unwrap();
    assert!(!secret_shown.status.success());
    assert!(text(&secret_shown.stderr).contains("where the secret is"));

    // Nothing was remembered of any of it: everything is still to be sent.
    assert_eq!(summary(&site, &label_studio, &["--dry-run"])["sent"], 6);
    assert_eq!(summary(&site, &label_studio, &[])["sent"], 6);

    // A failure in the middle: the watermark of what was not looked through stays.
    let second = label_studio.project("second");
    label_studio.import(second, 2, true);
    refused(
        command().args(["--project", &second.to_string(), "--project", "9999"]),
        &["project 9999 is gone"],
    );
    assert_eq!(summary(&site, &label_studio, &[])["sent"], 4);

    // Another installation has the same ids.
    let [_, host] = base.split("//").collect::<Vec<_>>()[..] else {
        panic!("{base}")
    };
    let elsewhere = format!("http://localhost:{}", host.rsplit(':').next().unwrap());
    refused(
        &mut reconcile(&site, &elsewhere, &token),
        &["is about", "--moved"],
    );

    vanished(&mut label_studio, &site, second);
}

/// A project that is no longer seen is not taken for deleted, unless somebody says so.
fn vanished(label_studio: &mut LabelStudio, site: &Site, project: u64) {
    let path = format!("/api/projects/{project}/");
    label_studio.call("DELETE", &path, &serde_json::Value::Null);
    let events = site.export().len();
    let mut again = reconcile(site, &label_studio.base, &label_studio.token);
    let said = format!("project {project}");
    refused(
        &mut again,
        &["gone, or no longer seen", &said, "--deleted-project"],
    );
    assert_eq!(site.export().len(), events);
    let deleted = summary(
        site,
        label_studio,
        &["--deleted-project", &project.to_string()],
    );
    assert_eq!(deleted["deleted"], 4, "{deleted}");
    run(site, label_studio, &[]);
}
