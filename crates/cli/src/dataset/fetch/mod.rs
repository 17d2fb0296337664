//! `labelrelay dataset fetch`.

mod client;
mod copies;
mod origin;
mod place;

use super::location::DatasetLocation;
use super::words::counted;
use crate::durations::parse_duration;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{one_line, print, say};
use client::Client;
use copies::{Copies, Failure, without_query};
use futures_util::stream::{self, StreamExt as _};
use http::Uri;
use labelrelay_dataset::MediaList;
use origin::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset fetch ./cars --into ./images --from cdn.example.org
  labelrelay dataset sync ./cars --media https://cdn.example.org=./images/cdn.example.org";

const NOTES: &str = "\
Fetches from the named hosts alone, by https unless you write http://, and follows redirects to them only. A name that \
leads to a private address is refused unless that address is named with --private. A copy that is there is not fetched again. \
What was fetched, with its SHA-256, is in fetched.jsonl. Sends no credentials, and goes through no proxy. Works beside `sync`.";

/// Media that are fetched at the same time.
const AT_ONCE: usize = 8;

/// Places of media from elsewhere that are named.
const MAX_ELSEWHERE: usize = 20;

/// Fetches copies of the images, for `sync --media`.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    place: DatasetLocation,
    /// Directory of the copies: each host has a folder in it
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// A host to fetch from (repeatable)
    #[arg(long, value_name = "HOST", required = true)]
    from: Vec<Origin>,
    /// A private address that a host may have (repeatable)
    #[arg(long, value_name = "ADDRESS")]
    private: Vec<IpAddr>,
    /// The most bytes that one may have
    #[arg(long, value_name = "N", default_value = "100000000")]
    max_bytes: u64,
    /// The longest that one may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let list = MediaList::open(env.cwd().join(args.place.dir()))?;
    let copies = Copies::open(env.cwd().join(&args.into), args.max_bytes);
    let fetching = Fetching {
        client: Client::new(&args.from, &args.private),
        copies: copies.map_err(of_disk)?,
        timeout: args.timeout,
    };
    let mut counts = Counts::default();
    let ended = crate::runtime::small()?.block_on(fetching.all(list, &mut counts));
    print(format_args!("{}", counts.words()))?;
    ended?;
    for origin in &args.from {
        let folder = args.into.join(origin.folder());
        if env.cwd().join(&folder).is_dir() {
            print(format_args!(
                "use them with --media {origin}={}",
                folder.display()
            ))?;
        }
    }
    if counts.failed > 0 {
        return Err(CliError::Reported);
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Counts {
    fetched: u64,
    there: u64,
    failed: u64,
    /// Media of hosts that were not named, by where they are.
    elsewhere: BTreeMap<String, u64>,
    /// Those for which there was no room in that.
    more: u64,
}

struct Fetching {
    client: Client,
    copies: Copies,
    timeout: Duration,
}

impl Fetching {
    async fn all(&self, list: MediaList, counts: &mut Counts) -> Result<(), CliError> {
        // What failed once would fail again for every other task with this address.
        let mut failed: BTreeSet<PathBuf> = BTreeSet::new();
        for addresses in list {
            let due = self.due(addresses?, counts, &failed);
            let fetches = due.into_iter().map(|(place, address)| async move {
                let fetched = self.fetch(&address, &place).await;
                (place, address, fetched)
            });
            let mut fetches = std::pin::pin!(stream::iter(fetches).buffer_unordered(AT_ONCE));
            while let Some((place, address, fetched)) = fetches.next().await {
                match fetched {
                    Ok(()) => counts.fetched += 1,
                    Err(Failure::Medium(why)) => {
                        counts.fail(&address, &why);
                        failed.insert(place);
                    }
                    Err(disk) => return Err(of_disk(disk)),
                }
            }
        }
        Ok(())
    }

    /// Those of the addresses that are to be fetched, by the places of their copies.
    fn due(
        &self,
        addresses: Vec<String>,
        counts: &mut Counts,
        failed: &BTreeSet<PathBuf>,
    ) -> BTreeMap<PathBuf, String> {
        let mut due = BTreeMap::new();
        for address in addresses {
            let uri = address.parse::<Uri>().ok();
            let Some(origin) = uri.and_then(|uri| self.client.named(&uri)) else {
                counts.note_elsewhere(&address);
                continue;
            };
            match place::place(&address, &origin) {
                Ok(place) if failed.contains(&place) => {}
                Ok(place) if self.copies.has(&place) => counts.there += 1,
                Ok(place) => {
                    due.insert(place, address);
                }
                Err(why) => counts.fail(&address, &why),
            }
        }
        due
    }

    async fn fetch(&self, address: &str, place: &Path) -> Result<(), Failure> {
        let fetch = async {
            let uri: Uri = address.parse().map_err(|_| "it is no URL".to_owned())?;
            // The connection has to stay until the body is there.
            let (response, _connection) = self.client.get(uri).await?;
            self.copies.keep(address, place, response.into_body()).await
        };
        match tokio::time::timeout(self.timeout, fetch).await {
            Ok(fetched) => fetched,
            Err(_) => Err(Failure::Medium(format!(
                "it took longer than {} s: see --timeout",
                self.timeout.as_secs_f64()
            ))),
        }
    }
}

impl Counts {
    fn fail(&mut self, address: &str, why: &str) {
        self.failed += 1;
        let address = shown(address);
        let (address, why) = (one_line(&address), one_line(why));
        say(format_args!("labelrelay: {address}: {why}"));
    }

    fn note_elsewhere(&mut self, address: &str) {
        let origin = match address.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", host_and_path(rest).0),
            None => "addresses without a host".to_owned(),
        };
        if let Some(count) = self.elsewhere.get_mut(&origin) {
            *count += 1;
        } else if self.elsewhere.len() < MAX_ELSEWHERE {
            self.elsewhere.insert(origin, 1);
        } else {
            self.more += 1;
        }
    }

    fn words(&self) -> String {
        let mut words = vec![
            format!("{} fetched", self.fetched),
            format!("{} there already", self.there),
        ];
        if self.failed > 0 {
            words.push(format!("{} failed", self.failed));
        }
        for (origin, count) in &self.elsewhere {
            words.push(format!("{count} not asked for: {}", one_line(origin)));
        }
        if self.more > 0 {
            words.push(format!(
                "{} not asked for in other places",
                counted(self.more, "medium", "media")
            ));
        }
        words.join("\n")
    }
}

/// An address without what may be a secret in it.
fn shown(address: &str) -> String {
    let address = without_query(address);
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = host_and_path(rest);
            format!("{scheme}://{host}{path}")
        }
        None => address.to_owned(),
    }
}

/// The host of what stands behind a scheme, and what follows it. A name and a password may stand before the host.
fn host_and_path(rest: &str) -> (&str, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    (host, path)
}

fn of_disk(failure: Failure) -> CliError {
    match failure {
        Failure::Medium(why) => CliError::failed(why),
        Failure::Disk(path, error) => CliError::failed(format_args!(
            "{}: {error}: make room there, or name with --into a directory that can be written to",
            path.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_passwords_and_signatures() {
        for (address, expected) in [
            ("https://a:secret@h:1/7.jpg?sig=secret", "https://h:1/7.jpg"),
            ("https://secret@h", "https://h"),
            ("https://h/a@b.jpg", "https://h/a@b.jpg"),
            ("/7.jpg?token=secret", "/7.jpg"),
        ] {
            assert_eq!(shown(address), expected);
        }
    }
}
