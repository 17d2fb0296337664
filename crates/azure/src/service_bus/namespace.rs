//! The namespace and queue that a URL names.

use crate::connection_string::ConnectionString;

pub(super) struct Namespace {
    /// `https://…`, without a slash at its end.
    pub(super) endpoint: String,
    pub(super) name: String,
    /// Queue or topic; may hold slashes.
    pub(super) queue: String,
}

impl Namespace {
    /// Takes `servicebus://NAMESPACE/QUEUE` apart. A connection string about this namespace says where it is.
    pub(super) fn parse(bare: &str, connection: Option<&ConnectionString>) -> Option<Self> {
        let rest = bare.strip_prefix("servicebus://")?;
        let (host, queue) = rest.split_once('/')?;
        let queue = queue.trim_matches('/');
        let good = |text: &str, more: &[u8]| {
            !text.is_empty()
                && text.len() <= 260
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        if !good(host, b"-.") || !good(queue, b"-._/") || queue.contains("..") {
            return None;
        }
        let name = host.split('.').next().unwrap_or(host).to_owned();
        let endpoint = match connection.and_then(|connection| own_endpoint(connection, &name)) {
            Some(endpoint) => endpoint,
            None if host.contains('.') => format!("https://{host}"),
            None => format!("https://{host}.servicebus.windows.net"),
        };
        Some(Self {
            endpoint,
            name,
            queue: queue.to_owned(),
        })
    }
}

/// The endpoint of a connection string, if it is about the namespace `name`, or about an emulator, which has
/// none.
pub(super) fn own_endpoint(connection: &ConnectionString, name: &str) -> Option<String> {
    let endpoint = connection.get("Endpoint")?;
    let authority = endpoint.strip_prefix("sb://")?.trim_end_matches('/');
    let emulator = connection
        .get("UseDevelopmentEmulator")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if emulator {
        return Some(format!("http://{authority}"));
    }
    (authority.split('.').next() == Some(name)).then(|| format!("https://{authority}"))
}
