//! Names of an archive's files. Tools that know nothing of labelrelay read them: parts of the form `NAME=VALUE` are columns to
//! them.

use jiff::civil::Date;

/// The layout that this program reads and writes. A change of any name below, or of what a line is, needs a new number.
pub(crate) const LAYOUT: u64 = 1;

/// Says that a place is an archive, and of which layout.
pub(crate) const VERSION_FILE: &str = "labelrelay-archive.json";

/// Beginning of the names of files that are there while somebody replaces others, one for each run.
pub(crate) const BUSY_FILES: &str = "labelrelay-archive-busy";

/// Beginning of the names of all files with events.
pub(crate) const SOURCES: &str = "source=";

/// Beginning of the names of notes on what is missing.
pub(crate) const GAPS: &str = "gaps/";

const SUFFIX: &str = ".ndjson.gz";

/// Events of a source whose name is no name of a source, as programs of others may write.
const OTHER: &str = "_other";

/// A file of events: of one source and one day, written by one writer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Segment {
    /// The day on which the events were received, in UTC.
    pub date: Date,
    /// Number of the batch's first event in the writer's queue. The batch may have events of other sources and days.
    pub first: u64,
    /// Number of the batch's last event.
    pub last: u64,
    /// Random name of the writer.
    pub writer: u64,
    /// Name of the source.
    pub source: String,
}

impl Segment {
    /// The file's name.
    pub fn name(&self) -> String {
        let Self {
            date,
            first,
            last,
            writer,
            source,
        } = self;
        format!("{SOURCES}{source}/date={date}/{writer:016x}-{first:020}-{last:020}{SUFFIX}")
    }

    /// The segment of this name; `None` if it is none's.
    pub fn parse(name: &str) -> Option<Self> {
        let (source, rest) = name.strip_prefix(SOURCES)?.split_once("/date=")?;
        let (date, rest) = rest.split_once('/')?;
        let mut parts = rest.strip_suffix(SUFFIX)?.split('-');
        let segment = Self {
            date: date.parse().ok()?,
            source: source.to_owned(),
            writer: u64::from_str_radix(parts.next()?, 16).ok()?,
            first: parts.next()?.parse().ok()?,
            last: parts.next()?.parse().ok()?,
        };
        // Numbers and dates have other forms, too.
        (segment.name() == name && !source.contains('/')).then_some(segment)
    }

    /// What files share that may be put together.
    pub(crate) fn place(&self) -> (String, Date, u64) {
        (self.source.clone(), self.date, self.writer)
    }
}

/// Tells whether this is the name of a folder: some stores list folders as if they were files, and so do others once a person
/// has made one.
pub(crate) fn is_folder(name: &str) -> bool {
    let is_of_a_day = |(_, rest): (&str, &str)| rest.starts_with("date=") && !rest.contains('/');
    name.ends_with('/') || name.split_once('/').is_none_or(is_of_a_day)
}

/// The folder's name for events of the source that an envelope names.
pub(crate) fn source_of(source: &str) -> &str {
    let name = source.strip_prefix('/').unwrap_or(source);
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if begins_well && name.len() <= 64 && name.bytes().all(plain) {
        name
    } else {
        OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(first: u64, last: u64) -> Segment {
        Segment {
            date: "2026-11-24".parse().unwrap(),
            first,
            last,
            writer: 0xab,
            source: "label-studio".to_owned(),
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        let segment = segment(1, 256);
        let name = segment.name();
        assert_eq!(
            name,
            "source=label-studio/date=2026-11-24/00000000000000ab-00000000000000000001-00000000000000000256.ndjson.gz"
        );
        assert_eq!(Segment::parse(&name), Some(segment));
        for other in [
            name.replace("2026-11-24", "20261124"),
            name.replace("2026-11-24", "2026-13-24"),
            name.replace(".gz", ".zst"),
            name.replace("ab-0", "AB-0"),
            name.replace("label-studio", "label/studio"),
            name.replace("0001-", "+001-"),
            name.replace("source=", ""),
            "source=x/date=2026-11-24/notes.txt".to_owned(),
            String::new(),
        ] {
            assert_eq!(Segment::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn folders_are_no_files() {
        for folder in [
            "source=a",
            "source=a/",
            "source=a/date=2026-11-24",
            "source=a/date=2026-11-24/",
        ] {
            assert!(is_folder(folder), "{folder}");
        }
        for file in ["source=a/notes.txt", "source=a/date=2026-11-24/notes.txt"] {
            assert!(!is_folder(file), "{file}");
        }
    }

    #[test]
    fn a_folder_is_named_after_a_source_and_after_nothing_else() {
        assert_eq!(source_of("/label-studio"), "label-studio");
        for odd in [
            "",
            "/",
            "/../x",
            "/A",
            "https://example.org/x",
            "/a/b",
            "/_other",
        ] {
            assert_eq!(source_of(odd), OTHER, "{odd}");
        }
    }
}
