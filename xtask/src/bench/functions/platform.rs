//! The measured parts of each cloud: the program, and the emulator that is its queue.

use super::programs::Programs;
use crate::bench::deliveries::SECRET;
use labelrelay_tests::servers::{Azurite, PubSub};
use std::path::PathBuf;

/// Variables of a program.
pub(super) type Environment = Vec<(String, String)>;

pub(super) struct Platform {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    /// The variable that names the port.
    pub(super) port: &'static str,
    /// Path before a source's.
    pub(super) below: &'static str,
    /// URL of the queue.
    pub(super) queue: String,
    /// Variables that lead to the emulator.
    pub(super) emulator: Environment,
    /// The emulator; it ends with this.
    server: Server,
}

/// Name of the queue.
const QUEUE: &str = "bench";

enum Server {
    PubSub(PubSub),
    Azurite(Box<Azurite>),
}

impl Platform {
    pub(super) fn google(programs: &Programs) -> Self {
        // Some ten thousand messages a second, of one window.
        let server = PubSub::start_with_memory("3g");
        Self {
            name: "Cloud Run, Pub/Sub",
            program: programs.cloud_function.clone(),
            port: "PORT",
            below: "",
            queue: server.topic(QUEUE),
            emulator: server.environment(),
            server: Server::PubSub(server),
        }
    }

    pub(super) fn azure(programs: &Programs) -> Self {
        let server = Azurite::start();
        server.make_queue(QUEUE);
        Self {
            name: "Azure Functions, Storage Queue",
            program: programs.azure_function.clone(),
            port: "FUNCTIONS_CUSTOMHANDLER_PORT",
            below: "/api",
            queue: server.queue_url(QUEUE),
            emulator: Vec::new(),
            server: Server::Azurite(Box::new(server)),
        }
    }

    /// Empties the queue: emulators hold it in their memory, and what fills that makes them slow.
    pub(super) fn clear(&self) {
        match &self.server {
            Server::PubSub(server) => server.clear(QUEUE),
            Server::Azurite(server) => server.clear(QUEUE),
        }
    }

    /// Variables of the program, but for its port.
    pub(super) fn environment(&self) -> Environment {
        let mut environment = self.emulator.clone();
        environment.extend(
            [
                ("LABELRELAY_QUEUE", self.queue.as_str()),
                ("LABELBOX_WEBHOOK_SECRET", SECRET),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        environment
    }
}
