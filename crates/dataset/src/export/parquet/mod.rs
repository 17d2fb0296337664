//! Parquet: the tables of the state as they are, for `DuckDB`, pandas and whoever asks in SQL. Everything is in them, also
//! what a policy leaves out: `state`, `skipped` and `split` say so.
//!
//! Each table is a folder. Those that grow with the dataset have a file for each [part](crate::store::parts) of the state.

mod tables;
mod values;

use super::writer::Written;
use crate::DatasetError;
use crate::about::Configs;
use crate::earlier::Earlier;
use crate::manifest::TABLES as FOLDER;
use crate::output::{Output, file_name, hex};
use crate::redact::Addresses;
use crate::split::Splits;
use crate::store::parts::{self, Part};
use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params_from_iter};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;
use tables::{Kind, Rows, SNAPSHOTS, TABLES, Table};
pub(crate) use values::Shown;
use values::{Around, split};

/// A group of rows is written when it has so many, or so many bytes.
const ROWS: usize = 50_000;
const BYTES: usize = 16 * 1024 * 1024;

/// Writes all tables, but for the parts that did not change since the `earlier` snapshot, which come from there; their names
/// within the snapshot, and their digests.
pub(crate) fn write(
    db: &Connection,
    dir: &Path,
    shown: Shown,
    earlier: Option<&Earlier>,
    database: impl Fn(rusqlite::Error) -> DatasetError,
) -> Result<Vec<Written>, DatasetError> {
    let parts = parts::all(db).map_err(&database)?;
    let mut written = Vec::new();
    for table in &TABLES {
        let folder = format!("{FOLDER}{}", table.name);
        let Rows::OfPart { changed, .. } = table.rows else {
            let name = format!("{folder}/all.parquet");
            let digest = table.write_file(db, &dir.join(&name), &[], shown, &database)?;
            written.push((name, digest));
            continue;
        };
        for part in &parts {
            let name = format!("{folder}/{}", place(part));
            let unchanged = earlier.filter(|earlier| changed(part) <= earlier.revision);
            let taken = match unchanged {
                Some(earlier) => earlier.take_over(&name, dir)?,
                None => None,
            };
            let digest = match taken {
                Some(digest) => digest,
                None => table.write_file(db, &dir.join(&name), &part.range(), shown, &database)?,
            };
            written.push((name, digest));
        }
        if parts.is_empty() {
            // Readers want one file, to know the columns.
            let name = format!("{folder}/none.parquet");
            let digest = table.write_file(db, &dir.join(&name), &[""; 4], shown, &database)?;
            written.push((name, digest));
        }
    }
    Ok(written)
}

/// Form of the tables: a digest of their columns, and of what fills them. Parts of two forms do not make one table.
pub(crate) fn form() -> String {
    let mut hash = Sha256::new();
    for table in &TABLES {
        hash.update(table.schema());
        hash.update(table.statement());
    }
    hex(&hash.finalize())
}

/// The place of a part's rows within the folder of a table: the project, and the range of its tasks. Parts of other ranges
/// have other names.
fn place(part: &Part) -> String {
    let project = match part.project.as_str() {
        "" => file_name(&[part.source.as_str()]),
        project => file_name(&[part.source.as_str(), project]),
    };
    // Readers of a folder pass over names that begin with `_` or `.`.
    let mark = if project.is_empty() || project.starts_with(['_', '.', '-']) {
        "-"
    } else {
        ""
    };
    let low = match part.low.as_str() {
        "" => "first",
        low => low,
    };
    let high = match part.high.as_str() {
        parts::END => "last",
        high => high,
    };
    format!("{mark}{project}/{}.parquet", file_name(&[low, high]))
}

/// Writes the table of snapshots to `path`.
pub(crate) fn write_snapshots(
    db: &Connection,
    path: &Path,
    database: impl Fn(rusqlite::Error) -> DatasetError,
) -> Result<(), DatasetError> {
    // It has no column of which anything is chosen.
    let shown = Shown {
        splits: Splits::default(),
        addresses: Addresses::None,
        authors: false,
    };
    let written = SNAPSHOTS.write_file(db, path, &[], shown, &database);
    written.map(drop)
}

enum Stop {
    Database(rusqlite::Error),
    File(ParquetError),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<ParquetError> for Stop {
    fn from(error: ParquetError) -> Self {
        Self::File(error)
    }
}

impl Table {
    /// Writes a file with the rows of a part, or with all of them; its digest.
    fn write_file(
        &self,
        db: &Connection,
        path: &Path,
        range: &[&str],
        shown: Shown,
        database: &dyn Fn(rusqlite::Error) -> DatasetError,
    ) -> Result<String, DatasetError> {
        let output = Output::create(path)?;
        let written = self.write(db, output, range, shown);
        let output = written.map_err(|stop| match stop {
            Stop::Database(error) => database(error),
            Stop::File(error) => DatasetError::new(
                path,
                error.to_string(),
                "look at the disk, and run this again",
            ),
        })?;
        output.end()
    }

    fn write(
        &self,
        db: &Connection,
        output: Output,
        range: &[&str],
        shown: Shown,
    ) -> Result<Output, Stop> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let schema = Arc::new(parse_message_type(&self.schema())?);
        let mut writer = SerializedFileWriter::new(output, schema, Arc::new(properties))?;
        let mut statement = db.prepare_cached(&self.statement())?;
        let mut rows = statement.query(params_from_iter(range))?;
        let mut group = Group::of(self.columns);
        let mut around = Around {
            db,
            shown,
            configs: Configs::default(),
        };
        while let Some(row) = rows.next()? {
            group.add(self.columns, row, &mut around)?;
            if group.rows >= ROWS || group.bytes >= BYTES {
                std::mem::replace(&mut group, Group::of(self.columns)).write(&mut writer)?;
            }
        }
        if group.rows > 0 {
            group.write(&mut writer)?;
        }
        Ok(writer.into_inner()?)
    }

    fn schema(&self) -> String {
        let columns = self.columns.iter().map(|(name, kind)| match kind {
            Kind::Bytes => format!("OPTIONAL BYTE_ARRAY {name};"),
            Kind::Whole => format!("OPTIONAL INT64 {name};"),
            Kind::Real => format!("OPTIONAL DOUBLE {name};"),
            _ => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
        });
        format!(
            "message {} {{ {} }}",
            self.name,
            columns.collect::<Vec<_>>().join(" ")
        )
    }
}

/// Values of a column, and for each row whether there is one.
#[derive(Default)]
struct Column {
    levels: Vec<i16>,
    /// Texts, one behind the other, and where each of them ends: there may be a million, most of them short.
    texts: Vec<u8>,
    ends: Vec<usize>,
    whole: Vec<i64>,
    real: Vec<f64>,
}

impl Column {
    fn push(&mut self, text: &[u8]) {
        self.texts.extend_from_slice(text);
        self.ends.push(self.texts.len());
    }
}

/// Texts that stand one behind the other.
fn parted(texts: Vec<u8>, ends: &[usize]) -> Vec<ByteArray> {
    let texts = ByteArray::from(texts);
    let mut start = 0;
    let part = |end: &usize| {
        let part = texts.slice(start, end - start);
        start = *end;
        part
    };
    ends.iter().map(part).collect()
}

/// Rows that are written together.
struct Group {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl Group {
    fn of(columns: &[(&str, Kind)]) -> Self {
        Self {
            columns: columns.iter().map(|_| Column::default()).collect(),
            rows: 0,
            bytes: 0,
        }
    }

    fn add(
        &mut self,
        kinds: &[(&str, Kind)],
        row: &Row<'_>,
        around: &mut Around<'_>,
    ) -> rusqlite::Result<()> {
        let shown = around.shown;
        for (place, (column, (_, kind))) in self.columns.iter_mut().zip(kinds).enumerate() {
            let is_there = match (kind, row.get_ref(place)?) {
                (Kind::Whole, ValueRef::Integer(number)) => {
                    column.whole.push(number);
                    true
                }
                (Kind::Real, ValueRef::Real(number)) => {
                    column.real.push(number);
                    true
                }
                (Kind::Split, _) => {
                    column.push(split(row, shown.splits)?.as_bytes());
                    true
                }
                (Kind::Media, _) => {
                    let address = around.media(row)?;
                    if let Some(address) = &address {
                        self.bytes += address.len();
                        column.push(address.as_bytes());
                    }
                    address.is_some()
                }
                (_, value) => match shown.bytes(*kind, value) {
                    Some(bytes) => {
                        self.bytes += bytes.len();
                        column.push(&bytes);
                        true
                    }
                    None => false,
                },
            };
            column.levels.push(i16::from(is_there));
        }
        self.rows += 1;
        self.bytes += 16 * self.columns.len();
        Ok(())
    }

    fn write(self, writer: &mut SerializedFileWriter<Output>) -> Result<(), ParquetError> {
        let mut group = writer.next_row_group()?;
        for values in self.columns {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            let levels = Some(values.levels.as_slice());
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(to) => {
                    to.write_batch(&parted(values.texts, &values.ends), levels, None)?
                }
                ColumnWriter::Int64ColumnWriter(to) => {
                    to.write_batch(&values.whole, levels, None)?
                }
                ColumnWriter::DoubleColumnWriter(to) => {
                    to.write_batch(&values.real, levels, None)?
                }
                _ => 0,
            };
            column.close()?;
        }
        group.close().map(drop)
    }
}
