//! `labelrelay events export`.

use super::body;
use super::filter::{self, Which};
use crate::damaged_event::damaged_event;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES, chain};
use crate::from_archive::FromArchive;
use crate::output::{Bar, one_line, print, print_json, say};
use crate::queue_file::QueueArgs;
use labelrelay_event::{Attributes, Envelope};
use labelrelay_local::{FileError, QueueFile, StoredEnvelope};
use serde::Serialize;
use std::borrow::Cow;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  labelrelay events export --dir events
  labelrelay events export --dir events --since 1d --source labelbox
  labelrelay events export --dir events --pending --json
  labelrelay events export --dir events --since 30d --from s3://BUCKET/archive";

const NOTES: &str = "\
Writes two files an event: NNNNNN.json, the envelope exactly as queued, and NNNNNN.body, the sender's \
bytes. NNNNNN is the event's number in the queue, so a second export into the same directory adds what is \
new. It never changes a file that has other contents: there the export ends. Of a damaged event it \
writes the first file alone, names it, goes on, and ends with 1. Files of an archive's events are named by their ids.";

/// Said at a terminal meanwhile.
const DOING: &str = "exporting";

/// Writes events into files; acknowledged ones too, until they are pruned.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", filter::HELP))]
pub(super) struct Args {
    /// Directory to write into; made if need be
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Take them from the archive at this URL, such as `s3://BUCKET/archive`
    #[arg(long, value_name = "URL", conflicts_with_all = ["dead", "pending"])]
    from: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

#[derive(Default, Serialize)]
struct Exported {
    events: u64,
    bodies: u64,
    failures: u64,
}

pub(super) fn run(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    let directory = env.cwd().join(&args.dir);
    let exported = match &args.from {
        Some(url) => {
            let from = FromArchive::open(url, args.which.archived()?, env)?;
            let mut exported = Exported::begin(&directory)?;
            let bar = Bar::new(DOING, !args.json);
            let troubles = from.each(|event| {
                let name = archived_name(&event.attributes);
                exported.put(&directory, &name, None, event.envelope)?;
                bar.add(1);
                Ok(true)
            })?;
            exported.failures += troubles;
            exported
        }
        None => of_queue(args, &queue.open(env)?, &directory)?,
    };
    if args.json {
        print_json(&exported)?;
    } else {
        print(format_args!(
            "exported {} events to {}",
            exported.events,
            args.dir.display()
        ))?;
    }
    if exported.failures > 0 {
        Err(CliError::Reported)
    } else {
        Ok(())
    }
}

fn of_queue(args: &Args, queue: &QueueFile, directory: &Path) -> Result<Exported, CliError> {
    let filter = args.which.filter(queue)?;
    let mut exported = Exported::begin(directory)?;
    let bar = Bar::new(DOING, !args.json);
    for stored in queue.export(filter) {
        let stored = match stored {
            Err(damage @ FileError::Damaged { .. }) => {
                say(format_args!("events are missing here: {}", chain(&damage)));
                exported.failures += 1;
                continue;
            }
            other => other?,
        };
        let number = stored.event.seq;
        let name = format!("{number:06}");
        exported.put(directory, &name, Some(number), &stored.envelope)?;
        bar.add(1);
    }
    Ok(exported)
}

impl Exported {
    /// Nothing yet, into a directory that is there then.
    fn begin(directory: &Path) -> Result<Self, CliError> {
        make(directory).map_err(|error| cannot_write(directory, &error))?;
        Ok(Self::default())
    }

    /// Writes the files of one event. It has a number where it is of the queue.
    fn put(
        &mut self,
        directory: &Path,
        name: &str,
        number: Option<u64>,
        envelope: &[u8],
    ) -> Result<(), CliError> {
        write_once(&directory.join(format!("{name}.json")), envelope)?;
        self.events += 1;
        let body = match StoredEnvelope::read(envelope) {
            StoredEnvelope::Intact(_, Some(body)) => Ok(Some(body)),
            StoredEnvelope::Intact(envelope, None) => claimed(name, &envelope),
            StoredEnvelope::Damaged(reason) => Err(CliError::Failed(match number {
                Some(number) => damaged_event(number, &reason),
                None => format!("it is not what was archived: {reason}"),
            })),
            StoredEnvelope::Newer(reason) => Err(CliError::Failed(format!(
                "its envelope is one of a newer version: {reason}"
            ))),
        };
        match body {
            Ok(Some(body)) => {
                write_once(&directory.join(format!("{name}.body")), &body)?;
                self.bodies += 1;
            }
            Ok(None) => {}
            Err(CliError::Failed(words)) => {
                say(format_args!("{name}: {}", one_line(&words)));
                self.failures += 1;
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }
}

/// The files' name of an event that has no number: its id, and when it was sent again.
fn archived_name(attributes: &Attributes) -> String {
    let is_odd = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_');
    let plain = |text: &str| text.replace(is_odd, "_");
    match &attributes.replayedtime {
        Some(again) => format!("{}-again-{}", plain(&attributes.id), plain(again)),
        None => plain(&attributes.id),
    }
}

/// The body that an envelope refers to; `None`, and named, where only a cloud's tools reach it.
fn claimed<'a>(name: &str, envelope: &Envelope<'a>) -> Result<Option<Cow<'a, [u8]>>, CliError> {
    let body = body::read(envelope)?;
    if body.is_none() {
        let place = envelope.attributes.dataref.as_deref().unwrap_or_default();
        say(format_args!(
            "{name}: the body is not with the event but at {}",
            one_line(place)
        ));
    }
    Ok(body)
}

/// Bodies may hold tokens of the platform: only their owner may read them.
fn make(directory: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Leaves a file with the same contents alone, and refuses to change any other file.
fn write_once(file: &Path, contents: &[u8]) -> Result<(), CliError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut out) => out.write_all(contents).map_err(|error| {
            // Half a file would stand in the way of the next export.
            let _ = fs::remove_file(file);
            cannot_write(file, &error)
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match fs::read(file) {
            Ok(there) if there == contents => Ok(()),
            _ => Err(CliError::failed(format_args!(
                "{} is there with other contents; export into an empty directory",
                file.display()
            ))),
        },
        Err(error) => Err(cannot_write(file, &error)),
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::failed(format_args!("cannot write {}: {error}", path.display()))
}
