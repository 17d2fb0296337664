//! Classes and their numbers. A number is given once and for ever: a new class never shifts those of the others, nor
//! does one that nobody uses any more.

use rusqlite::{Connection, Transaction};

/// Gives a class its number, if it has none.
pub(crate) fn note(db: &Transaction<'_>, name: &str, seen: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO classes(class_id, name, first_seen)
         VALUES((SELECT coalesce(max(class_id), -1) + 1 FROM classes), ?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute((name, seen))
    .map(drop)
}

/// Names of all classes; the place of each is its number.
#[derive(Debug, Default)]
pub(crate) struct ClassList(pub(crate) Vec<String>);

impl ClassList {
    pub(crate) fn read(db: &Connection) -> rusqlite::Result<Self> {
        db.prepare("SELECT name FROM classes ORDER BY class_id")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()
            .map(Self)
    }

    /// Numbers by name.
    pub(crate) fn numbers(&self) -> std::collections::HashMap<&str, usize> {
        let names = self.0.iter().enumerate();
        names
            .map(|(number, name)| (name.as_str(), number))
            .collect()
    }
}
