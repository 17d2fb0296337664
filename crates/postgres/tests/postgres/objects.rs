//! The ledgers of pulls, which lie beside the queue.

use crate::setup::ledger_at;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use labelrelay_core::fallback::body_name;
use labelrelay_core::{FallbackStore, Payload};
use labelrelay_testkit::fallback_suite as suite;
use labelrelay_tests::servers::Postgres as Server;
use std::sync::Arc;

async fn ledger(server: &Server, name: &str) -> Arc<dyn FallbackStore> {
    ledger_at(server, &server.url("ledgers"), name).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_ledger_is_kept_in_the_database() {
    let server = Server::start();
    let cars = ledger(&server, "cars").await;
    suite::keeps_envelopes_until_they_are_removed(&*cars).await;
    suite::keeps_bodies_beside_envelopes(&*cars).await;
    suite::lists_more_than_a_page(&*cars).await;
    assert_eq!(server.sql("SELECT count(*) FROM ledgers.objects"), "0");
    cars.put("one", "{}".into()).await.expect("taken");
    let again = ledger(&server, "cars").await;
    assert_eq!(again.list(None, 10).await.expect("listed"), ["one"]);
    let other = ledger(&server, "ships").await;
    assert!(other.list(None, 10).await.expect("listed").is_empty());
}

/// Red if pieces are as large as what comes at once, or in another order.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_large_body_has_pieces() {
    let server = Server::start();
    let cars = ledger(&server, "cars").await;
    let bytes: Vec<u8> = (0..=250).cycle().take(9_000_000).collect();
    let body = Payload::from(Bytes::from(bytes.clone()));
    cars.put_body("large", &body).await.expect("taken");
    let sizes = "SELECT octet_length(bytes) FROM ledgers.objects ORDER BY piece";
    assert_eq!(server.sql(sizes), "4194304\n4194304\n611392");
    let stored = cars.get_body("large").await.expect("read").expect("there");
    assert_eq!(stored.bytes, 9_000_000);
    let pieces: Vec<_> = stored.stream.try_collect().await.expect("all of it");
    assert!(pieces.concat() == bytes, "the same bytes");
}

/// A process that ends between a body and the envelope that names it leaves the body: whether it was to save both, or to
/// remove them. Red if such bodies stay, if one goes that somebody may be about to name, or if all go at once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_body_that_nothing_names_is_removed_a_day_later() {
    let server = Server::start();
    let cars = ledger(&server, "cars").await;
    let ships = ledger(&server, "ships").await;
    let body = Payload::from(Bytes::from_static(b"a ledger"));
    let begun = |hours: u32| {
        let begun = format!("(now() - interval '{hours} hours') AT TIME ZONE 'UTC'");
        server.sql(&format!(
            "SELECT to_char({begun}, 'YYYYMMDD\"T\"HH24MISS') || '.123456789Z-'"
        ))
    };
    let (old, young) = (begun(25), begun(23));
    let named = format!("{old}named");
    let waits = format!("{young}waits");
    for key in [&named, &waits] {
        let name = body_name(key, "digest");
        cars.put_body(&name, &body).await.expect("taken");
    }
    for n in 0..20 {
        let name = body_name(&format!("{old}{n}"), "digest");
        cars.put_body(&name, &body).await.expect("taken");
    }
    let others = body_name(&old, "digest");
    ships.put_body(&others, &body).await.expect("taken");
    let left = || {
        let left = "SELECT count(*) FROM ledgers.objects WHERE is_body AND place = 'ledger/cars'";
        server.sql(left)
    };
    assert_eq!(left(), "22");
    // What is put is there first, and names its body.
    for after in ["6", "2", "2"] {
        cars.put(&named, "{}".into()).await.expect("taken");
        assert_eq!(left(), after);
    }
    for key in [&named, &waits] {
        let kept = cars.get_body(&body_name(key, "digest")).await;
        assert!(kept.expect("read").is_some(), "{key}");
    }
    let kept = ships.get_body(&others).await.expect("read");
    assert!(kept.is_some(), "it is another ledger's");
}
