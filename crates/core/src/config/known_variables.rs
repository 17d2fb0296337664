//! The names of all variables that labelrelay reads, and which of those that are set look like one of them.

use super::secret_reference::SecretRef;
use super::settings::Config;
use super::variables::Lookup;

/// Every variable of labelrelay's own. A test holds the documents and the sources to this list.
pub const KNOWN_VARIABLES: &[&str] = &[
    "LABELBOX_API_KEY",
    "LABELBOX_PULL_EVERY",
    "LABELBOX_WEBHOOK_SECRET",
    "LABELBOX_WEBHOOK_SECRET_PREVIOUS",
    "LABELBOX_WEBHOOK_SECRET_PREVIOUS_UNTIL",
    "LABELRELAY_ADMIN_LISTEN",
    "LABELRELAY_BLOB_STORE",
    "LABELRELAY_CLAIM_CHECK",
    "LABELRELAY_CONFIG",
    "LABELRELAY_CONFIG_TOML",
    "LABELRELAY_DEADLINE_MS",
    "LABELRELAY_FALLBACK",
    "LABELRELAY_FUNCTION",
    "LABELRELAY_LISTEN",
    "LABELRELAY_LOG",
    "LABELRELAY_MAX_BODY_BYTES",
    "LABELRELAY_MAX_BYTES_IN_FLIGHT",
    "LABELRELAY_MAX_CONNECTIONS_PER_ADDRESS",
    "LABELRELAY_MAX_IN_FLIGHT",
    "LABELRELAY_PATH_PREFIX",
    "LABELRELAY_PUBLIC_URL",
    "LABELRELAY_QUEUE",
    "LABELRELAY_QUEUE_MAX_BYTES",
    "LABELRELAY_SPOOL_DIR",
    "LABELRELAY_SPOOL_MAX_BYTES",
    "LABELRELAY_SPOOL_THRESHOLD_BYTES",
    "LABELRELAY_TRACES",
    "LABELRELAY_WARM",
    "LABEL_STUDIO_API_KEY",
    "LABEL_STUDIO_PULL_EVERY",
    "LABEL_STUDIO_URL",
    "LABEL_STUDIO_WEBHOOK_HEADER",
    "LABEL_STUDIO_WEBHOOK_SECRET",
    "LABEL_STUDIO_WEBHOOK_SECRET_PREVIOUS",
    "LABEL_STUDIO_WEBHOOK_SECRET_PREVIOUS_UNTIL",
];

/// Nobody else's variables begin like this, without their underscores.
const OURS: [&str; 5] = [
    "LABELRELAY",
    "LABELBOXWEBHOOK",
    "LABELBOXPULL",
    "LABELSTUDIOWEBHOOK",
    "LABELSTUDIOPULL",
];

/// Letters in which a name that begins otherwise may differ from one of ours, and be meant for it.
const SLIPS: usize = 2;

/// Variables that Label Studio itself reads, in an environment that both have.
const OF_LABEL_STUDIO: [&str; 4] = [
    "LABEL_STUDIO_WEBHOOK_TIMEOUT",
    "LABEL_STUDIO_WEBHOOK_BATCH_SIZE",
    "LABEL_STUDIO_WEBHOOK_SERIALIZERS_OVERRIDE",
    "LABEL_STUDIO_WEBHOOKS_ENABLED",
];

/// Variables of labelrelay's own tests and benchmarks.
const OF_TESTS: [&str; 2] = ["LABELRELAY_TEST_", "LABELRELAY_BENCH_"];

/// A warning for each variable that looks like one of labelrelay's but is none. `used` are names that the
/// configuration itself chose.
pub fn misspelt(lookup: Lookup<'_>, used: &[&str]) -> Vec<String> {
    lookup
        .names()
        .iter()
        .filter(|name| !used.contains(&name.as_str()))
        .filter_map(|name| {
            let nearest = nearest(name, lookup)?;
            Some(format!(
                "the environment variable {name} means nothing to labelrelay; did you mean {nearest}?"
            ))
        })
        .collect()
}

/// The known name that `name` was most likely meant to be; `None` when it is known, or somebody else's.
fn nearest(name: &str, lookup: Lookup<'_>) -> Option<&'static str> {
    // First, for it is quick, and of nearly all variables it is all: a function asks at each start.
    if !looks_like_ours(name) {
        return slipped(name);
    }
    let known = || KNOWN_VARIABLES.iter().copied();
    if known().any(|known| known == name)
        || OF_LABEL_STUDIO.contains(&name)
        || OF_TESTS.iter().any(|prefix| name.starts_with(prefix))
        || is_of_kubernetes(name, lookup)
    {
        return None;
    }
    let normal = normalized(name);
    // The bare name is nobody's misspelling: scripts call the program's path so.
    if normal == "LABELRELAY" {
        return None;
    }
    // One that is longer or shorter by a word is nearer than one with other words.
    let distance = |known: &&str| {
        let known = normalized(known);
        let is_part = normal.starts_with(&known) || known.starts_with(&normal);
        let distance = strsim::osa_distance(&normal, &known);
        if is_part { distance / 3 } else { distance }
    };
    known().min_by_key(distance)
}

/// The name of ours that `name` is, but for a slip of the hand in its beginning: `LABELREALY_QUEUE`.
fn slipped(name: &str) -> Option<&'static str> {
    if !letters(name).take(3).eq("LAB".chars()) {
        return None;
    }
    let normal = normalized(name);
    let ours = KNOWN_VARIABLES
        .iter()
        .copied()
        .filter(|known| looks_like_ours(known));
    ours.map(|known| (strsim::osa_distance(&normal, &normalized(known)), known))
        .filter(|(distance, _)| *distance <= SLIPS)
        .min()
        .map(|(_, known)| known)
}

fn looks_like_ours(name: &str) -> bool {
    OURS.iter().any(|prefix| {
        let mut letters = letters(name);
        prefix.chars().all(|letter| letters.next() == Some(letter))
    })
}

/// The name without what people write differently.
fn normalized(name: &str) -> String {
    letters(name).collect()
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    let kept = name.chars().filter(|c| *c != '_' && *c != '-');
    kept.map(|c| c.to_ascii_uppercase())
}

/// Tells whether Kubernetes sets the variable for a service called `labelrelay` or `labelrelay-…`.
fn is_of_kubernetes(name: &str, lookup: Lookup<'_>) -> bool {
    let is_address = || {
        let value = lookup.text(name).ok().flatten().unwrap_or_default();
        ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|scheme| value.starts_with(scheme))
    };
    let is_numbered = || {
        let rest = name.split_once("_PORT_").map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    name.starts_with("LABELRELAY_")
        && (name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || is_numbered()
            || name.ends_with("_PORT") && is_address())
}

impl Config {
    /// Warns of variables that mean nothing but look as if they did.
    pub(super) fn warn_of_misspelt(mut self, lookup: Lookup<'_>) -> Self {
        let secrets = self.sources.iter().flat_map(|source| &source.secrets);
        let pulls = self
            .sources
            .iter()
            .filter_map(|source| source.pull.as_ref());
        let tokens = pulls.filter_map(|pull| pull.token.as_ref());
        let used: Vec<&str> = secrets
            .map(|(reference, _)| reference)
            .chain(tokens)
            .filter_map(|reference| match reference {
                SecretRef::Env(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let warnings = misspelt(lookup, &used);
        self.warnings.extend(warnings);
        self
    }
}
