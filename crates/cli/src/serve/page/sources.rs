//! Sources: what to enter on their platforms, and what their deliveries and pulls tell. A secret is named by its place,
//! and never shown.

use super::strip::{ago, since};
use crate::serve::hints::secret_header;
use crate::serve::private_address;
use crate::serve::pull_state::LastPull;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_page::SourceView;
use labelrelay_record::{Filter, Pattern, RecordError, RecordFile, Recorded};

/// Deliveries that are looked through for one of a source: sources have no index of their own.
const LOOKED_AT: i64 = 100_000;

/// A source, as far as the configuration says how it is.
pub(super) struct Source {
    view: SourceView,
    /// `true` if its platform shall deliver, and is not only looked at.
    delivers: bool,
}

pub(super) fn of(config: &Config, base: &str) -> Vec<Source> {
    let sources = config.sources.iter().map(|source| Source {
        view: view(source, base),
        delivers: source.pull.is_none() || source.webhook.is_some(),
    });
    sources.collect()
}

impl Source {
    pub(super) fn name(&self) -> &str {
        &self.view.name
    }

    /// What is known of it now. The platform is not asked.
    pub(super) fn now(
        &self,
        record: Option<&RecordFile>,
        pull: Option<&LastPull>,
    ) -> Result<SourceView, RecordError> {
        let Some(record) = record else {
            return Ok(self.told(None, pull, &[]));
        };
        let newest = self.newest(record, None)?;
        let mut silent = Vec::new();
        for (project, since_ms) in pull.into_iter().flat_map(|pull| &pull.silent) {
            let came = self.newest(record, Some(project))?;
            if came.is_none_or(|came| came.row.arrived_ms < *since_ms) {
                silent.push(project.as_str());
            }
        }
        Ok(self.told(newest.as_ref(), pull, &silent))
    }

    /// Where the record cannot be read.
    pub(super) fn unknown(&self, words: &str) -> SourceView {
        let mut view = self.view.clone();
        view.findings
            .push(format!("Its deliveries are not known: {words}"));
        view
    }

    /// The newest delivery of this source, or of a project of it.
    fn newest(
        &self,
        record: &RecordFile,
        project: Option<&str>,
    ) -> Result<Option<Recorded>, RecordError> {
        let all = Filter {
            newest_first: true,
            ..Filter::default()
        };
        let Some(last) = record.list(&all, 1)?.pop() else {
            return Ok(None);
        };
        let filter = Filter {
            source: Some(Pattern::exactly(self.name())),
            project: project.map(Pattern::exactly),
            after: Some(last.number.saturating_sub(LOOKED_AT).max(0)),
            ..all
        };
        Ok(record.list(&filter, 1)?.pop())
    }

    /// Puts it into words. Nothing was delivered in the `silent` projects since a pull found changes there.
    fn told(
        &self,
        newest: Option<&Recorded>,
        pull: Option<&LastPull>,
        silent: &[&str],
    ) -> SourceView {
        let mut view = self.view.clone();
        let platform = view.platform.clone();
        let mut fact = |label: &str, words: String| view.facts.push((label.to_owned(), words));
        let findings = &mut view.findings;
        match newest {
            Some(newest) => {
                let row = &newest.row;
                let ago = ago(since(row.arrived_ms));
                if row.status >= 400 {
                    let reason = row.reason.as_deref().unwrap_or(&row.outcome);
                    findings.push(format!(
                        "The newest delivery, {ago}, was answered with {}: {reason}; its entry in the list says what to do",
                        row.status
                    ));
                }
                fact("Newest delivery", format!("{ago}, {}", row.outcome));
            }
            None if self.delivers => findings.push(format!(
                "No delivery is in the record: enter this on {platform}; if you did, `labelrelay status` asks {platform} for its webhooks"
            )),
            None => fact(
                "Newest delivery",
                "none; changes are pulled, so none is waited for".to_owned(),
            ),
        }
        if let Some(pull) = pull {
            let ago = ago(since(pull.at_ms));
            match &pull.failure {
                Some(reason) => findings.push(format!(
                    "The newest pull, {ago}, failed, and is tried again: {reason}"
                )),
                None => fact("Newest pull", format!("{ago}, it came to its end")),
            }
        }
        // Who has pulled from the start may have no webhook.
        if !silent.is_empty() && (self.delivers || newest.is_some()) {
            let projects = silent.join(", ");
            findings.push(format!(
                "Silence: a pull found changes that no delivery brought, and none came since, in project {projects}; its webhook is missing, switched off or refused: `labelrelay status` asks {platform} which"
            ));
        }
        view
    }
}

fn view(source: &SourceConfig, base: &str) -> SourceView {
    let url = format!("{base}/{}", source.name);
    let place = source.secrets.first();
    let place = place.map_or_else(String::new, |(reference, _)| reference.to_string());
    let secret = format!("what is in {place}");
    let entry = |label: &str, value: String| (label.to_owned(), value);
    let mut findings = Vec::new();
    let (platform, enter) = if source.provider == Provider::Labelbox {
        if !base.starts_with("https://") {
            findings.push("Labelbox delivers over HTTPS only: put a tunnel or proxy in front, and give its address as `public_url`".to_owned());
        }
        let enter = vec![entry("URL", url), entry("secret", secret)];
        ("Labelbox", enter)
    } else {
        let hint = private_address::hint(base);
        findings.extend(hint.map(|hint| hint.split_whitespace().collect::<Vec<_>>().join(" ")));
        let (name, value) = secret_header(source, "<secret>");
        let mut enter = vec![
            entry("Payload URL", url),
            entry("header", format!("{name} = {value}")),
            entry("<secret>", secret),
        ];
        if source.ml_backend {
            let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
            let url = format!("{scheme}://label-studio:<secret>@{rest}/{}", source.name);
            enter.push(entry("Backend URL of an ML backend", url));
        }
        ("Label Studio", enter)
    };
    SourceView {
        name: source.name.clone(),
        platform: platform.to_owned(),
        enter,
        facts: Vec::new(),
        findings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_record::Row;

    fn source(delivers: bool) -> Source {
        let view = SourceView {
            name: "cars".to_owned(),
            platform: "Label Studio".to_owned(),
            ..SourceView::default()
        };
        Source { view, delivers }
    }

    fn delivery(status: u16) -> Recorded {
        let row = Row {
            status,
            outcome: "accepted".to_owned(),
            reason: (status >= 400).then(|| "no secret matches".to_owned()),
            ..Row::default()
        };
        Recorded { number: 1, row }
    }

    #[test]
    fn a_source_is_well_or_says_what_to_do() {
        let pulled = LastPull::default();
        let failed = LastPull {
            failure: Some("the token is refused".to_owned()),
            ..LastPull::default()
        };
        let (good, bad) = (delivery(200), delivery(401));
        let none: &[&str] = &[];
        for (delivers, newest, pull, silent, expected) in [
            (true, Some(&good), None, none, None),
            (true, None, None, none, Some("No delivery is in the record")),
            (false, None, Some(&pulled), none, None),
            (true, Some(&bad), None, none, Some("with 401: no secret")),
            (
                false,
                None,
                Some(&failed),
                none,
                Some("failed, and is tried again: the token is refused"),
            ),
            (
                false,
                Some(&good),
                Some(&pulled),
                &["7", "8"][..],
                Some("in project 7, 8;"),
            ),
            // Nothing was ever delivered, and nothing has to be.
            (false, None, Some(&pulled), &["7"][..], None),
        ] {
            let view = source(delivers).told(newest, pull, silent);
            match expected {
                None => assert_eq!(view.findings, [] as [String; 0]),
                Some(words) => {
                    assert_eq!(view.findings.len(), 1, "{words}");
                    let found = &view.findings[0];
                    assert!(found.contains(words), "{found}");
                }
            }
        }
    }
}
