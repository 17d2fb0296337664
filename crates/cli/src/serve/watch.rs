//! Watches the embedded queue for as long as `serve` runs, and tells what somebody has to know of it though no
//! delivery brings it to light.

use labelrelay_local::EmbeddedQueue;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn watch(queue: Arc<EmbeddedQueue>, stop: impl Future<Output = ()>) {
    let looks = async {
        let mut displaced = None;
        loop {
            tell(&mut displaced, queue.displaced());
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = looks => {}
        () = stop => {}
    }
}

/// Says once that the queue's files are not what they were, and once that they are again.
fn tell(before: &mut Option<String>, now: Option<String>) {
    if *before == now {
        return;
    }
    match &now {
        Some(reason) => {
            tracing::error!(name: "queue_displaced", reason, "the queue's files are not what they were: nothing is stored in them");
        }
        None => {
            tracing::info!(name: "queue_back", "the queue's files are back, and take events again");
        }
    }
    *before = now;
}
