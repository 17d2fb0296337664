//! An archive that somebody else had their hands in.

use crate::support::{Place, to_the_end};
use futures_executor::block_on;
use labelrelay_archive::{ArchiveError, Search, Segment};
use labelrelay_local::{Filter, Pattern};
use std::fs;
use std::path::PathBuf;

/// A place with an archive of four events.
fn archived() -> (Place, Vec<Segment>) {
    let place = Place::new();
    place.queued(0..4);
    to_the_end(&mut place.feeder().unwrap()).unwrap();
    let listing = block_on(place.archive().unwrap().list(&Filter::default())).unwrap();
    assert!(listing.foreign.is_empty());
    (place, listing.segments)
}

#[test]
fn another_layout_and_a_foreign_file_are_refused_and_left_alone() {
    let place = Place::new();
    assert!(matches!(place.archive(), Err(ArchiveError::Missing { .. })));
    let version = place.path("labelrelay-archive.json");
    for (text, is_newer) in [
        ("{\"layout\":2,\"compression\":\"zstd\"}", true),
        ("{\"layout\":1}", false),
        ("layout 1", false),
        ("", false),
    ] {
        fs::write(&version, text).unwrap();
        for error in [
            place.archive().map(drop).unwrap_err(),
            place.feeder().map(drop).unwrap_err(),
        ] {
            let told = match &error {
                ArchiveError::OtherLayout { found, .. } => is_newer && *found == 2,
                ArchiveError::Foreign { .. } => !is_newer,
                _ => false,
            };
            assert!(told, "{text}: {error}");
        }
        assert_eq!(fs::read_to_string(&version).unwrap(), text);
    }
}

#[test]
fn foreign_files_beside_the_events_are_named() {
    let (place, segments) = archived();
    let name = segments.first().unwrap().name();
    let folder = place.path(&name).parent().unwrap().to_owned();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    fs::write(folder.join("part-0.parquet"), "PAR1").unwrap();
    let listing = block_on(place.archive().unwrap().list(&Filter::default())).unwrap();
    assert_eq!(listing.segments, segments);
    assert_eq!(listing.foreign.len(), 2, "{:?}", listing.foreign);
}

#[test]
fn of_a_file_that_was_cut_off_what_is_whole_is_read_and_the_rest_is_told() {
    let (place, segments) = archived();
    let archive = place.archive().unwrap();
    let segment = segments.first().unwrap();
    let path = place.path(&segment.name());
    let whole = fs::read(&path).unwrap();
    for content in [&whole[..whole.len() - 3], b"", b"a,b\n1,2\n"] {
        fs::write(&path, content).unwrap();
        let lines = block_on(archive.read(segment)).unwrap().unwrap();
        assert!(lines.damage().is_some());
    }
    fs::remove_file(&path).unwrap();
    assert!(block_on(archive.read(segment)).unwrap().is_none());
}

/// The batch was begun and not ended, and meanwhile one of its files was cut off.
#[test]
fn a_file_that_was_cut_off_is_written_anew_with_its_batch() {
    // Without its last bytes, all of its lines can be read.
    for is_of_the_end in [false, true] {
        let place = Place::new();
        place.queued(0..4);
        let dies_at = (1..1000).find(|dies_at| {
            let _ = fs::remove_dir_all(place.path(""));
            let dying = crate::support::Dying::new(place.directory(), *dies_at);
            let begun = place.feeder_into(std::sync::Arc::new(dying));
            let _killed = begun.and_then(|mut feeder| to_the_end(&mut feeder));
            first_file(&place).is_some()
        });
        let file = first_file(&place).unwrap_or_else(|| panic!("none after {dies_at:?}"));
        let whole = fs::read(&file).unwrap();
        let left = if is_of_the_end {
            whole.len() - 3
        } else {
            whole.len() / 2
        };
        fs::write(&file, &whole[..left]).unwrap();
        to_the_end(&mut place.feeder().unwrap()).unwrap();
        assert!(fs::read(&file).unwrap() == whole);
        assert_eq!(place.archived().len(), 4);
    }
}

fn first_file(place: &Place) -> Option<PathBuf> {
    let listing = block_on(place.archive().ok()?.list(&Filter::default())).unwrap();
    let name = listing.segments.first()?.name();
    Some(place.path(&name))
}

#[test]
fn a_search_finds_by_what_an_event_is_about_and_by_time() {
    let place = Place::new();
    place.queued(0..40);
    to_the_end(&mut place.feeder().unwrap()).unwrap();
    let archive = place.archive().unwrap();
    let found = |filter: Filter| -> Vec<String> {
        let search = Search::new(filter);
        let listing = block_on(archive.list(search.filter())).unwrap();
        let mut ids = Vec::new();
        for segment in &listing.segments {
            let lines = block_on(archive.read(segment)).unwrap().unwrap();
            ids.extend(
                search
                    .events(&lines)
                    .map(|event| event.unwrap().attributes.id),
            );
        }
        ids.sort();
        ids
    };
    let subject = Filter {
        subject: Some(Pattern::within("label/3")),
        ..Filter::default()
    };
    assert_eq!(found(subject), ["id0003"]);
    let id = Filter {
        id: Some(Pattern::begins("id001")),
        source: Some(Pattern::within("/labelbox")),
        ..Filter::default()
    };
    assert_eq!(
        found(id),
        ["id0010", "id0012", "id0014", "id0016", "id0018"]
    );
    let day = |text: &str| {
        let time: jiff::Timestamp = text.parse().unwrap();
        Some(time.as_millisecond())
    };
    let first_day = Filter {
        before_ms: day("2026-11-24T00:00:00Z"),
        ..Filter::default()
    };
    let all = found(Filter::default());
    let (first, rest): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|id| id[2..].parse::<u32>().unwrap() / 5 % 2 == 0);
    assert_eq!(found(first_day), first);
    let later = Filter {
        from_ms: day("2026-11-24T00:00:00Z"),
        ..Filter::default()
    };
    assert_eq!(found(later), rest);
}
