//! The page on the admin address: what the record and the queue say, for people. On wherever deliveries are recorded,
//! unless the configuration says otherwise.

mod data;
mod deeds;
mod newest;
mod on_queue;
mod refusal;
mod relay_state;
mod sources;
mod strip;

pub(super) use relay_state::RelayState;

use crate::env::Env;
use crate::error::CliError;
use crate::event_of_delivery;
use crate::locations::QueueLocation;
use crate::record::RecordPlace;
use crate::serve::pull_state::PullState;
use crate::{open, page_token, record};
use data::RecordedData;
use http::request::Parts;
use labelrelay_core::Clock;
use labelrelay_core::config::Config;
use labelrelay_http::admin::PageAnswer;
use labelrelay_page::PageToken;
use on_queue::Queue;
use std::net::SocketAddr;
use std::sync::Arc;
use strip::Strip;

/// The page, ready to be mounted.
pub(super) struct Page {
    /// Answers requests.
    pub(super) answer: PageAnswer,
    /// Its address, which anybody may read.
    pub(super) address: String,
    /// Its URL with the token, for whoever started `serve`.
    pub(super) url: String,
}

/// What the page is made of.
pub(super) struct Making<'a> {
    pub(super) config: &'a Config,
    pub(super) env: &'a Env<'a>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) relay: RelayState,
    pub(super) record: Option<RecordPlace>,
    pub(super) pulls: PullState,
    /// Where senders reach the relay.
    pub(super) base: &'a str,
    /// The address that it is mounted on.
    pub(super) admin: SocketAddr,
}

impl Making<'_> {
    /// The page; `None` where it is off. One that cannot be had is told in the log: deliveries are worth more.
    pub(super) fn page(self) -> Option<Page> {
        match self.made() {
            Ok(page) => page,
            Err(error) => {
                let reason = error.message();
                tracing::warn!(name: "page_off", reason, "there is no page until the next start");
                None
            }
        }
    }

    fn made(self) -> Result<Option<Page>, CliError> {
        let (Some(file), Some(record)) = (
            record::shown_by_page(self.config, self.env)?,
            self.record.clone(),
        ) else {
            return Ok(None);
        };
        let text = page_token::make(&file)?;
        let url = page_token::url(self.admin, &text);
        let token = PageToken::new(text).map_err(CliError::failed)?;
        let archive = event_of_delivery::archive_url(self.config)?;
        let queue = match open::queue_location(self.config, self.env)? {
            QueueLocation::Sqlite(file) => Queue::File {
                file,
                clock: self.clock,
                archive,
            },
            elsewhere => Queue::Elsewhere(elsewhere.to_string()),
        };
        let dataset = self.config.serve.record.dataset.as_ref();
        let data = RecordedData {
            strip: Strip {
                relay: self.relay,
                base: self.base.to_owned(),
                dataset: dataset.map(|dir| self.config.base_dir.join(dir)),
            },
            sources: sources::of(self.config, self.base),
            keeps_bodies: event_of_delivery::keeps_bodies(self.config),
            pulls: self.pulls,
            record,
            queue,
        };
        let page = labelrelay_page::Page::new(token, Arc::new(data)).with_relay_url(self.base);
        Ok(Some(Page {
            answer: Arc::new(move |head: &Parts| page.answer(head)),
            address: format!("http://{}/", self.admin),
            url,
        }))
    }
}
