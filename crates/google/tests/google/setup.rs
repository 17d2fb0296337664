//! Shared by the tests: settings as a process would read them, and the consumer's side of a topic.

use labelrelay_core::BoxFuture;
use labelrelay_google::Google;
use labelrelay_testkit::queue_suite::{Reader, Received};
use labelrelay_tests::servers::{PubSub, Pulled};
use std::time::Duration;

/// The longest time that Pub/Sub lends a message for.
const LONGEST: Duration = Duration::from_secs(600);

/// Google's services, configured by an environment.
pub(crate) fn google(variables: &[(String, String)]) -> Google {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    Google::load(&lookup).expect("settings")
}

/// A subscription of an emulator's.
pub(crate) struct Consumer<'a> {
    pub(crate) server: &'a PubSub,
    pub(crate) subscription: String,
}

impl Reader for Consumer<'_> {
    fn receive(&self, max: usize, visibility: Duration) -> BoxFuture<'_, Vec<Received>> {
        let got = self.server.pull(&self.subscription, max);
        let ids: Vec<_> = got.iter().map(|message| message.ack_id.as_str()).collect();
        if !ids.is_empty() && visibility < LONGEST {
            self.server
                .lend(&self.subscription, &ids, visibility.as_secs());
        }
        Box::pin(std::future::ready(got.iter().map(received).collect()))
    }

    fn acknowledge<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, bool> {
        self.server.acknowledge(&self.subscription, &[receipt]);
        // Pub/Sub does not say whether a receipt was still good.
        Box::pin(std::future::ready(true))
    }
}

fn received(message: &Pulled) -> Received {
    Received {
        body: message.data.clone(),
        receive_count: message.attempt,
        receipt: message.ack_id.clone(),
    }
}
