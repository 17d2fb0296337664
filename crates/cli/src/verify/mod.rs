//! `labelrelay verify`: does this body match this credential and secret, and if not, why?

mod changed_bodies;
mod chunked;
mod header_secret;
mod json_layout;
mod other_secrets;
mod pasted_header;
mod recorded_delivery;
mod request_file;
mod request_head;
mod search;
mod secret_forms;
mod signature_claim;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::events::of_delivery;
use crate::output::{one_line, print, print_json};
use crate::queue_file::QueueArgs;
use crate::record;
use crate::secret_reference;
use clap::builder::NonEmptyStringValueParser;
use labelrelay_core::Secret;
use labelrelay_core::config::SecretRef;
use labelrelay_event::Digest;
use request_file::Recorded;
use serde::Serialize;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Whichever credential there is. The parser would write all of them on one line.
const USAGE: &str = "\
labelrelay verify --secret <REF> --request <FILE> [OPTIONS]
       labelrelay verify --secret <REF> --delivery <ID> [OPTIONS]
       labelrelay verify --secret <REF> --file <FILE> --signature <VALUE> [OPTIONS]
       labelrelay verify --secret <REF> --authorization <VALUE> [OPTIONS]
       labelrelay verify --secret <REF> --header <NAME: VALUE> [OPTIONS]";

const EXAMPLES: &str = "\
Examples:
  labelrelay verify --file body.json --signature 'sha1=3b…' --secret env:SECRET
  labelrelay verify --request delivery.http --secret file:/etc/labelbox.secret
  labelrelay verify --delivery r17 --secret file:labelbox.secret
  labelrelay verify --authorization 'Bearer …' --secret file:studio.secret
  labelrelay verify --header 'X-Token: …' --secret env:SECRET --json";

const NOTES: &str = "\
Works offline. A request file holds a request as it went over the wire: head, blank line, body. One in \
chunks is put together first. A delivery is one of the record: `labelrelay events list --refused` names them. Ends with 0 when it matches, 1 when it does not or holds no credential.";

/// Says whether a credential matches, and if not, which usual mistake explains it.
#[derive(Debug, clap::Args)]
#[command(override_usage = USAGE, before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
#[command(group = clap::ArgGroup::new("credential").required(true).args(["request", "delivery", "signature", "authorization", "header"]))]
pub(crate) struct Args {
    /// The body, as it was received
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "delivery"])]
    file: Option<PathBuf>,
    /// A whole request
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// A delivery of the record: its name, or the beginning of the platform's id or of the event's
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    delivery: Option<String>,
    /// Value of X-Hub-Signature (or X-Hub-Signature-256)
    #[arg(long, value_name = "VALUE", requires = "file")]
    signature: Option<OsString>,
    /// Value of Authorization
    #[arg(long, value_name = "VALUE")]
    authorization: Option<OsString>,
    /// Another header that carries the secret, with its value; with --request, its name is enough
    #[arg(long, value_name = "NAME: VALUE")]
    header: Option<OsString>,
    /// Reference to the secret: `env:NAME` or `file:/path`
    #[arg(long, value_name = "REF", value_parser = SecretRef::of_command_line)]
    secret: SecretRef,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    queue: QueueArgs,
}

/// Result of a comparison.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    /// `true` if labelrelay would accept it.
    pub(crate) matches: bool,
    /// Mistakes that explain why it does not; empty when none does.
    pub(crate) mistakes: Vec<String>,
    /// Facts that are worth knowing besides.
    pub(crate) notes: Vec<String>,
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let secret = crate::runtime::small()?.block_on(secret_reference::read(&args.secret, env))?;
    let mut verdict = examine(args, env, &secret)?;
    verdict.notes.push(format!(
        "secret {}: {} bytes, fingerprint {}",
        secret.name(),
        secret.bytes(),
        secret.fingerprint()
    ));
    let doubts = secret.doubts().into_iter();
    verdict
        .notes
        .extend(doubts.map(|doubt| format!("the secret {} {doubt}", secret.name())));
    if args.json {
        print_json(&verdict)?;
    } else {
        show(&verdict)?;
    }
    if verdict.matches {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}

fn examine(args: &Args, env: &Env<'_>, secret: &Secret) -> Result<Verdict, CliError> {
    if let Some(file) = &args.request {
        let recorded = Recorded::parse(&read(env, file)?).map_err(CliError::failed)?;
        return recorded_request(&recorded, args, secret);
    }
    if let Some(which) = &args.delivery {
        let record = record::open_existing(&args.queue, env)?;
        let delivery = record::find(&*record, which)?
            .ok_or_else(|| CliError::failed(format_args!("the record has no delivery {which}")))?;
        let body = || of_delivery::whole_body(&delivery, &*record, &args.queue, env);
        return recorded_delivery::examine(&delivery, body, secret);
    }
    if let Some(value) = &args.authorization {
        return Ok(authorization(&[bytes(value)], secret.expose()));
    }
    if let Some(header) = &args.header {
        let (_, value) = name_and_value(header);
        let value = value.ok_or_else(|| CliError::usage("--header: write 'NAME: VALUE'"))?;
        return Ok(header_secret::named(
            &[value.trim_ascii().to_vec()],
            secret.expose(),
        ));
    }
    let (Some(value), Some(file)) = (&args.signature, &args.file) else {
        return Err(CliError::usage(
            "give --request, or --file with --signature",
        ));
    };
    let body = read(env, file)?;
    Ok(signature(&[bytes(value)], &body, secret.expose()))
}

/// The bytes of a header's value: one in Latin-1 is no text here, and reaches the relay all the same.
fn bytes(value: &OsStr) -> Vec<u8> {
    value.as_encoded_bytes().to_vec()
}

/// `NAME: VALUE`, or the name alone.
fn name_and_value(header: &OsStr) -> (&[u8], Option<&[u8]>) {
    let header = header.as_encoded_bytes();
    match header.iter().position(|&byte| byte == b':') {
        Some(at) => {
            let (name, value) = header.split_at(at);
            (name, value.get(1..))
        }
        None => (header, None),
    }
}

/// Takes the credential that the request has: a signature first, else the header that may hold the secret.
fn recorded_request(
    recorded: &Recorded,
    args: &Args,
    secret: &Secret,
) -> Result<Verdict, CliError> {
    let mut verdict = if let Some(name) = &args.header {
        let (name, _) = name_and_value(name);
        let name = String::from_utf8_lossy(name.trim_ascii());
        header_secret::named(&recorded.lines(&name), secret.expose())
    } else {
        let signatures = match recorded.lines("x-hub-signature") {
            lines if lines.is_empty() => recorded.lines("x-hub-signature-256"),
            lines => lines,
        };
        let authorization = recorded.lines("authorization");
        if !signatures.is_empty() {
            signature(&signatures, &recorded.body, secret.expose())
        } else if !authorization.is_empty() {
            self::authorization(&authorization, secret.expose())
        } else {
            return Err(CliError::failed(
                "the request has neither X-Hub-Signature nor Authorization; name the header with --header NAME",
            ));
        }
    };
    verdict.notes.extend(recorded.doubts());
    Ok(verdict)
}

fn signature(lines: &[Vec<u8>], body: &[u8], secret: &[u8]) -> Verdict {
    let names = ["x-hub-signature", "x-hub-signature-256"];
    let mut verdict = match lines {
        [line] => pasted_header::explain(line, &names, |line| {
            search::signature(&[line.to_vec()], body, secret)
        }),
        lines => search::signature(lines, body, secret),
    };
    if body.is_empty() {
        let empty = "the body is empty: it was not saved, or never sent; an empty body is no event";
        verdict.mistakes.insert(0, empty.to_owned());
    }
    verdict.notes.push(format!(
        "body: {} bytes, SHA-256 {}",
        body.len(),
        Digest::of(body)
    ));
    verdict
}

fn authorization(lines: &[Vec<u8>], secret: &[u8]) -> Verdict {
    match lines {
        [line] => pasted_header::explain(line, &["authorization"], |line| {
            header_secret::authorization(&[line.to_vec()], secret)
        }),
        lines => header_secret::authorization(lines, secret),
    }
}

fn read(env: &Env<'_>, file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(env.cwd().join(file))
        .map_err(|error| CliError::failed(format_args!("cannot read {}: {error}", file.display())))
}

fn show(verdict: &Verdict) -> std::io::Result<()> {
    if verdict.matches {
        print(format_args!("matches"))?;
    } else if verdict.mistakes.is_empty() {
        print(format_args!(
            "does not match, and no usual mistake explains it: most likely it was made with another secret,\n\
             or the body is not the one that was sent"
        ))?;
    } else {
        print(format_args!("does not match:"))?;
        for mistake in &verdict.mistakes {
            print(format_args!("  {}", one_line(mistake)))?;
        }
    }
    for note in &verdict.notes {
        print(format_args!("note: {}", one_line(note)))?;
    }
    Ok(())
}
