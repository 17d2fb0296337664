//! Traces of what Pub/Sub took, for a pull that cannot look into it.

use crate::service::{SECRET, Service, named, variables};
use labelrelay_core::config::Environment;
use labelrelay_core::traces::is_of;
use labelrelay_core::{BackEnd, Location};
use labelrelay_google::Google;
use labelrelay_tests::client::once;
use labelrelay_tests::sender;
use labelrelay_tests::servers::{FakeGcs, PubSub};
use std::path::Path;

const TRACES: &str = "gs://kept/traces";

#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn each_accepted_event_leaves_a_trace() {
    let (pubsub, storage) = (PubSub::start(), FakeGcs::start());
    storage.bucket("kept");
    let queue = pubsub.topic("traced");
    let mut variables = variables(&pubsub, &queue);
    variables.extend(storage.environment());
    variables.extend(named(&[("LABELRELAY_TRACES", TRACES)]));
    let service = Service::start(&variables);
    let deliver = |secret: &str, tag: &str| {
        let body = sender::label(tag);
        let request = sender::labelbox(secret, "LABEL_CREATED", "d", &body);
        once(service.address, &request).status
    };
    assert_eq!(deliver(SECRET, "one"), 200);
    assert_eq!(deliver(SECRET, "two"), 200);
    assert_eq!(deliver("another secret of the test", "forged"), 401);

    let environment: Environment = variables.into_iter().collect();
    let google = Google::load(&environment).unwrap();
    let listed = async {
        let at = Location {
            url: TRACES,
            base_dir: Path::new("."),
        };
        let store = BackEnd::fallback(&google, at).await.unwrap();
        store.list(None, 100).await.unwrap()
    };
    let keys = tokio::runtime::Runtime::new().unwrap().block_on(listed);
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert!(keys.iter().all(|key| is_of(key, "labelbox")), "{keys:?}");
}
