//! The database of several replicas: a server, a standby for which its commits wait, and the links by which each
//! replica reaches them. The faults of it are done here.

mod consumer;
mod link;
mod namespace;

use crate::fault::Fault;
use crate::plan::{LATE_PROMOTION, REPLICAS, WINDOW_SECONDS};
use crate::process::Surroundings;
use labelrelay_tests::servers::{Postgres, WaitCanceller};
use link::{Cut, Link};
use namespace::Namespace;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Once;

pub(crate) use consumer::Consumer;

/// Schema of the queue.
const SCHEMA: &str = "lab";

/// A server keeps what its standby may not have yet, however long that is down: it would never catch up, and no commit
/// would ever end.
const KEEPS: &str = "wal_keep_size=512MB";

/// A standby looks for its server again at once, and not some seconds later.
const STANDBY: [&str; 1] = ["wal_retrieve_retry_interval=100ms"];

/// Its servers, and what is wrong with them.
pub(crate) struct Database {
    server: Postgres,
    standby: Postgres,
    /// The standby has taken the server's place.
    is_promoted: bool,
    /// Settings of the server.
    settings: Vec<String>,
    /// Of each replica: to the server, and to the standby. They go before the networks in which they are.
    links: Vec<[Link; 2]>,
    /// Of each replica; none where this process may make none.
    namespaces: Vec<Namespace>,
    /// Form of the fault that the database has just now.
    form: String,
    /// The replica that is cut off just now.
    severed: Option<usize>,
    canceller: Option<WaitCanceller>,
}

impl Database {
    /// Starts server and standby. With the sabotage `asynchronous`, no commit waits for the standby.
    pub(crate) fn start(sabotage: Option<&str>) -> Self {
        let mut settings = vec![KEEPS.to_owned()];
        if sabotage != Some("asynchronous") {
            settings.push(format!("synchronous_standby_names={}", Postgres::STANDBY));
        }
        let server = Postgres::start_with(&texts(&settings));
        let standby = server.start_standby(&STANDBY);
        let namespaces = namespaces();
        let links = (0..REPLICAS).map(|replica| {
            let namespace = namespaces.get(replica);
            let near = namespace.map_or(Ipv4Addr::LOCALHOST, Namespace::database);
            [server.address, standby.address].map(|far| Link::between(near, far))
        });
        let database = Self {
            links: links.collect(),
            namespaces,
            server,
            standby,
            is_promoted: false,
            settings,
            form: String::new(),
            severed: None,
            canceller: None,
        };
        // Before, each commit waits, and a sender that hangs up gets no event.
        database.server.wait_for_standby();
        database
    }

    /// What a replica finds around it: its network, and the database behind its own links.
    pub(crate) fn surroundings(&self, replica: usize) -> Surroundings {
        let [server, standby] = &self.links[replica];
        let mut around = Surroundings {
            variables: self.server.environment(),
            ..Surroundings::default()
        };
        let url = url([server.address, standby.address]);
        let variable = ("LABELRELAY_QUEUE".to_owned(), url);
        around.variables.push(variable);
        if let Some(namespace) = self.namespaces.get(replica) {
            around.command = namespace.command();
            around.listen = format!("{}:0", namespace.replica());
        }
        around
    }

    /// Begins to consume, over links that nobody cuts.
    pub(crate) fn consume(&self) -> Consumer {
        let url = url([self.server.address, self.standby.address]);
        Consumer::start(url, self.server.environment())
    }

    /// Number of events that nobody has consumed yet, or that are dead letters; `None` before there are tables.
    pub(crate) fn left(&self) -> Option<u64> {
        let primary = if self.is_promoted {
            &self.standby
        } else {
            &self.server
        };
        let there = format!("SELECT to_regclass('{SCHEMA}.dead_letters') IS NOT NULL");
        if primary.sql(&there) != "t" {
            return None;
        }
        let counted = format!(
            "SELECT (SELECT count(*) FROM {SCHEMA}.events) + (SELECT count(*) FROM {SCHEMA}.dead_letters)"
        );
        Some(primary.sql(&counted).parse().unwrap())
    }

    /// Begins a fault of the database or of a link, in this form.
    pub(crate) fn begin(&mut self, fault: Fault, form: &str, replica: usize) {
        match fault {
            Fault::Severed => {
                self.severed = Some(replica);
                let cut = match (form, self.namespaces.get(replica)) {
                    ("silent", Some(namespace)) => return namespace.cut(),
                    ("silent", None) => Cut::Silent,
                    _ => Cut::Reset,
                };
                for link in &self.links[replica] {
                    link.cut(cut);
                }
                return;
            }
            Fault::DatabaseDown => match form {
                "stopped" => self.primary().stop(),
                "crashed" => self.primary().crash(),
                _ => self.primary().hang(),
            },
            _ if self.is_promoted => {}
            Fault::StandbyDown => self.standby.stop(),
            Fault::Promoted if form == LATE_PROMOTION => {
                self.standby.stop();
                self.canceller = Some(self.server.cancel_waits());
            }
            Fault::Promoted => self.server.crash(),
            _ => unreachable!("{fault:?} is no fault of a database"),
        }
        form.clone_into(&mut self.form);
    }

    /// Ends it.
    pub(crate) fn end(&mut self, fault: Fault) {
        match fault {
            Fault::Severed => {
                if let Some(replica) = self.severed.take() {
                    if let Some(namespace) = self.namespaces.get(replica) {
                        namespace.mend();
                    }
                    for link in &self.links[replica] {
                        link.mend();
                    }
                }
            }
            Fault::DatabaseDown if self.form == "hung" => self.primary().go_on(),
            Fault::DatabaseDown if self.is_promoted => self.standby.start_again_with(&STANDBY),
            Fault::DatabaseDown => {
                self.server.start_again_with(&texts(&self.settings));
                self.server.wait_for_standby();
            }
            _ if self.is_promoted => {}
            Fault::StandbyDown => {
                self.standby.start_again_with(&STANDBY);
                self.server.wait_for_standby();
            }
            Fault::Promoted => {
                if let Some(canceller) = self.canceller.take() {
                    drop(canceller);
                    // What the standby lacks now it never gets.
                    self.server.crash();
                    self.standby.start_again_with(&STANDBY);
                }
                self.standby.promote();
                self.is_promoted = true;
            }
            _ => unreachable!("{fault:?} is no fault of a database"),
        }
    }

    /// The server that takes writes.
    fn primary(&mut self) -> &mut Postgres {
        if self.is_promoted {
            &mut self.standby
        } else {
            &mut self.server
        }
    }
}

/// A namespace for each replica; none, and why, where this process may make none.
fn namespaces() -> Vec<Namespace> {
    static TOLD: Once = Once::new();
    let made: Result<Vec<_>, String> = (0..REPLICAS).map(|_| Namespace::new()).collect();
    made.unwrap_or_else(|why| {
        TOLD.call_once(|| {
            println!("replicas have no networks of their own, and are cut off by a relay in front of the database: {why}");
        });
        Vec::new()
    })
}

/// URL of the queue. The one of these servers that takes writes is used.
fn url([server, standby]: [SocketAddr; 2]) -> String {
    format!(
        "postgres://postgres@{server},{standby}/postgres?schema={SCHEMA}&repeat_window_s={WINDOW_SECONDS}&sslmode=disable"
    )
}

fn texts(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}
