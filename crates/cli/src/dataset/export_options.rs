//! Contents of a snapshot, as the command line says them.

use crate::durations::parse_duration;
use clap::builder::{NonEmptyStringValueParser, RangedU64ValueParser};
use labelrelay_dataset::{Addresses, Format, MediaCopy, Options, Splits, Which};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct ExportOptions {
    /// coco, yolo, yolo-seg, yolo-obb, jsonl, parquet
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "coco", value_parser = format)]
    format: Vec<Format>,
    /// Annotations of a task: latest, ground-truth, all
    #[arg(long, default_value = "latest", value_parser = which)]
    which: Which,
    /// Percent for training, validation and test
    #[arg(long, value_name = "T/V/T", default_value = "80/10/10", value_parser = splits)]
    split: Splits,
    /// Only annotations in this state: approved, rejected, a step's name
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    state: Option<String>,
    /// Copies of media, to name and to read sizes from (repeatable)
    #[arg(long, value_name = "ADDRESS=PATH")]
    media: Vec<MediaCopy>,
    /// Leave out: author, urls
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = without)]
    without: Vec<Without>,
    /// Keep the queries of addresses: they may be signatures
    #[arg(long)]
    keep_queries: bool,
    /// Snapshots that are kept
    #[arg(long, value_name = "N", default_value = "10", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    keep: usize,
    /// Keep all that are younger, too
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    keep_for: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    Author,
    Urls,
}

impl ExportOptions {
    pub(super) fn options(&self) -> Options {
        let first = self.format.first().copied().unwrap_or(Format::Coco);
        let mut options = Options::of(first);
        for format in &self.format {
            if !options.formats.contains(format) {
                options.formats.push(*format);
            }
        }
        options.which = self.which;
        options.splits = self.split;
        options.state.clone_from(&self.state);
        options.media.clone_from(&self.media);
        options.authors = !self.without.contains(&Without::Author);
        options.addresses = if self.without.contains(&Without::Urls) {
            Addresses::None
        } else if self.keep_queries {
            Addresses::Whole
        } else {
            Addresses::WithoutQuery
        };
        options.keep = self.keep;
        options.keep_for = self.keep_for;
        options
    }
}

fn format(text: &str) -> Result<Format, String> {
    let found = Format::ALL
        .into_iter()
        .find(|format| format.as_str() == text);
    found.ok_or_else(|| "write coco, yolo, yolo-seg, yolo-obb, jsonl or parquet".to_owned())
}

fn without(text: &str) -> Result<Without, String> {
    match text {
        "author" => Ok(Without::Author),
        "urls" => Ok(Without::Urls),
        _ => Err("write author, urls, or both".to_owned()),
    }
}

fn which(text: &str) -> Result<Which, String> {
    let found = Which::ALL.into_iter().find(|which| which.as_str() == text);
    found.ok_or_else(|| "write latest, ground-truth or all".to_owned())
}

fn splits(text: &str) -> Result<Splits, String> {
    let parts: Option<Vec<u8>> = text
        .split('/')
        .map(|part| part.trim().parse().ok())
        .collect();
    let splits = match parts.as_deref() {
        Some([train, val, rest]) => Splits::percent(*train, *val, *rest),
        _ => None,
    };
    splits
        .ok_or_else(|| "write three whole numbers that make a hundred, such as 80/10/10".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_make_a_hundred() {
        assert_eq!(splits("80/10/10"), Ok(Splits::default()));
        for wrong in ["80/10", "80/10/11", "a/b/c", "80/10/10/0", "-1/1/100"] {
            assert!(splits(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format("yolo-obb").map(Format::as_str), Ok("yolo-obb"));
        assert!(format("COCO").is_err());
        assert!(without("author").is_ok() && without("authors").is_err());
    }
}
