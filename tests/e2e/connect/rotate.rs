//! Another secret for a real Label Studio, while somebody annotates.

use super::{connect, count, good, webhooks};
use labelrelay_tests::client::Client;
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::relay::{Site, eventually};
use labelrelay_tests::sender;
use serde_json::json;
use std::process::Stdio;

const CONFIG: &str = r#"
[[source]]
name = "label-studio"
provider = "label-studio"
secret = "file:label-studio.secret"
"#;

const OLD: &str = "old0secret0of0forty0characters0000000000";

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e connect`"]
fn nothing_is_refused_while_the_secret_changes_and_the_old_one_is_at_the_end() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let site = Site::new();
    std::fs::write(site.config(), CONFIG).unwrap();
    let file = site.folder().join("label-studio.secret");
    std::fs::write(&file, OLD).unwrap();
    let relay = site.serve();
    let project = label_studio.project("Cars");
    label_studio.project("Boats");
    good(&site, &label_studio, &[], &["\"Boats\": webhook "]);
    label_studio.import(project, 1, false);
    let task = label_studio.rows("select id from task")[0][0].clone();
    let path = format!("/api/tasks/{task}/annotations/");
    let created = "io.labelstud.annotation.created";

    let mut rotation = super::command(&site, &label_studio, &["--rotate"]);
    let mut rotation = rotation
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut annotated = 0;
    while rotation.try_wait().unwrap().is_none() {
        label_studio.call("POST", &path, &json!({"result": choice("a")}));
        annotated += 1;
    }
    let output = rotation.wait_with_output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{text}");
    for said in ["given the new secret", "the old secret is refused"] {
        assert!(text.contains(said), "no {said:?} in {text}");
    }
    // However slow Label Studio is: some came meanwhile.
    assert!(annotated > 1, "{annotated}");
    label_studio.call("POST", &path, &json!({"result": choice("a")}));
    eventually("every annotation is in the queue", || {
        (count(&site, created) == annotated + 1).then_some(())
    });

    let new = std::fs::read_to_string(&file).unwrap();
    assert!(
        new != OLD && !text.contains(&new) && !text.contains(OLD),
        "{text}"
    );
    let headers = webhooks(&mut label_studio);
    assert!(headers.iter().all(|hook| hook.to_string().contains(&new)));
    for (secret, status) in [(OLD, 401), (new.as_str(), 200)] {
        let body = br#"{"action":"CUSTOM"}"#;
        let request = sender::label_studio(&format!("Bearer {secret}"), body);
        let mut client = Client::connect(relay.address).unwrap();
        assert_eq!(client.exchange(&request).unwrap().status, status);
    }
    good(&site, &label_studio, &["--remove"], &["removed"]);
    assert!(webhooks(&mut label_studio).is_empty());
    let (code, text) = connect(&site, &label_studio, &["--rotate"]);
    assert_eq!(code, 1, "{text}");
}
