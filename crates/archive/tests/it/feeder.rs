//! Everything is written, once, whatever ends the writer.

use crate::support::{Dying, HOLD, Place, feeder_of, message, to_the_end};
use futures_executor::block_on;
use labelrelay_archive::{ArchiveError, Reason};
use labelrelay_core::OutboundMessage;
use labelrelay_event::Envelope;
use labelrelay_local::QueueFile;
use std::sync::Arc;
use std::time::Duration;

/// Each of these is in the archive once: its bytes are what was queued, and so is its body where that has line breaks.
fn each_is_there_once(place: &Place, messages: &[OutboundMessage], at: &str) {
    let archived = place.archived();
    assert_eq!(archived.len(), messages.len(), "{at}");
    for message in messages {
        let (line, times) = archived.get(message.id()).unwrap();
        assert_eq!(*times, 1, "{at}: {}", message.id());
        if message.body.contains(&b'\n') {
            let (line, queued) = (Envelope::decode(line), Envelope::decode(&message.body));
            let (line, queued) = (line.unwrap(), queued.unwrap());
            assert_eq!(line.attributes, queued.attributes);
            assert_eq!(line.data.bytes().unwrap(), queued.data.bytes().unwrap());
        } else {
            assert!(message.body == line[..], "{at}: {}", message.id());
        }
    }
}

#[test]
fn every_event_is_written_once() {
    let place = Place::new();
    let mut messages = place.queued(0..30);
    let mut feeder = place.feeder().unwrap();
    assert_eq!(feeder.behind().unwrap(), 30);
    let steps = to_the_end(&mut feeder).unwrap();
    let events: Vec<u64> = steps.iter().map(|step| step.events).collect();
    assert_eq!(events, [7, 7, 7, 7, 2]);
    assert_eq!(feeder.behind().unwrap(), 0);
    each_is_there_once(&place, &messages, "the first time");
    // Another feeder goes on where this one ended, and nothing is written if nothing came.
    drop(feeder);
    messages.extend(place.queued(30..33));
    let mut feeder = place.feeder().unwrap();
    assert_eq!(to_the_end(&mut feeder).unwrap().first().unwrap().events, 3);
    assert_eq!(block_on(feeder.step()).unwrap().events, 0);
    each_is_there_once(&place, &messages, "the second time");
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_writes_nothing_twice() {
    for dies_at in 0.. {
        let place = Place::new();
        let mut messages = place.queued(0..16);
        let dying = Arc::new(Dying::new(place.directory(), dies_at));
        let ended = place
            .feeder_into(dying)
            .and_then(|mut feeder| to_the_end(&mut feeder));
        // The batch that was begun has to stay as it was.
        messages.extend(place.queued(16..20));
        let mut feeder = place.feeder().unwrap();
        to_the_end(&mut feeder).unwrap();
        each_is_there_once(&place, &messages, &format!("killed at moment {dies_at}"));
        if ended.is_ok() {
            assert!(dies_at > 20, "{dies_at} moments only");
            return;
        }
    }
}

#[test]
fn what_is_pruned_before_it_was_written_is_named() {
    let place = Place::new();
    place.queued(0..3);
    let feeder = place.feeder().unwrap();
    let file = place.file();
    let acknowledge_all = || {
        let taken = file.receive(100, Duration::from_secs(60)).unwrap();
        let receipts = taken.iter().map(|delivery| delivery.receipt.as_str());
        file.acknowledge_all(&receipts.collect::<Vec<_>>()).unwrap();
    };
    acknowledge_all();
    place.clock.advance(HOLD / 2);
    assert_eq!(
        file.prune(Duration::ZERO).unwrap(),
        0,
        "they are waited for"
    );
    place.clock.advance(HOLD);
    assert_eq!(file.prune(Duration::ZERO).unwrap(), 3);
    let written = place.queued(3..5);
    drop(feeder);
    let mut feeder = place.feeder().unwrap();
    let step = block_on(feeder.step()).unwrap();
    assert_eq!(step.events, 2);
    let gaps = block_on(place.archive().unwrap().gaps()).unwrap();
    assert_eq!(gaps, step.gaps);
    let [gap] = &gaps[..] else {
        panic!("{gaps:?}");
    };
    assert_eq!((gap.first, gap.last, gap.events), (1, 3, Some(3)));
    assert_eq!(gap.reason, Reason::Pruned);
    assert!(gap.to_string().contains("from 1 to 3"), "{gap}");
    each_is_there_once(&place, &written, "behind the gap");
    let told_again = block_on(feeder.step()).unwrap().gaps;
    assert!(told_again.is_empty(), "{told_again:?}");
}

/// Whoever copies a queue file copies the writer's name with it.
#[test]
fn two_writers_of_one_name_find_out() {
    let place = Place::new();
    let mut messages = place.queued(0..2);
    drop(place.feeder().unwrap());
    let copy = place.dir.path().join("copy.db");
    std::fs::copy(place.queue(), &copy).unwrap();
    messages.extend(place.queued(2..4));
    to_the_end(&mut place.feeder().unwrap()).unwrap();

    let file = QueueFile::open(&copy, Arc::new(place.clock.clone())).unwrap();
    let others: Vec<_> = (100..102).map(message).collect();
    file.append(&others, 0).unwrap();
    let mut feeder = feeder_of(file, place.directory()).unwrap();
    let error = to_the_end(&mut feeder).unwrap_err();
    assert!(matches!(error, ArchiveError::Taken { .. }), "{error}");
    feeder.rename(0xa2).unwrap();
    to_the_end(&mut feeder).unwrap();
    // What both had is there twice, with one id.
    let archived = place.archived();
    let times = |message: &OutboundMessage| archived.get(message.id()).map(|(_, times)| *times);
    let twice = messages.iter().take(2).map(times);
    assert_eq!(twice.collect::<Vec<_>>(), [Some(2), Some(2)]);
    let once = messages.iter().skip(2).chain(&others).map(times);
    assert_eq!(once.collect::<Vec<_>>(), [Some(1); 4]);
}

/// A new archive begins with all that the queue has, whatever was in another one.
#[test]
fn another_archive_begins_anew() {
    let place = Place::new();
    let messages = place.queued(0..4);
    to_the_end(&mut place.feeder().unwrap()).unwrap();
    std::fs::remove_dir_all(place.path("")).unwrap();
    let store = place.directory();
    let archive = block_on(labelrelay_archive::Archive::open_or_create(
        store, "x", 0x2d,
    ));
    let feeder = labelrelay_archive::Feeder::begin(
        place.file(),
        archive.unwrap(),
        labelrelay_archive::Limits::default(),
        HOLD,
        1,
    );
    to_the_end(&mut feeder.unwrap()).unwrap();
    each_is_there_once(&place, &messages, "the new one");
}
