//! The URL of a queue, taken apart.

use labelrelay_core::BackEndError;
use labelrelay_core::backend::{ParameterNames, UrlQuery};
use std::path::{Path, PathBuf};
use std::time::Duration;

const CURE: &str = "write nats://HOST:4222/STREAM/SUBJECT, or tls:// for TLS";

const PORT: u16 = 4222;

/// As the embedded queue has it.
const REPEAT_WINDOW_S: u32 = 300;

/// Longest window: a server holds its ids in memory.
const LONGEST_WINDOW_S: u32 = 30 * 86_400;

/// Parameters that a URL may have.
const PARAMETERS: ParameterNames = ParameterNames {
    known: &[
        "consumer",
        "credentials",
        "durability",
        "leases",
        "monitor",
        "nkey",
        "password",
        "repeat_window_s",
        "storage",
        "tls_ca",
        "token",
        "user",
    ],
    secret: &["credentials", "nkey", "password", "token"],
};

/// Durable consumer of whoever names none.
const CONSUMER: &str = "labelrelay";

/// What makes an acknowledged event survive a loss of power, in the operator's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The server syncs each event before it acknowledges it.
    SyncAlways,
    /// Several servers, which do not lose their power together, have it.
    Replicated,
}

/// Everything that a URL says.
pub(crate) struct QueueUrl {
    /// The servers, as their client reads them.
    pub(crate) servers: Vec<String>,
    pub(crate) is_encrypted: bool,
    pub(crate) stream: String,
    pub(crate) subject: String,
    pub(crate) consumer: String,
    /// Key-value bucket of leases.
    pub(crate) leases: Option<String>,
    /// Host and port of the monitoring port.
    pub(crate) monitor: Option<String>,
    pub(crate) durability: Option<Durability>,
    /// `true` if the stream may be in memory.
    pub(crate) allows_memory: bool,
    pub(crate) repeat_window: Duration,
    /// Certificates to trust instead of this machine's.
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) query: UrlQuery,
    /// The URL as messages show it.
    pub(crate) shown: String,
}

impl QueueUrl {
    /// Takes `url` apart; relative paths in it begin in `base_dir`.
    ///
    /// # Errors
    /// [`BackEndError`] never shows what may be a password or a token.
    pub(crate) fn parse(url: &str, base_dir: &Path) -> Result<Self, BackEndError> {
        let wrong =
            |problem: &str| BackEndError::new("", format!("the URL of the queue {problem}"), CURE);
        let (scheme, rest) = url
            .split_once("://")
            .filter(|(scheme, _)| ["nats", "tls"].contains(scheme))
            .ok_or_else(|| wrong("is none of NATS"))?;
        // A token may itself have a slash or a question mark, so that nothing tells it from a parameter.
        if rest.contains('@') {
            let problem =
                "the URL of the queue has a user or a token in it, which files and logs would show";
            let cure = "write ?user=NAME&password=env:NAME, ?token=env:NAME, ?nkey=file:PATH or ?credentials=file:PATH, and %40 for an @ in a value";
            return Err(BackEndError::new("", problem, cure));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parts = place.splitn(3, '/');
        let hosts = parts.next().unwrap_or_default();
        let stream = parts.next().unwrap_or_default();
        let subject = parts.next().unwrap_or_default();
        if !is_name(stream) {
            return Err(wrong("names no stream, or one whose name cannot be"));
        }
        if !is_subject(subject) {
            return Err(wrong(
                "names no subject, or one with wildcards, spaces or empty parts",
            ));
        }
        let servers: Option<Vec<_>> = hosts.split(',').map(|host| server(scheme, host)).collect();
        let servers = servers.ok_or_else(|| wrong("names no host, or a port that is none"))?;
        let shown = format!("{scheme}://{hosts}/{stream}/{subject}");
        let query = UrlQuery::parse(query, PARAMETERS, &shown)?;
        let consumer = query.get("consumer").unwrap_or(CONSUMER).to_owned();
        if !is_name(&consumer) {
            let problem = "has a name of a consumer that cannot be";
            let cure = "write it without spaces, dots, slashes and wildcards";
            return Err(query.refused(problem, cure));
        }
        let leases = query.get("leases").map(str::to_owned);
        if leases.as_deref().is_some_and(|bucket| !is_name(bucket)) {
            let problem = "has a name of a bucket for leases that cannot be";
            return Err(query.refused(
                problem,
                "write it without spaces, dots, slashes and wildcards",
            ));
        }
        let allows_memory = match query.get("storage") {
            None | Some("file") => false,
            Some("memory") => true,
            Some(_) => {
                let problem = "has a value of `storage` that cannot be";
                return Err(query.refused(problem, "write storage=memory, or leave it out"));
            }
        };
        Ok(Self {
            durability: durability(&query)?,
            monitor: monitor(&query)?,
            repeat_window: repeat_window(&query)?,
            root_certificates: query.get("tls_ca").map(|file| base_dir.join(file)),
            is_encrypted: scheme == "tls",
            stream: stream.to_owned(),
            subject: subject.to_owned(),
            consumer,
            leases,
            allows_memory,
            servers,
            query,
            shown,
        })
    }
}

/// Subject of what is rejected, unless somebody names another one. Not below the queue's own: its stream might take it.
pub(crate) fn dead_letter_subject(subject: &str) -> String {
    format!("dead-letters.{subject}")
}

/// Name of the stream that has dead letters, by our convention.
pub(crate) fn dead_letter_stream(stream: &str) -> String {
    format!("{stream}-dead-letters")
}

/// Tells whether `subject` can be published to.
pub(crate) fn is_subject(subject: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| !c.is_whitespace() && !c.is_control() && c != '*' && c != '>')
    };
    !subject.starts_with('$') && subject.split('.').all(is_part)
}

/// Tells whether a stream or a consumer may be called so.
fn is_name(name: &str) -> bool {
    let is_of = |c: char| !c.is_whitespace() && !c.is_control() && !".*>/\\".contains(c);
    !name.is_empty() && name.chars().all(is_of)
}

fn server(scheme: &str, host: &str) -> Option<String> {
    // An address of version 6 has colons of its own.
    let (name, port) = match host.rfind(']') {
        Some(end) => (host.get(..=end)?, host.get(end + 1..)?),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = match port {
        "" => PORT,
        port => port
            .strip_prefix(':')?
            .parse::<u16>()
            .ok()
            .filter(|port| *port != 0)?,
    };
    let is_host = |c: char| c.is_alphanumeric() || "-._[]:%".contains(c);
    let is_good = !name.is_empty() && name.chars().all(is_host);
    is_good.then(|| format!("{scheme}://{name}:{port}"))
}

fn durability(query: &UrlQuery) -> Result<Option<Durability>, BackEndError> {
    match query.get("durability") {
        None => Ok(None),
        Some("sync_always") => Ok(Some(Durability::SyncAlways)),
        Some("replicated") => Ok(Some(Durability::Replicated)),
        Some(_) => Err(query.refused(
            "has a value of `durability` that cannot be",
            "write durability=sync_always or durability=replicated",
        )),
    }
}

/// Host and port. Without TLS: it tells no secrets, and is asked where the operator says.
fn monitor(query: &UrlQuery) -> Result<Option<String>, BackEndError> {
    let Some(url) = query.get("monitor") else {
        return Ok(None);
    };
    let host = url.strip_prefix("http://");
    let host = host.map(|host| host.trim_end_matches('/'));
    let is_good = |host: &&str| !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ']);
    host.filter(is_good)
        .map(|host| Some(host.to_owned()))
        .ok_or_else(|| {
            query.refused(
                "has a `monitor` that is no address of a monitoring port",
                "write monitor=http://HOST:8222, or state durability= instead",
            )
        })
}

fn repeat_window(query: &UrlQuery) -> Result<Duration, BackEndError> {
    let seconds = match query.get("repeat_window_s") {
        None => Some(REPEAT_WINDOW_S),
        Some(text) => text.parse().ok(),
    };
    let seconds = seconds.filter(|seconds| *seconds <= LONGEST_WINDOW_S);
    let seconds = seconds.ok_or_else(|| {
        query.refused(
            "has a value of `repeat_window_s` that cannot be",
            format!("write a number from 0 to {LONGEST_WINDOW_S}; 0 has every copy stored"),
        )
    })?;
    Ok(Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> QueueUrl {
        QueueUrl::parse(url, Path::new("/base")).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn a_url_says_where_the_queue_is() {
        let url = parsed(
            "nats://n1,n2:4223,[::1]:4224/EVENTS/labels.events?monitor=http://n1:8222/&durability=replicated",
        );
        assert_eq!(
            url.servers,
            ["nats://n1:4222", "nats://n2:4223", "nats://[::1]:4224"]
        );
        assert_eq!((&*url.stream, &*url.subject), ("EVENTS", "labels.events"));
        assert_eq!(url.monitor.as_deref(), Some("n1:8222"));
        assert_eq!(url.durability, Some(Durability::Replicated));
        assert_eq!(url.repeat_window, Duration::from_secs(300));
        assert_eq!(url.consumer, "labelrelay");
        assert!(!url.is_encrypted && !url.allows_memory);
        let url = parsed("nats://n/EVENTS/labels?user=relay%40example.org");
        assert_eq!(url.query.get("user"), Some("relay@example.org"));
        let url = parsed("tls://nats.example/EVENTS/labels?tls_ca=ca.pem&storage=memory");
        assert_eq!(url.servers, ["tls://nats.example:4222"]);
        assert_eq!(url.root_certificates, Some(PathBuf::from("/base/ca.pem")));
        assert_eq!(url.shown, "tls://nats.example/EVENTS/labels");
        assert!(url.is_encrypted && url.allows_memory);
    }

    #[test]
    fn a_wrong_url_is_refused_and_no_secret_is_shown() {
        for (url, word) in [
            ("nats://relay:hunter2@n/EVENTS/labels", "a user or a token"),
            ("nats://hunter2@n/EVENTS/labels", "a user or a token"),
            ("nats://hunter2?x@n/EVENTS/labels", "a user or a token"),
            ("nats://a/b/hunter2?x@n/EVENTS/labels", "a user or a token"),
            ("nats:///EVENTS/labels", "no host"),
            ("nats://n:0/EVENTS/labels", "a port that is none"),
            ("nats://n", "no stream"),
            ("nats://n/EVENTS", "no subject"),
            ("nats://n/EVENTS/labels.*", "wildcards"),
            ("nats://n/EVENTS/labels..x", "empty parts"),
            ("nats://n/EVENTS/$JS.API", "no subject"),
            ("nats://n/EV.ENTS/labels", "no stream"),
            ("nats://n/EVENTS/labels?durability=yes", "durability"),
            ("nats://n/EVENTS/labels?monitor=n:8222", "monitor"),
            ("nats://n/EVENTS/labels?storage=tape", "storage"),
            (
                "nats://n/EVENTS/labels?repeat_window_s=-1",
                "repeat_window_s",
            ),
            ("nats://n/EVENTS/labels?consumer=a.b", "consumer"),
            ("nats://n/EVENTS/labels?leases=a.b", "leases"),
            ("nats://n/EVENTS/labels?token=a&token=b", "twice"),
            ("nats://n/EVENTS/labels?pass=hunter2", "`pass` that means"),
            (
                "nats://n/EVENTS/labels?token=a&hunter2",
                "behind `token` that means nothing",
            ),
            ("sqs://n/EVENTS/labels", "none of NATS"),
        ] {
            let parsed = QueueUrl::parse(url, Path::new(""));
            let error = parsed.err().expect(url).to_string();
            assert!(error.contains(word), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
