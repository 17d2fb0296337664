//! Traces of what the queue took, for a pull that cannot look into it.

use crate::setup::{SECRET, azurite, deliver, start, variables};
use labelrelay_azure::Azure;
use labelrelay_core::config::Environment;
use labelrelay_core::traces::is_of;
use labelrelay_core::{BackEnd, Location};
use labelrelay_startup::SystemClock;
use labelrelay_tests::azure::host::Host;
use labelrelay_tests::sender;
use std::path::Path;
use std::sync::Arc;

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn each_accepted_event_leaves_a_trace() {
    let azurite = azurite();
    let mut variables = variables(&azurite);
    let url = azurite.blob_url("fallback/traces");
    variables.push(("LABELRELAY_TRACES", url.clone()));
    let handler = start(&variables);
    let host = Host::start(handler.address, false);
    let delivered = |secret: &str, tag: &str| {
        let body = sender::label(tag);
        let request = sender::labelbox(secret, "LABEL_CREATED", "d", &body);
        deliver(&host, &request).status
    };
    assert_eq!(delivered(SECRET, "one"), 200);
    assert_eq!(delivered(SECRET, "two"), 200);
    assert_eq!(delivered("another secret of the test", "forged"), 401);

    let environment: Environment = variables.into_iter().collect();
    let azure = Azure::load(&environment, Arc::new(SystemClock::new())).unwrap();
    let listed = async {
        let at = Location {
            url: &url,
            base_dir: Path::new("."),
        };
        let store = BackEnd::fallback(&azure, at).await.unwrap();
        store.list(None, 100).await.unwrap()
    };
    let keys = tokio::runtime::Runtime::new().unwrap().block_on(listed);
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert!(keys.iter().all(|key| is_of(key, "labelbox")), "{keys:?}");
}
