//! `labelrelay send`: delivers one event, as the platform would.

mod target;
mod url;

use crate::delivery::Delivery;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{one_line, print, print_json, say};
use crate::samples::{SAMPLES, Sample, labelbox_id, named};
use crate::secret_reference;
use crate::userinfo;
use bytes::Bytes;
use jiff::Timestamp;
use labelrelay_core::config::SecretRef;
use labelrelay_core::observe::millis;
use labelrelay_core::provider::Provider;
use serde::Serialize;
use serde_json::value::RawValue;
use std::path::PathBuf;
use std::time::Instant;
use target::Target;

const EXAMPLES: &str = "\
Examples:
  labelrelay send                  a label.created to the relay that runs here
  labelrelay send --event annotation.created
  labelrelay send --list
  labelrelay send --provider label-studio --file body.json
  labelrelay send --to https://x.example/labelbox --secret env:SECRET";

const NOTES: &str = "\
A built-in sample gets a new id and the current time before it is signed, so that it is no repeat. A \
file's bytes are sent as they are. Any answer but 2xx is a failure.";

/// Signs and delivers one event, as the platform would.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    /// URL to deliver to, exactly [default: the `serve` that runs here, else the configured address]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// The platform to deliver as [default: the event's, or the source's]
    #[arg(long, value_enum, value_name = "PLATFORM")]
    provider: Option<Platform>,
    /// The source to deliver to [default: the platform's first]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Built-in sample, as --list names it
    #[arg(long, conflicts_with = "file")]
    event: Option<String>,
    /// List the built-in samples
    #[arg(long)]
    list: bool,
    /// Send this file's bytes
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Reference to the secret: `env:NAME` or `file:/path` [default: the source's]
    #[arg(long, value_name = "REF", value_parser = SecretRef::of_command_line)]
    secret: Option<SecretRef>,
    /// Header for the secret, for Label Studio, which signs nothing [default: the source's]
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// X-Labelbox-Id [default: a new one]
    #[arg(long, value_name = "ID")]
    delivery_id: Option<String>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Platform {
    Labelbox,
    LabelStudio,
}

impl From<Platform> for Provider {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Labelbox => Self::Labelbox,
            Platform::LabelStudio => Self::LabelStudio,
        }
    }
}

/// Printed by `--json`.
#[derive(Serialize)]
struct Sent<'a> {
    status: u16,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<&'a str>,
    body_bytes: usize,
    elapsed_ms: f64,
    /// The answer, when it is JSON.
    answer: Option<&'a RawValue>,
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    if args.list {
        return list(args.provider.map(Provider::from), args.json);
    }
    let wanted = args.provider.map(Provider::from);
    let sample = args
        .event
        .as_deref()
        .map(|event| sample(event, wanted))
        .transpose()?;
    crate::runtime::small()?.block_on(send(args, env, wanted, sample))
}

async fn send(
    args: &Args,
    env: &Env<'_>,
    wanted: Option<Provider>,
    sample: Option<&'static Sample>,
) -> Result<(), CliError> {
    let target = Target::find(args, env, wanted.or(sample.map(|sample| sample.provider)))?;
    let sample = match (&args.file, sample) {
        (None, None) => Some(default_sample(target.provider)?),
        (_, sample) => sample,
    };
    let body = match (&args.file, sample) {
        (Some(file), _) => std::fs::read(env.cwd().join(file)).map_err(|error| {
            CliError::failed(format_args!("cannot read {}: {error}", file.display()))
        })?,
        (None, Some(sample)) => sample.fresh(Timestamp::now())?,
        (None, None) => return Err(CliError::usage("give --event or --file")),
    };
    let delivery_id = match (&args.delivery_id, target.provider) {
        (Some(id), _) => Some(id.clone()),
        (None, Provider::Labelbox) => Some(labelbox_id()?),
        _ => None,
    };
    let secret = secret_reference::read(&target.secret, env).await?;
    let url = target.url(sample);
    let shown = userinfo::hidden(&url);
    let body_bytes = body.len();
    let request = Delivery {
        url: &url,
        body: Bytes::from(body),
        secret: &secret,
        credential: &target.credential,
        topic: sample.and_then(|sample| sample.topic),
        id: delivery_id.as_deref(),
    }
    .request()
    .map_err(CliError::usage)?;
    let event = sample.map(|sample| sample.event);
    if !args.json {
        let what = event.map_or_else(|| "the file".to_owned(), str::to_owned);
        say(format_args!(
            "sending {what}, {body_bytes} bytes, to {shown}"
        ));
    }
    if userinfo::is_in(&url) {
        say(format_args!(
            "the name and password in the URL are not sent"
        ));
    }
    let begun = Instant::now();
    let answer = labelrelay_http_client::send(request)
        .await
        .map_err(|error| {
            let cure = if error.refused {
                "; is `serve` running? `--to` names another address"
            } else {
                ""
            };
            CliError::failed(format_args!("{shown}: {error}{cure}"))
        })?;
    let elapsed_ms = millis(begun.elapsed());
    let (status, good) = (answer.status, (200..300).contains(&answer.status));
    if args.json {
        let answer = serde_json::from_slice(&answer.body).ok();
        print_json(&Sent {
            status,
            url: &shown,
            event,
            delivery_id: delivery_id.as_deref(),
            body_bytes,
            elapsed_ms,
            answer,
        })?;
    } else {
        // A stranger's answer may hold anything, so what a terminal would obey is escaped.
        let text = String::from_utf8_lossy(&answer.body);
        print(format_args!(
            "{status} after {elapsed_ms:.1} ms: {}",
            one_line(text.trim_end())
        ))?;
    }
    if good {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}

fn sample(event: &str, provider: Option<Provider>) -> Result<&'static Sample, CliError> {
    named(event, provider).ok_or_else(|| match (named(event, None), provider) {
        (Some(other), Some(provider)) => CliError::usage(format_args!(
            "`{event}` is an event of {}, not of {}; leave out --provider, or see \
             `labelrelay send --list --provider {}`",
            other.provider.as_str(),
            provider.as_str(),
            provider.as_str(),
        )),
        _ => CliError::usage(format_args!(
            "there is no sample `{}`; `labelrelay send --list` shows all",
            event.escape_debug()
        )),
    })
}

fn default_sample(provider: Provider) -> Result<&'static Sample, CliError> {
    let found = SAMPLES.iter().find(|sample| sample.provider == provider);
    found.ok_or_else(|| CliError::usage("there is no sample of that platform; give --file"))
}

#[derive(Serialize)]
struct Listed {
    event: &'static str,
    provider: &'static str,
    about: &'static str,
    body_bytes: usize,
}

fn list(provider: Option<Provider>, json: bool) -> Result<(), CliError> {
    for sample in SAMPLES
        .iter()
        .filter(|sample| provider.is_none_or(|wanted| wanted == sample.provider))
    {
        let Sample {
            event, about, body, ..
        } = *sample;
        let provider = sample.provider.as_str();
        if json {
            print_json(&Listed {
                event,
                provider,
                about,
                body_bytes: body.len(),
            })?;
        } else {
            print(format_args!(
                "{event:<28} {provider:<14} {:>6} bytes  {about}",
                body.len()
            ))?;
        }
    }
    Ok(())
}
