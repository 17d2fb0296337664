//! What befalls a server while `serve` runs.

use super::SCHEMA;
use crate::clouds::queue_server::{self, QueueServer as _};
use crate::clouds::{delivered, ids};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Postgres;
use std::collections::BTreeSet;

/// No longer than a delivery waits here whose event is not taken. One that is late for another reason is sent again.
const DEADLINE_MS: &str = "3000";

/// Ends the connections, which else would go on as before.
const NEW_CONNECTIONS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'relay'";

/// A wrong password, a missing right, and a server that takes no writes: each is 503 and a line that names it, and the event
/// is taken once it is over.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn what_befalls_the_server_later_is_503_and_a_line_that_names_it() {
    let server = Postgres::start();
    let password = server.environment().remove(0).1;
    server.sql(&format!("CREATE ROLE relay LOGIN PASSWORD '{password}'"));
    server.sql("GRANT CREATE ON DATABASE postgres TO relay");
    let url = server.url(SCHEMA).replace("postgres@", "relay@");
    let address = server.address.to_string();
    let good = format!("ALTER ROLE relay PASSWORD '{password}'");
    queue_server::over(&server, |cloud| {
        let place = cloud.place(DEADLINE_MS).with("LABELRELAY_QUEUE", &url);
        let serving = place.serve(&[]);
        let mut accepted = BTreeSet::new();
        let mut deliver = |tag: &str| {
            let answer = delivered(&serving, &sender::label(tag));
            let is_taken = answer.status == 200;
            if is_taken {
                accepted.insert(answer.member("id").unwrap());
            } else {
                assert_eq!(answer.status, 503, "{}", answer.text());
            }
            is_taken
        };
        eventually("the first event is taken", || deliver("x").then_some(()));
        for (name, begins, ends, words) in [
            (
                "password",
                "ALTER ROLE relay PASSWORD 'another'",
                good.as_str(),
                ["password authentication failed", "correct the password"],
            ),
            (
                "right",
                "REVOKE INSERT ON events.events FROM relay",
                "GRANT INSERT ON events.events TO relay",
                ["permission denied for table events", "docs/postgres.md"],
            ),
            (
                "readonly",
                "ALTER ROLE relay SET default_transaction_read_only = on",
                "ALTER ROLE relay RESET default_transaction_read_only",
                ["read-only transaction", "name the primary"],
            ),
        ] {
            // In transactions of their own: the new connections find it so.
            server.sql(begins);
            server.sql(NEW_CONNECTIONS);
            let mut number = 0;
            let mut tag = String::new();
            eventually(name, || {
                number += 1;
                tag = format!("{name}{number}");
                let is_refused = !deliver(&tag);
                let log = place.read("serve.log");
                let is_told = log.contains(&address) && words.iter().all(|word| log.contains(word));
                (is_refused && is_told).then_some(())
            });
            server.sql(ends);
            server.sql(NEW_CONNECTIONS);
            eventually("it is taken", || deliver(&tag).then_some(()));
        }
        assert_eq!(serving.stop(), 0);
        let queued = ids(&server.take_all());
        let distinct: BTreeSet<_> = queued.iter().cloned().collect();
        assert_eq!(distinct.len(), queued.len(), "no id is there twice");
        // One whose answer was lost may be there, too.
        assert!(accepted.is_subset(&distinct), "what was taken is there");
    });
}
