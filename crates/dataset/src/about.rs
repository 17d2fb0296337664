//! Tasks, as whoever exports their annotations needs to know them.

use crate::label_config::LabelConfig;
use crate::media;
use crate::redact::Addresses;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Knowledge of a task.
#[derive(Default)]
pub(crate) struct About {
    data: Option<Value>,
    media_url: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
}

impl About {
    pub(crate) fn read(db: &Connection, source: &str, task: &str) -> rusqlite::Result<Self> {
        let about = db
            .prepare_cached(
                "SELECT data, media_url, external_id, width, height FROM tasks
                 WHERE source = ?1 AND task_id = ?2",
            )?
            .query_row((source, task), |row| {
                let data: Option<String> = row.get(0)?;
                let size: (Option<u32>, Option<u32>) = (row.get(3)?, row.get(4)?);
                Ok(Self {
                    data: data.and_then(|data| serde_json::from_str(&data).ok()),
                    media_url: row.get(1)?,
                    external_id: row.get(2)?,
                    size: size.0.zip(size.1),
                })
            })
            .optional()?;
        Ok(about.unwrap_or_default())
    }

    pub(crate) fn media(
        &self,
        config: &LabelConfig,
        item: Option<i64>,
        addresses: Addresses,
    ) -> Option<String> {
        if let Some(url) = &self.media_url {
            return addresses.one(url);
        }
        addresses.one(media::address(self.data.as_ref()?, config, item)?)
    }

    /// Addresses of all its media, whole.
    pub(crate) fn all_media(&self, config: &LabelConfig) -> Vec<String> {
        if let Some(url) = &self.media_url {
            return vec![url.clone()];
        }
        let data = self.data.as_ref();
        let addresses = data.map(|data| media::addresses(data, config));
        let addresses = addresses.unwrap_or_default().into_iter();
        addresses.map(str::to_owned).collect()
    }
}

/// The newest labeling configurations of projects, each read once.
#[derive(Debug, Default)]
pub(crate) struct Configs(HashMap<(String, Option<String>), LabelConfig>);

impl Configs {
    /// The one of this project, or one that says nothing.
    pub(crate) fn of(
        &mut self,
        db: &Connection,
        source: &str,
        project: Option<&str>,
    ) -> rusqlite::Result<&LabelConfig> {
        let key = (source.to_owned(), project.map(str::to_owned));
        Ok(match self.0.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(config(db, source, project)?),
        })
    }
}

fn config(db: &Connection, source: &str, project: Option<&str>) -> rusqlite::Result<LabelConfig> {
    let xml: Option<Option<String>> = db
        .prepare_cached(
            "SELECT label_config FROM projects WHERE source = ?1 AND project_id = ?2
             ORDER BY seen_at DESC LIMIT 1",
        )?
        .query_row((source, project), |row| row.get(0))
        .optional()?;
    let xml = xml.flatten();
    Ok(xml.map_or_else(LabelConfig::default, |xml| LabelConfig::parse(&xml)))
}
