//! `labelrelay events page`: the page over an archive, for who has no `serve` that shows one.

mod data;

use super::filter::{self, Content};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::from_archive::FromArchive;
use crate::output::{print, say};
use crate::random_secret::new_secret;
use crate::serve::Signals;
use data::ArchivedData;
use http::request::Parts;
use labelrelay_http::admin::{PageAnswer, serve_page};
use labelrelay_page::{Page, PageToken};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const EXAMPLES: &str = "\
Examples:
  labelrelay events page --from s3://BUCKET/archive
  labelrelay events page --from file:archive --since 30d --project 3";

const NOTES: &str = "\
Prints the page's URL, which holds a token, and answers until it is stopped. The archive is read once, at the start: what \
is archived later is seen by the next one. An archive has events, and no heads, and nothing that was refused.";

/// What is being read when it is stopped is not waited for any longer.
const RUNTIME_END: Duration = Duration::from_secs(1);

/// Shows the events of an archive on a web page of this machine.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", filter::HELP))]
pub(super) struct Args {
    /// The archive, such as `s3://BUCKET/archive`
    #[arg(long, value_name = "URL")]
    from: String,
    /// Loopback address of the page; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// So many of the newest events
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    limit: usize,
    #[command(flatten)]
    content: Content,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    if !args.listen.ip().is_loopback() {
        return Err(CliError::usage(
            "`--listen`: the page answers on a loopback address alone, such as 127.0.0.1:9090; from another machine, forward the port",
        ));
    }
    let mut filter = args.content.filter()?;
    filter.newest_first = true;
    let from = FromArchive::open(&args.from, filter, env)?;
    let data = Arc::new(ArchivedData::read(from, args.limit)?);
    let token = PageToken::new(new_secret()?).map_err(CliError::failed)?;
    let page = Page::new(token, Arc::<ArchivedData>::clone(&data));
    let runtime = crate::runtime::full()?;
    let served = runtime.block_on(serve(args.listen, page));
    runtime.shutdown_timeout(RUNTIME_END);
    // Its own runtime may not end within the other one.
    drop(data);
    served
}

async fn serve(address: SocketAddr, page: Page) -> Result<(), CliError> {
    let cannot = |error: std::io::Error| {
        CliError::failed(format_args!(
            "cannot listen on {address}: {error}; name another address by --listen"
        ))
    };
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let mut signals = Signals::new()?;
    print(format_args!("{}", page.url(listener.local_addr()?)))?;
    say(format_args!(
        "open it in a browser of this machine; SIGTERM or Ctrl-C ends it"
    ));
    let answer: PageAnswer = Arc::new(move |head: &Parts| page.answer(head));
    serve_page(listener, answer, async move { signals.next().await }).await;
    Ok(())
}
