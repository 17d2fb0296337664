//! The URL of a queue, taken apart.

use labelrelay_core::BackEndError;
use labelrelay_core::backend::{ParameterNames, UrlQuery};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

const CURE: &str = "write postgres://USER@HOST:PORT/DATABASE, and the password elsewhere: in ?password=env:NAME, ?password=file:PATH, PGPASSWORD or PGPASSFILE";

const PORT: u16 = 5432;

/// Schema of a queue that names none.
const SCHEMA: &str = "labelrelay";

/// As the embedded queue has it.
const REPEAT_WINDOW_S: u32 = 300;

/// Longest window: its ids are in one index.
const LONGEST_WINDOW_S: u32 = 30 * 86_400;

/// Two that write, one for whoever consumes or checks, and one more.
const CONNECTIONS: u32 = 4;

/// Parameters that a URL may have.
const PARAMETERS: ParameterNames = ParameterNames {
    known: &[
        "application_name",
        "host",
        "password",
        "pool",
        "repeat_window_s",
        "schema",
        "sslmode",
        "sslrootcert",
    ],
    secret: &["password"],
};

/// Everything that a URL says.
pub(crate) struct QueueUrl {
    /// How to connect, but for the host and the password.
    pub(crate) config: Config,
    /// Hosts and ports, in the order in which they are tried.
    pub(crate) hosts: Vec<(String, u16)>,
    pub(crate) user: String,
    pub(crate) database: String,
    /// A name that needs no quotes.
    pub(crate) schema: String,
    /// Reference to the password.
    pub(crate) password: Option<String>,
    /// `true` if the connection is encrypted.
    pub(crate) is_encrypted: bool,
    /// Certificates to trust instead of this machine's.
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) repeat_window: Duration,
    pub(crate) connections: u32,
    /// The URL as messages show it.
    pub(crate) shown: String,
}

impl QueueUrl {
    /// Takes `url` apart; relative paths in it begin in `base_dir`.
    ///
    /// # Errors
    /// [`BackEndError`] never shows the URL before it is known that no password is in it.
    pub(crate) fn parse(url: &str, base_dir: &Path) -> Result<Self, BackEndError> {
        let wrong =
            |problem: &str| BackEndError::new("", format!("the URL of the queue {problem}"), CURE);
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or_else(|| wrong("is none of Postgres"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.contains(':') {
            return Err(wrong(
                "has a password in it, which files and logs would show",
            ));
        }
        let name = |text: &str, what: &str| {
            let problem = format!("names no {what}");
            UrlQuery::decoded(text)
                .filter(|name| !name.is_empty())
                .ok_or_else(|| wrong(&problem))
        };
        let (user, database) = (name(user, "user")?, name(database, "database")?);
        let shown = format!(
            "postgres://{}/{}",
            authority.escape_debug(),
            database.escape_debug()
        );
        let query = UrlQuery::parse(query, PARAMETERS, &shown)?;
        let hosts = match query.get("host") {
            Some(host) if hosts.is_empty() => vec![(host.to_owned(), PORT)],
            Some(_) => return Err(wrong("has a host, and the parameter `host` besides")),
            None => {
                hosts_of(hosts).ok_or_else(|| wrong("names no host, or a port that is none"))?
            }
        };
        let schema = query.get("schema").unwrap_or(SCHEMA).to_owned();
        if !is_plain(&schema) {
            let problem = "has a schema whose name is not plain";
            let cure = "write 1 to 40 small letters, digits and underscores, the first no digit";
            return Err(query.refused(problem, cure));
        }
        let is_here = hosts.iter().all(|(host, _)| is_this_machine(host));
        let is_encrypted = match query.get("sslmode") {
            None => !is_here,
            Some("disable") => false,
            Some("verify-full") => true,
            Some(_) => {
                let problem = "has an sslmode that would trust anybody, or is none";
                let cure =
                    "write sslmode=verify-full, or sslmode=disable in a network that you trust";
                return Err(query.refused(problem, cure));
            }
        };
        let window = query.number("repeat_window_s", 0..=LONGEST_WINDOW_S)?;
        let connections = query.number("pool", 2..=100)?;
        let mut config = Config::new();
        config
            .user(user.as_str())
            .dbname(database.as_str())
            .application_name(query.get("application_name").unwrap_or("labelrelay"))
            .ssl_mode(if is_encrypted {
                SslMode::Require
            } else {
                SslMode::Disable
            });
        if hosts.len() > 1 {
            // Of several, the one that takes writes: another one is a standby.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let of_schema = if schema == SCHEMA {
            String::new()
        } else {
            format!("?schema={schema}")
        };
        Ok(Self {
            shown: shown.clone() + &of_schema,
            password: query.get("password").map(str::to_owned),
            root_certificates: query.get("sslrootcert").map(|file| base_dir.join(file)),
            repeat_window: Duration::from_secs(window.unwrap_or(REPEAT_WINDOW_S).into()),
            connections: connections.unwrap_or(CONNECTIONS),
            config,
            hosts,
            user,
            database,
            schema,
            is_encrypted,
        })
    }
}

/// The URL of a queue, and what stands in it behind the name of the database.
pub(crate) fn parted(url: &str) -> (String, String) {
    let (place, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
    let mut parts = rest.splitn(3, '/');
    let (authority, database) = (parts.next(), parts.next());
    let (authority, database) = (authority.unwrap_or_default(), database.unwrap_or_default());
    let queue = format!("{scheme}://{authority}/{database}{query}");
    (queue, parts.next().unwrap_or_default().to_owned())
}

/// Hosts with their ports; `None` when one of them is none.
fn hosts_of(text: &str) -> Option<Vec<(String, u16)>> {
    text.split(',').map(host_of).collect()
}

fn host_of(text: &str) -> Option<(String, u16)> {
    // An address of version 6 has colons of its own.
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (
                host,
                if port.is_empty() {
                    None
                } else {
                    Some(port.strip_prefix(':')?)
                },
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let host = UrlQuery::decoded(host).filter(|host| !host.is_empty())?;
    let port = match port {
        None => PORT,
        Some(port) => port.parse::<u16>().ok().filter(|port| *port != 0)?,
    };
    Some((host, port))
}

/// Tells whether a name needs no quotes in SQL, and is short enough for what is made of it.
fn is_plain(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let is_of = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    begins && name.len() <= 40 && name.chars().all(is_of) && !name.starts_with("pg_")
}

fn is_this_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host == "localhost"
        || host.starts_with('/')
        || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> QueueUrl {
        QueueUrl::parse(url, Path::new("/base")).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn what_stands_behind_the_database_is_told_from_the_queue() {
        for (url, queue, place) in [
            (
                "postgres://a@b,c/d/ledger/cars?pool=2",
                "postgres://a@b,c/d?pool=2",
                "ledger/cars",
            ),
            ("postgres://a@/d?host=/run", "postgres://a@/d?host=/run", ""),
        ] {
            assert_eq!(parted(url), (queue.to_owned(), place.to_owned()));
        }
    }

    #[test]
    fn a_url_says_where_the_queue_is() {
        let url =
            parsed("postgres://relay@db-1:5433,db-2/events?schema=eu&sslrootcert=ca.pem&pool=8");
        let hosts = [("db-1".to_owned(), 5433), ("db-2".to_owned(), 5432)];
        assert_eq!(url.hosts, hosts);
        assert_eq!(
            (url.user.as_str(), url.database.as_str()),
            ("relay", "events")
        );
        assert_eq!((url.schema.as_str(), url.connections), ("eu", 8));
        assert_eq!(url.root_certificates, Some(PathBuf::from("/base/ca.pem")));
        assert_eq!(
            url.shown,
            "postgres://relay@db-1:5433,db-2/events?schema=eu"
        );
        assert!(url.is_encrypted);
        let url = parsed("postgresql://a%40b@[::1]:5433/events");
        assert_eq!(
            (url.user.as_str(), url.hosts),
            ("a@b", vec![("::1".to_owned(), 5433)])
        );
        assert!(!url.is_encrypted, "it is this machine");
        assert_eq!(url.repeat_window, Duration::from_secs(300));
        let url = parsed("postgres://relay@/events?host=%2Frun%2Fpostgresql");
        assert_eq!(url.hosts, [("/run/postgresql".to_owned(), 5432)]);
    }

    #[test]
    fn a_wrong_url_is_refused_and_no_password_is_shown() {
        for (url, word) in [
            ("postgres://relay:hunter2@db/events", "password"),
            ("postgres://db/events", "names no user"),
            ("postgres://relay@/events", "names no host"),
            ("postgres://relay@db:0/events", "a port that is none"),
            ("postgres://relay@db", "names no database"),
            ("postgres://relay@db/", "names no database"),
            (
                "postgres://relay@db/events?sslmode=require",
                "trust anybody",
            ),
            ("postgres://relay@db/events?schema=Events", "not plain"),
            ("postgres://relay@db/events?schema=a\"b", "not plain"),
            ("postgres://relay@db/events?pool=1", "`pool`"),
            ("postgres://relay@db/events?pool=2&pool=3", "twice"),
            (
                "postgres://relay@db/events?user=x",
                "`user` that means nothing",
            ),
            (
                "postgres://relay@db/events?password=a&hunter2",
                "means nothing",
            ),
            ("sqs://relay@db/events", "none of Postgres"),
        ] {
            let error = QueueUrl::parse(url, Path::new(""))
                .err()
                .expect(url)
                .to_string();
            assert!(error.contains(word), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
