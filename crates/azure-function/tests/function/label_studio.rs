//! A real Label Studio fires every event that it can at the program behind the host.

use crate::setup::{QUEUE, SECRET, assert_clean, azurite, start, variables};
use labelrelay_event::Envelope;
use labelrelay_tests::azure::host::Host;
use labelrelay_tests::label_studio::{self, action};
use labelrelay_tests::recording_proxy::Recorder;
use std::collections::HashMap;

const CONFIG: &str = r#"
[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:LABEL_STUDIO_WEBHOOK_SECRET"
ml_backend = true
"#;

#[test]
#[ignore = "needs Azurite and Label Studio: cargo xtask test"]
fn a_delivery_is_queued() {
    let azurite = azurite();
    let mut variables = variables(&azurite);
    variables.push(("LABELRELAY_CONFIG_TOML", CONFIG.to_owned()));
    let handler = start(&variables);
    let host = Host::start(handler.address, false);
    let recorder = Recorder::start(host.address);
    label_studio::drive(&format!("{}/api/label-studio", recorder.address), SECRET);
    let exchanges = recorder.exchanges();
    for exchange in &exchanges {
        assert!(
            matches!(exchange.status, Some(200..=299)),
            "{}: {:?}; the log:\n{}",
            exchange.request_line,
            exchange.status,
            handler.log()
        );
    }
    let events = label_studio::events(&exchanges);
    // Storage Queue recognises no repeats: each delivery is a message, and consumers go by the id.
    let messages = azurite.drain(QUEUE);
    assert_eq!(messages.len(), events.len());
    let mut queued = HashMap::new();
    for message in &messages {
        let envelope = Envelope::decode(&message.body).expect("an envelope");
        let data = match &envelope.attributes.dataref {
            Some(uri) => {
                let (_, path) = uri
                    .split_once("/labelrelay/")
                    .expect("a URL of the account");
                azurite.blob(path).expect("the claimed body")
            }
            None => envelope.data.bytes().unwrap().unwrap().into_owned(),
        };
        queued.insert(envelope.attributes.id.clone(), data);
    }
    for event in &events {
        let answer: serde_json::Value = serde_json::from_slice(&event.answer).unwrap();
        let id = answer["id"].as_str().unwrap();
        assert!(
            queued.get(id) == Some(&event.body),
            "{}",
            action(&event.body)
        );
    }
    assert_clean(&handler.log(), &["annotation_result"]);
}
