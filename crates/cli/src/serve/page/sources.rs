//! Sources: what to enter on their platforms, and what their deliveries and pulls tell. A secret is named by its place,
//! and never shown.

use super::strip::{ago, since};
use crate::serve::hints::secret_header;
use crate::serve::private_address;
use crate::serve::pull_state::LastPull;
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_page::SourceView;
use labelrelay_record::{Filter, Pattern, Record, RecordError, Recorded};

/// Deliveries that are looked through for one of a source: sources have no index of their own.
const LOOKED_AT: i64 = 100_000;

/// The newest deliveries of the record, among which those of a source are looked for.
struct Window {
    /// The number before the oldest one.
    after: i64,
    /// When the oldest one came; `None` where the record begins with it.
    begins_ms: Option<i64>,
}

impl Window {
    /// `None` if the record is empty.
    fn of(record: &dyn Record) -> Result<Option<Self>, RecordError> {
        let newest = Filter {
            newest_first: true,
            ..Filter::default()
        };
        let Some(last) = record.list(&newest, 1)?.pop() else {
            return Ok(None);
        };
        let after = last.number.saturating_sub(LOOKED_AT).max(0);
        let mut begins_ms = None;
        if after > 0 {
            let oldest = Filter {
                after: Some(after),
                ..Filter::default()
            };
            let oldest = record.list(&oldest, 1)?.pop();
            begins_ms = oldest.map(|oldest| oldest.row.arrived_ms);
        }
        Ok(Some(Self { after, begins_ms }))
    }

    /// Tells whether it has all that came since this moment.
    fn reaches(&self, ms: i64) -> bool {
        self.begins_ms.is_none_or(|begins| begins <= ms)
    }
}

/// A source, as far as the configuration says how it is.
pub(super) struct Source {
    view: SourceView,
    /// `true` if its platform shall deliver, and is not only looked at.
    delivers: bool,
    /// Reference to its secret, where a shell takes it as it is.
    secret: Option<String>,
}

pub(super) fn of(config: &Config, base: &str) -> Vec<Source> {
    let sources = config.sources.iter().map(|source| Source {
        view: view(source, base),
        delivers: source.pull.is_none() || source.webhook.is_some(),
        secret: reference(source),
    });
    sources.collect()
}

impl Source {
    pub(super) fn name(&self) -> &str {
        &self.view.name
    }

    /// Reference to its secret, for a command that somebody runs in any folder.
    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// What is known of it now. The platform is not asked.
    pub(super) fn now(
        &self,
        record: Option<&dyn Record>,
        pull: Option<&LastPull>,
    ) -> Result<SourceView, RecordError> {
        let window = record.map(Window::of).transpose()?.flatten();
        let (Some(record), Some(window)) = (record, window) else {
            return Ok(self.told(None, true, pull, &[]));
        };
        let newest = self.newest(record, &window, None)?;
        let mut silent = Vec::new();
        for (project, since_ms) in pull.into_iter().flat_map(|pull| &pull.silent) {
            // One that came since may stand further back. A project that stays silent is found so by later pulls, too.
            if !window.reaches(*since_ms) {
                continue;
            }
            let came = self.newest(record, &window, Some(project))?;
            if came.is_none_or(|came| came.row.arrived_ms < *since_ms) {
                silent.push(project.as_str());
            }
        }
        let is_whole = window.begins_ms.is_none();
        Ok(self.told(newest.as_ref(), is_whole, pull, &silent))
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
        record: &dyn Record,
        window: &Window,
        project: Option<&str>,
    ) -> Result<Option<Recorded>, RecordError> {
        let filter = Filter {
            source: Some(Pattern::exactly(self.name())),
            project: project.map(Pattern::exactly),
            after: Some(window.after),
            newest_first: true,
            ..Filter::default()
        };
        Ok(record.list(&filter, 1)?.pop())
    }

    /// Puts it into words. `is_whole` if the whole record was looked through. Nothing was delivered in the `silent` projects
    /// since a pull found changes there.
    fn told(
        &self,
        newest: Option<&Recorded>,
        is_whole: bool,
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
            None if self.delivers && !is_whole => findings.push(format!(
                "None of the newest {LOOKED_AT} deliveries in the record is of this source: filter the list by it to see whether one came before; if none did, enter this on {platform}"
            )),
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

fn reference(source: &SourceConfig) -> Option<String> {
    let (reference, _) = source.secrets.first()?;
    let text = match reference {
        SecretRef::File(file) => {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            SecretRef::File(file).to_string()
        }
        other => other.to_string(),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-+@%".contains(&byte);
    text.bytes().all(is_plain).then_some(text)
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
        Source {
            view,
            delivers,
            secret: None,
        }
    }

    fn delivery(status: u16) -> Recorded {
        let row = Row {
            status,
            outcome: "accepted".to_owned(),
            reason: (status >= 400).then(|| "no secret matches".to_owned()),
            ..Row::default()
        };
        Recorded::new(1, row)
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
            let view = source(delivers).told(newest, true, pull, silent);
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

    #[test]
    fn what_was_not_looked_at_is_not_said_to_be_missing() {
        let view = source(true).told(None, false, None, &[]);
        assert_eq!(view.findings.len(), 1);
        let found = &view.findings[0];
        assert!(found.starts_with("None of the newest 100000"), "{found}");
        let busy = Window {
            after: 7,
            begins_ms: Some(5),
        };
        assert!(busy.reaches(5) && !busy.reaches(4));
        let whole = Window {
            after: 0,
            begins_ms: None,
        };
        assert!(whole.reaches(4));
    }
}
