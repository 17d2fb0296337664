//! The database of several replicas: a server, a standby for which its commits wait, and the links by which each
//! replica reaches them. The faults of it are done here.

mod consumer;
mod link;

use crate::fault::Fault;
use crate::plan::{LATE_PROMOTION, REPLICAS, WINDOW_SECONDS};
use labelrelay_tests::servers::{Postgres, WaitCanceller};
use link::{Cut, Link};
use std::net::SocketAddr;

pub(crate) use consumer::Consumer;

/// Schema of the queue.
const SCHEMA: &str = "lab";

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
    /// Of each replica: to the server, and to the standby.
    links: Vec<[Link; 2]>,
    /// Form of the fault that the database has just now.
    form: String,
    /// The replica that is cut off just now.
    severed: Option<usize>,
    canceller: Option<WaitCanceller>,
}

impl Database {
    /// Starts server and standby. With the sabotage `asynchronous`, no commit waits for the standby.
    pub(crate) fn start(sabotage: Option<&str>) -> Self {
        let waits = format!("synchronous_standby_names={}", Postgres::STANDBY);
        let settings = match sabotage {
            Some("asynchronous") => Vec::new(),
            _ => vec![waits],
        };
        let server = Postgres::start_with(&texts(&settings));
        let standby = server.start_standby(&STANDBY);
        let links = (0..REPLICAS).map(|_| [Link::to(server.address), Link::to(standby.address)]);
        Self {
            links: links.collect(),
            server,
            standby,
            is_promoted: false,
            settings,
            form: String::new(),
            severed: None,
            canceller: None,
        }
    }

    /// Variables by which a replica finds it, through its own links.
    pub(crate) fn variables(&self, replica: usize) -> Vec<(String, String)> {
        let [server, standby] = &self.links[replica];
        let mut variables = self.server.environment();
        let url = url([server.address, standby.address]);
        variables.push(("LABELRELAY_QUEUE".to_owned(), url));
        variables
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
                let cut = match form {
                    "silent" => Cut::Silent,
                    _ => Cut::Reset,
                };
                self.severed = Some(replica);
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
                    for link in &self.links[replica] {
                        link.mend();
                    }
                }
            }
            Fault::DatabaseDown if self.form == "hung" => self.primary().go_on(),
            Fault::DatabaseDown if self.is_promoted => self.standby.start_again_with(&STANDBY),
            Fault::DatabaseDown => self.server.start_again_with(&texts(&self.settings)),
            _ if self.is_promoted => {}
            Fault::StandbyDown => self.standby.start_again_with(&STANDBY),
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

/// URL of the queue. The one of these servers that takes writes is used.
fn url([server, standby]: [SocketAddr; 2]) -> String {
    format!(
        "postgres://postgres@{server},{standby}/postgres?schema={SCHEMA}&repeat_window_s={WINDOW_SECONDS}"
    )
}

fn texts(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}
