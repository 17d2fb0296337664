//! Small files are put together, and no event is ever missing meanwhile.

use crate::support::{Dying, Place, to_the_end};
use futures_executor::block_on;
use labelrelay_archive::{Archive, ArchiveError, Segment};
use labelrelay_local::Filter;
use std::cell::Cell;
use std::fs;
use std::sync::Arc;

/// A place with an archive of so many events, in small files.
fn archived(events: u32) -> Place {
    let place = Place::new();
    place.queued(0..events);
    to_the_end(&mut place.feeder().unwrap()).unwrap();
    place
}

fn segments(place: &Place) -> Vec<Segment> {
    let listing = block_on(place.archive().unwrap().list(&Filter::default()));
    listing.unwrap().segments
}

#[test]
fn the_files_of_a_day_become_one() {
    let place = archived(40);
    let before = place.archived();
    let small = segments(&place);
    let archive = place.archive().unwrap();
    let done = block_on(archive.compact("2026-11-24".parse().unwrap())).unwrap();
    assert_eq!(done.written, 2, "one for each source: {done:?}");
    assert!(done.unreadable.is_empty());
    let after = segments(&place);
    assert_eq!(
        after.len() as u64,
        small.len() as u64 - done.removed + done.written
    );
    let of_the_day = |segment: &&Segment| segment.date.to_string() == "2026-11-23";
    assert_eq!(after.iter().filter(of_the_day).count(), 2);
    assert_eq!(place.archived(), before);
    // Nothing is left to do, and the writer goes on.
    let again = block_on(archive.compact("2026-11-24".parse().unwrap())).unwrap();
    assert_eq!((again.written, again.removed), (0, 0));
    place.queued(40..45);
    to_the_end(&mut place.feeder().unwrap()).unwrap();
    assert_eq!(place.archived().len(), 45);
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_the_next_run_ends_it() {
    for dies_at in 0.. {
        let place = archived(20);
        let before = place.archived();
        let dying = Arc::new(Dying::new(place.directory(), dies_at));
        let date = "2026-12-01".parse().unwrap();
        let ended = block_on(async { Archive::open(dying, "x").await?.compact(date).await });
        let between = place.archived();
        assert!(
            before.keys().eq(between.keys()),
            "killed at moment {dies_at}"
        );
        block_on(place.archive().unwrap().compact(date)).unwrap();
        assert_eq!(place.archived(), before, "killed at moment {dies_at}");
        assert_eq!(segments(&place).len(), 4);
        if ended.is_ok() {
            assert!(dies_at > 20, "{dies_at} moments only");
            return;
        }
    }
}

#[test]
fn a_file_that_was_cut_off_is_left_alone() {
    let place = archived(40);
    let small = segments(&place);
    let path = place.path(&small.first().unwrap().name());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let archive = place.archive().unwrap();
    let done = block_on(archive.compact("2026-12-01".parse().unwrap())).unwrap();
    assert_eq!(done.unreadable, [small.first().unwrap().name()]);
    assert!(fs::read(&path).unwrap() == whole[..whole.len() / 2]);
}

/// Files that say that a run is at work.
fn busy_files(place: &Place) -> usize {
    let names = fs::read_dir(place.path("")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with("labelrelay-archive-busy"))
        .count()
}

/// An address that was taken out of files would be back with what somebody had read before.
#[test]
fn files_are_not_put_together_while_an_address_is_taken_out() {
    let place = archived(40);
    let archive = place.archive().unwrap();
    let date = "2026-12-01".parse().unwrap();
    let busy = place.path("labelrelay-archive-busy-1-2.json");
    let is_busy = || busy_files(&place) > 0;
    let before = segments(&place);
    let was_asked = Cell::new(false);
    // In the middle of it, as `change` is called.
    let done = block_on(archive.rewrite(|_| {
        was_asked.set(true);
        assert!(is_busy());
        let other = archive.clone();
        let compacting = std::thread::spawn(move || block_on(other.compact(date)));
        let refused = compacting.join().unwrap().unwrap_err();
        assert!(matches!(refused, ArchiveError::Busy { .. }), "{refused}");
        None
    }));
    assert_eq!(done.unwrap().events, 0);
    assert!(was_asked.get() && !is_busy());
    assert_eq!(segments(&place), before);

    // What a run left that was killed is over after a while.
    for (until, is_over) in [("99999999999", false), ("0", true)] {
        let text = format!("{{\"work\":\"compact\",\"until_s\":{until}}}");
        fs::write(&busy, text).unwrap();
        let done = block_on(archive.rewrite(|_| None));
        assert_eq!(done.is_ok(), is_over, "{done:?}");
        assert_eq!(busy.exists(), !is_over);
    }
    // The same work goes on at once. Who began it may be at work still, so its lease is ended by nobody else.
    fs::write(&busy, "{\"work\":\"compact\",\"until_s\":99999999999}").unwrap();
    block_on(archive.compact(date)).unwrap();
    assert_eq!(segments(&place).len(), 4);
    let refused = block_on(archive.rewrite(|_| None)).unwrap_err();
    assert!(matches!(refused, ArchiveError::Busy { .. }), "{refused}");
}

/// Each run writes what it has read: the second one would put back what the first one took out.
#[test]
fn two_addresses_are_not_taken_out_at_once() {
    let place = archived(5);
    let archive = place.archive().unwrap();
    let was_asked = Cell::new(false);
    let done = block_on(archive.rewrite(|_| {
        was_asked.set(true);
        let other = archive.clone();
        let rewriting = std::thread::spawn(move || block_on(other.rewrite(|_| None)));
        let refused = rewriting.join().unwrap().unwrap_err();
        assert!(matches!(refused, ArchiveError::Busy { .. }), "{refused}");
        None
    }));
    assert_eq!(done.unwrap().events, 0);
    assert!(was_asked.get());
    // It ended.
    block_on(archive.rewrite(|_| None)).unwrap();
}
