//! Parquet: the tables of the state as they are, for `DuckDB`, pandas and whoever asks in SQL. Everything is in them, also
//! what a policy leaves out: `state`, `skipped` and `split` say so.

mod tables;

use super::writer::Written;
use crate::DatasetError;
use crate::output::Output;
use crate::split::Splits;
use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::Path;
use std::sync::Arc;
use tables::Kind::{Bytes, Real, Split as Part, Text, Whole};
use tables::{Kind, SNAPSHOTS, TABLES, Table};

/// A group of rows is written when it has so many, or so many bytes.
const ROWS: usize = 50_000;
const BYTES: usize = 16 * 1024 * 1024;

/// Writes all tables; their names within the snapshot, and their digests.
pub(crate) fn write(
    db: &Connection,
    dir: &Path,
    splits: Splits,
    database: impl Fn(rusqlite::Error) -> DatasetError,
) -> Result<Vec<Written>, DatasetError> {
    let dir = dir.join("parquet");
    let mut written = Vec::new();
    for table in &TABLES {
        let name = format!("{}.parquet", table.name);
        let digest = table.write_file(db, &dir.join(&name), splits, &database)?;
        written.push((format!("parquet/{name}"), digest));
    }
    Ok(written)
}

/// Writes the table of snapshots to `path`.
pub(crate) fn write_snapshots(
    db: &Connection,
    path: &Path,
    database: impl Fn(rusqlite::Error) -> DatasetError,
) -> Result<(), DatasetError> {
    let written = SNAPSHOTS.write_file(db, path, Splits::default(), &database);
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
    /// Writes a file; its digest.
    fn write_file(
        &self,
        db: &Connection,
        path: &Path,
        splits: Splits,
        database: &dyn Fn(rusqlite::Error) -> DatasetError,
    ) -> Result<String, DatasetError> {
        let output = Output::create(path)?;
        let output = self.write(db, output, splits).map_err(|stop| match stop {
            Stop::Database(error) => database(error),
            Stop::File(error) => DatasetError::new(
                path,
                error.to_string(),
                "look at the disk, and run this again",
            ),
        })?;
        output.end()
    }

    fn write(&self, db: &Connection, output: Output, splits: Splits) -> Result<Output, Stop> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let schema = Arc::new(parse_message_type(&self.schema())?);
        let mut writer = SerializedFileWriter::new(output, schema, Arc::new(properties))?;
        let mut statement = db.prepare(self.sql)?;
        let mut rows = statement.query([])?;
        let mut group = Group::of(self.columns);
        while let Some(row) = rows.next()? {
            group.add(self.columns, row, splits)?;
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
            Text | Part => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
            Bytes => format!("OPTIONAL BYTE_ARRAY {name};"),
            Whole => format!("OPTIONAL INT64 {name};"),
            Real => format!("OPTIONAL DOUBLE {name};"),
        });
        format!(
            "message {} {{ {} }}",
            self.name,
            columns.collect::<Vec<_>>().join(" ")
        )
    }
}

/// Values of a column, and for each row whether there is one.
struct Column {
    levels: Vec<i16>,
    bytes: Vec<ByteArray>,
    whole: Vec<i64>,
    real: Vec<f64>,
}

/// Rows that are written together.
struct Group {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl Group {
    fn of(columns: &[(&str, Kind)]) -> Self {
        let empty = || Column {
            levels: Vec::new(),
            bytes: Vec::new(),
            whole: Vec::new(),
            real: Vec::new(),
        };
        Self {
            columns: columns.iter().map(|_| empty()).collect(),
            rows: 0,
            bytes: 0,
        }
    }

    fn add(
        &mut self,
        kinds: &[(&str, Kind)],
        row: &Row<'_>,
        splits: Splits,
    ) -> rusqlite::Result<()> {
        for (place, (column, (_, kind))) in self.columns.iter_mut().zip(kinds).enumerate() {
            let text;
            let value = if *kind == Part {
                let name = |at: usize| {
                    row.get::<_, Option<String>>(at)
                        .map(Option::unwrap_or_default)
                };
                text = splits.of(&name(0)?, &name(1)?, &name(2)?).as_str();
                ValueRef::Text(text.as_bytes())
            } else {
                row.get_ref(place)?
            };
            let is_there = match (kind, value) {
                (Text | Bytes | Part, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => {
                    self.bytes += bytes.len();
                    column.bytes.push(bytes.to_vec().into());
                    true
                }
                (Whole, ValueRef::Integer(number)) => {
                    column.whole.push(number);
                    true
                }
                (Real, ValueRef::Real(number)) => {
                    column.real.push(number);
                    true
                }
                _ => false,
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
                    to.write_batch(&values.bytes, levels, None)?
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
