use super::RemoteLedger;
use super::copy::LocalCopy;
use super::fetch::PAGE;
use super::save::When;
use crate::error::CliError;
use bytes::Bytes;
use futures_util::stream;
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::ledger::{Key, Known};
use labelrelay_core::{BlobError, BoxFuture, FallbackStore, Ledger as _, Payload};
use labelrelay_local::LedgerFile;
use labelrelay_testkit::clock::FakeClock;
use labelrelay_testkit::in_memory::MemoryFallback;
use std::sync::Arc;
use std::time::Duration;

fn remote() -> (Arc<MemoryFallback>, Arc<FakeClock>, RemoteLedger) {
    let store = Arc::new(MemoryFallback::default());
    let clock = Arc::new(FakeClock::at("2026-11-21T09:00:00Z"));
    let remote = RemoteLedger::new(store.clone(), "memory".to_owned(), clock.clone(), |_| {});
    (store, clock, remote)
}

fn open(copy: &LocalCopy) -> LedgerFile {
    let mut ledger = LedgerFile::open(&copy.file(), "label-studio", "http://localhost").unwrap();
    ledger.track().unwrap();
    ledger
}

/// A ledger that came from no version.
fn copy() -> LocalCopy {
    let copy = LocalCopy::new(Duration::ZERO).unwrap();
    open(&copy);
    copy
}

fn task(id: u64) -> Key {
    Key::new("task", id.to_string())
}

fn seen(version: &str) -> Known {
    Known {
        project: Some("1".to_owned()),
        event_id: format!("0123456789abcdef0123456789abcdef0123456789abcdef {version}"),
        sequence: Some(version.to_owned()),
        ..Known::default()
    }
}

fn record(ledger: &mut LedgerFile, ids: std::ops::Range<u64>, version: &str) {
    let things: Vec<_> = ids.map(|id| (task(id), seen(version))).collect();
    ledger.record(&things, None, None).unwrap();
}

/// Versions of these tasks that the store knows.
async fn known(remote: &RemoteLedger, ids: &[u64]) -> Result<Vec<Option<String>>, CliError> {
    let copy = remote.fetch().await?;
    let ledger = open(&copy);
    let keys: Vec<_> = ids.iter().map(|id| task(*id)).collect();
    let known = ledger.known(&keys).unwrap();
    Ok(known.into_iter().map(|known| known?.sequence).collect())
}

fn run(work: impl Future<Output = Result<(), CliError>>) {
    let runtime = crate::runtime::small().unwrap();
    let done = runtime.block_on(work);
    assert!(done.is_ok(), "{done:?}");
}

/// Replicas with one ledger: what one of them accepted, the one that pulls need not send.
#[test]
fn what_others_saved_is_taken_in_while_the_ledger_is_open() {
    run(async {
        let (_, _, remote) = remote();
        let mut mine = copy();
        let mut ledger = open(&mine);
        record(&mut ledger, 1..2, "1");
        let mut others = remote.fetch().await?;
        record(&mut open(&others), 2..3, "1");
        remote.save(&mut others, When::End).await?;
        // Nothing is taken in twice.
        for _ in 0..2 {
            remote.catch_up(&mut mine).await?;
            assert_eq!(mine.had.len(), 1);
        }
        let both = ledger.known(&[task(1), task(2)]).unwrap();
        assert!(both.iter().all(Option::is_some), "both are known");
        drop(ledger);
        remote.save(&mut mine, When::End).await?;
        let version = Some("1".to_owned());
        assert_eq!(known(&remote, &[1, 2]).await?, [version.clone(), version]);
        Ok(())
    });
}

/// Red if two replicas save everything again and again, each because of what the other took away.
#[test]
fn what_others_took_away_is_no_reason_to_save_everything() {
    run(async {
        let (store, _, remote) = remote();
        let mut mine = copy();
        record(&mut open(&mine), 1..2, "1");
        remote.save(&mut mine, When::End).await?;
        let mut others = remote.fetch().await?;
        record(&mut open(&others), 2..3, "1");
        others.is_torn = true;
        remote.save(&mut others, When::End).await?;
        assert_eq!(store.keys().len(), 1, "one has everything");
        remote.catch_up(&mut mine).await?;
        let had: Vec<_> = mine.had.iter().map(|version| version.key.clone()).collect();
        assert_eq!(had, store.keys());
        assert!(!mine.wants_whole());
        Ok(())
    });
}

/// A store that passes for one that may not be written to. Another run takes its versions away while they are read, piece by
/// piece. With a clock, it takes hours to store a body.
struct Hindered(Arc<MemoryFallback>, Option<Arc<FakeClock>>);

impl FallbackStore for Hindered {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        self.0.put(key, envelope)
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        self.0.list(after, max)
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        self.0.get(key)
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.0.remove(key)
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        if let Some(clock) = &self.1 {
            clock.advance(Duration::from_secs(2 * 60 * 60));
        }
        self.0.put_body(name, body)
    }

    fn get_body<'a>(
        &'a self,
        _name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move {
            for key in self.0.keys() {
                self.0.remove(&key).await?;
            }
            let gone: std::io::Result<Bytes> =
                Err(std::io::Error::other("it was removed while it was read"));
            Ok(Some(StoredBody {
                bytes: 1,
                stream: Box::pin(stream::iter([gone])),
            }))
        })
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.0.remove_body(name)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        let refused = BlobError::permanent("the bucket may not be written to");
        Box::pin(std::future::ready(Err(refused)))
    }
}

#[test]
fn what_is_taken_away_while_it_is_read_is_no_failure() {
    run(async {
        let (store, clock, remote) = remote();
        let mut others = copy();
        record(&mut open(&others), 1..2, "1");
        remote.save(&mut others, When::End).await?;
        let store = Arc::new(Hindered(store, None));
        let remote = RemoteLedger::new(store.clone(), "memory".to_owned(), clock, |_| {});
        let mut mine = remote.fetch().await?;
        assert!(mine.had.is_empty(), "nothing is there any more");
        open(&mine);
        record(&mut open(&others), 2..3, "1");
        remote.save(&mut others, When::End).await?;
        assert_eq!(store.0.keys().len(), 1);
        remote.catch_up(&mut mine).await?;
        assert!(mine.had.is_empty());
        assert!(store.0.keys().is_empty(), "it was read");
        Ok(())
    });
}

/// Whoever stood still in the middle of a save cannot know whether the body is still there.
#[test]
fn a_save_that_took_hours_is_done_anew() {
    run(async {
        let (store, clock, remote) = remote();
        let slow = Arc::new(Hindered(Arc::clone(&store), Some(Arc::clone(&clock))));
        let slow = RemoteLedger::new(slow, "memory".to_owned(), clock, |_| {});
        let mut mine = copy();
        record(&mut open(&mine), 1..2, "1");
        assert!(slow.save(&mut mine, When::End).await.is_err());
        assert!(store.keys().is_empty(), "its body may be gone");
        remote.save(&mut mine, When::End).await?;
        assert_eq!((store.envelopes().len(), store.bodies().len()), (1, 1));
        let version = Some("1".to_owned());
        assert_eq!(known(&remote, &[1]).await?, [version]);
        Ok(())
    });
}

/// Cloud Storage is asked about a bucket, and the right to a ledger's objects may be all that is granted.
#[test]
fn the_rights_to_a_bucket_do_not_count() {
    run(async {
        let (store, clock, _) = remote();
        let store = Arc::new(Hindered(store, None));
        let at = |location: &str| {
            RemoteLedger::new(store.clone(), location.to_owned(), clock.clone(), |_| {})
        };
        assert!(at("s3://bucket/ledger/label-studio").check().await.is_err());
        at("gs://bucket/ledger/label-studio").check().await
    });
}

/// Versions in a store where nobody may remove any.
#[test]
fn all_versions_are_read_however_many_there_are() {
    run(async {
        let (_, _, remote) = remote();
        for _ in 0..=PAGE {
            remote.save(&mut copy(), When::End).await?;
        }
        assert_eq!(remote.fetch().await?.had.len(), PAGE + 1);
        Ok(())
    });
}

#[test]
fn a_version_that_may_not_be_there_is_taken_away_by_the_next() {
    run(async {
        let (store, _, remote) = remote();
        let mut copy = copy();
        store.lie(true);
        assert!(remote.save(&mut copy, When::End).await.is_err());
        store.lie(false);
        remote.save(&mut copy, When::End).await?;
        assert_eq!((store.envelopes().len(), store.bodies().len()), (1, 1));
        assert_eq!(remote.fetch().await?.had.len(), 1);
        Ok(())
    });
}

#[test]
fn a_save_is_as_large_as_what_changed() {
    run(async {
        let (_, clock, remote) = remote();
        let mut copy = copy();
        let mut ledger = open(&copy);
        record(&mut ledger, 0..20_000, "1");
        remote.save(&mut copy, When::Now).await?;
        record(&mut ledger, 7..9, "2");
        remote.save(&mut copy, When::Now).await?;
        let sizes: Vec<_> = copy
            .had
            .iter()
            .map(|version| version.entry.ledger_bytes)
            .collect();
        assert!(sizes[0] > 1_000_000 && sizes[1] < 50_000, "{sizes:?}");
        // Nothing new: watermarks alone wait, but not for ever, and not at the end.
        remote.save(&mut copy, When::Now).await?;
        assert_eq!(copy.had.len(), 2);
        clock.advance(Duration::from_secs(601));
        remote.save(&mut copy, When::Now).await?;
        assert_eq!(copy.had.len(), 3);
        remote.save(&mut copy, When::End).await?;
        assert_eq!(copy.had.len(), 4);
        let versions = known(&remote, &[6, 7, 8, 9, 20_000]).await?;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(versions, [text("1"), text("2"), text("2"), text("1"), None]);
        Ok(())
    });
}

#[test]
fn segments_become_one_ledger_before_they_are_many() {
    run(async {
        let (store, _, remote) = remote();
        let mut copy = copy();
        let mut ledger = open(&copy);
        let mut most = 0;
        for id in 0..120 {
            record(&mut ledger, id..id + 1, "1");
            remote.save(&mut copy, When::Now).await?;
            most = most.max(store.envelopes().len());
            assert_eq!(store.envelopes().len(), store.bodies().len());
        }
        assert!((10..=50).contains(&most), "{most}");
        let ids: Vec<_> = (0..120).collect();
        assert!(known(&remote, &ids).await?.iter().all(Option::is_some));
        Ok(())
    });
}

#[test]
fn changes_of_a_failed_save_are_in_the_next_one() {
    run(async {
        let (store, _, remote) = remote();
        let mut copy = copy();
        let mut ledger = open(&copy);
        record(&mut ledger, 0..5, "1");
        remote.save(&mut copy, When::Now).await?;
        record(&mut ledger, 5..7, "1");
        store.lie(true);
        assert!(remote.save(&mut copy, When::Now).await.is_err());
        record(&mut ledger, 7..8, "1");
        store.lie(false);
        remote.save(&mut copy, When::Now).await?;
        assert_eq!((store.envelopes().len(), copy.had.len()), (2, 2));
        assert!(
            known(&remote, &[0, 5, 6, 7])
                .await?
                .iter()
                .all(Option::is_some)
        );
        Ok(())
    });
}

#[test]
fn a_forgotten_project_stays_forgotten_and_two_writers_lose_nothing() {
    run(async {
        let (store, _, remote) = remote();
        let mut first = copy();
        let mut ledger = open(&first);
        ledger.begin("1").unwrap();
        record(&mut ledger, 0..3, "1");
        remote.save(&mut first, When::Now).await?;
        let mut second = remote.fetch().await?;
        let mut other = open(&second);
        record(&mut other, 10..12, "1");
        remote.save(&mut second, When::End).await?;
        record(&mut ledger, 20..22, "1");
        remote.save(&mut first, When::End).await?;
        assert!(
            known(&remote, &[0, 10, 20])
                .await?
                .iter()
                .all(Option::is_some)
        );
        drop((ledger, other));

        let mut third = remote.fetch().await?;
        let mut ledger = open(&third);
        ledger.forget("1").unwrap();
        remote.save(&mut third, When::End).await?;
        assert_eq!(
            store.envelopes().len(),
            1,
            "it takes away all that went into it"
        );
        assert!(
            known(&remote, &[0, 10, 20])
                .await?
                .iter()
                .all(Option::is_none)
        );
        Ok(())
    });
}
