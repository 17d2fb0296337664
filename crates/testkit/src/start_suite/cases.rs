//! Every start that all programs must handle alike: configuration in, expected end out.

/// What becomes of a start.
#[derive(Debug)]
pub enum Verdict {
    /// Serves from now on.
    Begins,
    /// Ends with this code, after this message.
    Ends(u8, String),
}

/// An entry of the directory that a program starts in.
#[derive(Debug, Clone, Copy)]
pub enum File {
    /// A file with this text.
    Text(&'static str),
    /// A symbolic link to this path.
    #[cfg(unix)]
    Link(&'static str),
    /// A pipe that nobody writes into.
    #[cfg(unix)]
    Pipe,
}

/// A configuration, and what becomes of a start with it.
pub struct Case {
    /// Special circumstance of this case; shown when it fails.
    pub name: &'static str,
    /// The variables.
    pub variables: Vec<(&'static str, &'static str)>,
    /// Files of the directory that the program starts in.
    pub files: &'static [(&'static str, File)],
    /// What has to become of the start.
    pub verdict: Verdict,
}

const SECRET: (&str, &str) = ("LABELBOX_WEBHOOK_SECRET", "a secret that is long enough");
const QUEUE: &str = "LABELRELAY_QUEUE";
const BLOBS: &str = "LABELRELAY_BLOB_STORE";
const FALLBACK: &str = "LABELRELAY_FALLBACK";
const PATH: &str = "LABELRELAY_CONFIG";
const TEXT: &str = "LABELRELAY_CONFIG_TOML";
const GOOD: (&str, &str) = (QUEUE, "test:good");

const FILE: &str =
    "[[source]]\nname = 'a'\nprovider = 'labelbox'\nsecret = 'env:LABELBOX_WEBHOOK_SECRET'\n";

/// All cases.
#[expect(
    clippy::too_many_lines,
    reason = "one table is read more easily than its parts"
)]
pub fn cases() -> Vec<Case> {
    let begins = |name, variables: &[(&'static str, &'static str)]| Case {
        name,
        variables: variables.to_vec(),
        files: &[],
        verdict: Verdict::Begins,
    };
    let ends = |name, variables: &[(&'static str, &'static str)], message: &str| Case {
        verdict: Verdict::Ends(78, format!("bad configuration: {message}")),
        ..begins(name, variables)
    };
    vec![
        begins("a good one", &[SECRET, GOOD]),
        ends(
            "a queue that refuses us",
            &[SECRET, (QUEUE, "test:denied")],
            "environment: `LABELRELAY_QUEUE`: queue_denied: the test says so; correct `LABELRELAY_QUEUE`, or what it names, or let this program use it",
        ),
        begins(
            "the same with a fallback",
            &[SECRET, (QUEUE, "test:denied"), (FALLBACK, "test:good")],
        ),
        ends(
            "the same with a fallback that refuses us too",
            &[SECRET, (QUEUE, "test:denied"), (FALLBACK, "test:denied")],
            "environment: `LABELRELAY_QUEUE`: queue_denied: the test says so; correct `LABELRELAY_QUEUE`, or what it names, or let this program use it",
        ),
        ends(
            "the same with a fallback out of reach",
            &[SECRET, (QUEUE, "test:missing"), (FALLBACK, "test:unreachable")],
            "environment: `LABELRELAY_QUEUE`: queue_misconfigured: the test says so; correct `LABELRELAY_QUEUE`, or what it names, or let this program use it",
        ),
        begins("a queue out of reach", &[SECRET, (QUEUE, "test:unreachable")]),
        begins("a queue without room", &[SECRET, (QUEUE, "test:full")]),
        Case {
            verdict: Verdict::Ends(
                1,
                "environment: `LABELRELAY_QUEUE`: `test:held` is held by somebody else; write test:NAME".to_owned(),
            ),
            ..begins("a queue that another program holds", &[SECRET, (QUEUE, "test:held")])
        },
        ends(
            "a blob store that is not there",
            &[SECRET, GOOD, (BLOBS, "test:missing")],
            "environment: `LABELRELAY_BLOB_STORE`: blob store: the test says so; correct `LABELRELAY_BLOB_STORE`, or what it names, or let this program use it",
        ),
        begins(
            "a blob store out of reach",
            &[SECRET, GOOD, (BLOBS, "test:unreachable")],
        ),
        ends(
            "a fallback that is not there",
            &[SECRET, GOOD, (FALLBACK, "test:missing")],
            "environment: `LABELRELAY_FALLBACK`: fallback: blob store: the test says so; correct `LABELRELAY_FALLBACK`, or what it names, or let this program use it",
        ),
        ends(
            "a URL of somebody else",
            &[SECRET, (QUEUE, "kafka://host/topic?password=x")],
            "environment: `LABELRELAY_QUEUE`: `kafka://host/topic` is nothing that the test has; write test:NAME",
        ),
        ends(
            "a key that nobody knows",
            &[SECRET, GOOD, (TEXT, "[spool]\ndrectory = '/tmp'\n")],
            "LABELRELAY_CONFIG_TOML, line 2: `drectory`: unknown field `drectory`, expected one of `dir`, `threshold_bytes`, `max_bytes`, `idle_timeout_ms`, `min_bytes_per_s`; correct the spelling or remove it",
        ),
        ends(
            "a value of another kind",
            &[SECRET, (TEXT, "queue = 5\n")],
            "LABELRELAY_CONFIG_TOML, line 1: `queue`: is not of the kind that this key takes; give it a string",
        ),
        Case {
            files: &[("labelrelay.toml", File::Text(FILE))],
            ..begins(
                "both variables, of which the second is not read",
                &[SECRET, GOOD, (PATH, "labelrelay.toml"), (TEXT, "no TOML")],
            )
        },
        Case {
            files: &[("labelrelay.toml", File::Text(FILE))],
            ..begins("an existing file", &[SECRET, GOOD])
        },
        ends(
            "a file that is not there",
            &[SECRET, GOOD, (PATH, "gone.toml")],
            "environment: `LABELRELAY_CONFIG`: names gone.toml, which cannot be read: No such file or directory (os error 2); correct the path or the file's permissions, or put its text into LABELRELAY_CONFIG_TOML",
        ),
        ends(
            "a directory in a file's place",
            &[SECRET, GOOD, (PATH, ".")],
            "environment: `LABELRELAY_CONFIG`: names ., which is a directory; name the file in it, labelrelay.toml",
        ),
        #[cfg(unix)]
        ends(
            "a file without an end",
            &[SECRET, GOOD, (PATH, "/dev/zero")],
            "environment: `LABELRELAY_CONFIG`: names /dev/zero, which has more than 1048576 bytes; name the configuration's own file",
        ),
        #[cfg(unix)]
        Case {
            files: &[("labelrelay.toml", File::Pipe)],
            ..ends(
                "an existing pipe",
                &[SECRET, GOOD],
                "current directory: `labelrelay.toml`: is no regular file; replace or remove it, or name another in LABELRELAY_CONFIG",
            )
        },
        #[cfg(unix)]
        Case {
            files: &[("labelrelay.toml", File::Link("gone.toml"))],
            ..ends(
                "a link that leads nowhere",
                &[SECRET, GOOD],
                "current directory: `labelrelay.toml`: cannot be read: No such file or directory (os error 2); correct the path or the file's permissions, or put its text into LABELRELAY_CONFIG_TOML",
            )
        },
        ends(
            "a secret's variable that is not set",
            &[GOOD, (TEXT, FILE)],
            "LABELRELAY_CONFIG_TOML: `source.a.secret`: the environment variable LABELBOX_WEBHOOK_SECRET is not set; set LABELBOX_WEBHOOK_SECRET to the webhook's secret",
        ),
        ends(
            "a secret of another store",
            &[GOOD, (TEXT, "[[source]]\nname = 'a'\nprovider = 'labelbox'\nsecret = 'gcp-secretmanager:x'\n")],
            "LABELRELAY_CONFIG_TOML: `source.a.secret`: `gcp-secretmanager:x` is in no store of the test; name one of aws-ssm:NAME",
        ),
        ends(
            "a secret that nobody may read",
            &[GOOD, (TEXT, "[[source]]\nname = 'a'\nprovider = 'labelbox'\nsecret = 'aws-ssm:denied'\n")],
            "LABELRELAY_CONFIG_TOML: `source.a.secret`: source `a`: the test says so; correct the reference, or what it names, or let this program read it",
        ),
        begins(
            "a secret out of reach",
            &[GOOD, (TEXT, "[[source]]\nname = 'a'\nprovider = 'labelbox'\nsecret = 'aws-ssm:unreachable'\n")],
        ),
    ]
}
