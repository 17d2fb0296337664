//! SQL for a record, in a file or in a database of several relays: the text is the same for both, but for how the place
//! of a value is written. Values never stand in the text.

/// A value of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// What a database understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `SQLite`.
    Sqlite,
    /// `PostgreSQL`.
    Postgres,
}

impl Dialect {
    /// Columns of the table `deliveries`, as they are read, in this order. One of several relays says at the end which
    /// of them took the delivery.
    const fn columns(self) -> &'static str {
        macro_rules! columns {
            ($more:literal) => {
                concat!(
                    "number, arrived_ms, status, flags, body_bytes, elapsed_us, queue_us, outcome, source, event_id, ",
                    "event_type, subject, project, delivery_id, verified_by, client, body_sha256, method, path, reason, head",
                    $more
                )
            };
        }
        match self {
            Self::Sqlite => columns!(""),
            Self::Postgres => columns!(", replica"),
        }
    }
}

/// A statement, with the values that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text.
    pub sql: String,
    /// The first one is number 1.
    pub values: Vec<Value>,
    dialect: Dialect,
}

impl Statement {
    /// Begins one that reads deliveries.
    pub(crate) fn of_deliveries(dialect: Dialect) -> Self {
        Self::begin(dialect, dialect.columns())
    }

    /// Begins one that reads this from the table of deliveries.
    pub(crate) fn begin(dialect: Dialect, what: &str) -> Self {
        Self {
            sql: format!("SELECT {what} FROM deliveries WHERE TRUE"),
            values: Vec::new(),
            dialect,
        }
    }

    /// Takes a value, and says how its place is written.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        let number = self.values.len();
        match self.dialect {
            Dialect::Sqlite => format!("?{number}"),
            Dialect::Postgres => format!("${number}"),
        }
    }

    /// Only where this holds, too.
    pub(crate) fn and(&mut self, condition: &str) {
        self.push(" AND ");
        self.push(condition);
    }

    pub(crate) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }
}
