//! From the token to a webhook for each project.

use super::pull_instead;
use super::target::Target;
use super::{Args, Facts, Row, greet, named};
use crate::connect::relay_url::is_loopback;
use crate::connect::report::{Problem, Report};
use crate::error::CliError;
use crate::http_client;
use bytes::Bytes;
use http::Request;
use labelrelay_reconcile::label_studio::{ProjectTitle, Version, Webhook, WebhookSettings};
use serde_json::Map;
use std::time::Duration;

/// Time for the relay to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn walk(
    args: &Args,
    target: &Target,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    let words = greet(target, facts).await?;
    let projects = target.management.projects(&args.project).await?;
    let count = match projects.len() {
        1 => "1 project".to_owned(),
        count => format!("{count} projects"),
    };
    report.done(format_args!("{words}, {count}"))?;
    warn(target, facts, report);
    if projects.is_empty() {
        return Err(Problem::Step(
            "no project to connect: each webhook is one of a project. Make a project, and run this again".to_owned(),
        ));
    }
    relay_answers(target, report).await?;
    if let Err(error) = target.management.check_url(&target.relay.url).await {
        if !error.refuses_address {
            return Err(error.into());
        }
        report.failed(&error)?;
        report.hint(pull_instead::words(target))?;
        return Ok(());
    }
    report.done(format_args!(
        "Label Studio takes webhooks to {}",
        target.relay.url
    ))?;
    let webhooks = target.management.webhooks().await?;
    let ours: Vec<_> = webhooks
        .iter()
        .filter(|hook| target.is_ours(hook))
        .collect();
    let mut walk = Walk {
        plan: args.plan,
        target,
        report,
        rows: &mut facts.webhooks,
    };
    let of = |project: Option<u64>| ours.iter().filter(move |hook| hook.project == project);
    for webhook in of(None) {
        walk.keep_or_mend(webhook, &named(webhook.id, None)).await?;
    }
    for project in &projects {
        let name = titled(project);
        let mut has_one = false;
        for webhook in of(Some(project.id)) {
            has_one = true;
            let name = format!("{name}: webhook {}", webhook.id);
            walk.keep_or_mend(webhook, &name).await?;
        }
        if has_one {
            continue;
        }
        match of(None).next() {
            Some(webhook) => walk.report.done(format_args!(
                "{name}: the organization's webhook {} sends its events",
                webhook.id
            ))?,
            None => walk.make(project.id, &name).await?,
        }
    }
    Ok(())
}

/// A project's number and title.
fn titled(project: &ProjectTitle) -> String {
    let ProjectTitle { id, title } = project;
    if title.is_empty() {
        format!("project {id}")
    } else {
        format!("project {id} \"{title}\"")
    }
}

fn warn(target: &Target, facts: &Facts, report: &mut Report) {
    if let Some(version) = &facts.version
        && !Version::new(version.clone()).is_known()
    {
        report.warn(format!(
            "Label Studio {version} is not a version that this was tried with (1.20 to 1.23): look at its webhooks afterwards, with `labelrelay connect list label-studio`"
        ));
    }
    if target.relay.is_loopback() && !is_loopback(&target.server) {
        report.warn(format!(
            "{} leads every machine to itself. If Label Studio runs on another machine or in a container, give --relay with an address that it reaches",
            target.relay.url
        ));
    }
}

async fn relay_answers(target: &Target, report: &mut Report) -> Result<(), CliError> {
    let url = target.relay.ready();
    let request = Request::get(&url).body(Bytes::new());
    let request = request.map_err(CliError::failed)?;
    match tokio::time::timeout(READY_WITHIN, http_client::send(request)).await {
        Ok(Ok(answer)) if answer.status == 200 => {
            report.done(format_args!("the relay is ready: {url}"))
        }
        Ok(Ok(answer)) => report.doubted(format_args!(
            "the relay is not ready: {url} answers {}; its log says why. If that is not the relay, give --relay",
            answer.status
        )),
        Ok(Err(error)) => report.doubted(format_args!(
            "the relay does not answer here: {url}: {error}; see that it runs. Where only Label Studio reaches it, that is no fault"
        )),
        Err(_) => report.doubted(format_args!(
            "the relay does not answer here: {url}: not within {} s; see that it runs. Where only Label Studio reaches it, that is no fault",
            READY_WITHIN.as_secs()
        )),
    }
}

struct Walk<'a> {
    plan: bool,
    target: &'a Target,
    report: &'a mut Report,
    rows: &'a mut Vec<Row>,
}

impl Walk<'_> {
    async fn keep_or_mend(&mut self, webhook: &Webhook, name: &str) -> Result<(), Problem> {
        let flaws = self.target.credential.flaws(webhook);
        let mut row = Row {
            id: Some(webhook.id),
            project: webhook.project,
            action: "unchanged",
            flaws,
        };
        if row.flaws.is_empty() {
            self.report.done(format_args!("{name} is there already"))?;
            self.rows.push(row);
            return Ok(());
        }
        let told = row.flaws.join(", ");
        row.action = "mended";
        if self.plan {
            self.report
                .done(format_args!("{name} would be mended ({told})"))?;
            self.rows.push(row);
            return Ok(());
        }
        let headers = self.target.credential.headers(&webhook.headers);
        let settings = WebhookSettings {
            url: self.target.credential.url(webhook, &self.target.relay.url),
            headers: &headers,
            actions: &webhook.actions,
        };
        let management = &self.target.management;
        match management.update_webhook(webhook.id, &settings).await {
            Ok(()) => self.report.done(format_args!("{name} mended ({told})"))?,
            Err(error) if error.is_retryable => return Err(error.into()),
            Err(error) => {
                row.action = "failed";
                self.report
                    .failed(format_args!("{name} ({told}): {error}"))?;
            }
        }
        self.rows.push(row);
        Ok(())
    }

    async fn make(&mut self, project: u64, name: &str) -> Result<(), Problem> {
        let mut row = Row {
            id: None,
            project: Some(project),
            action: "made",
            flaws: Vec::new(),
        };
        if self.plan {
            self.report
                .done(format_args!("{name}: a webhook would be made"))?;
            self.rows.push(row);
            return Ok(());
        }
        let headers = self.target.credential.headers(&Map::new());
        let settings = WebhookSettings {
            url: &self.target.relay.url,
            headers: &headers,
            actions: &[],
        };
        let management = &self.target.management;
        match management.make_webhook(project, &settings).await {
            Ok(webhook) => {
                row.id = Some(webhook.id);
                self.report
                    .done(format_args!("{name}: webhook {} made", webhook.id))?;
            }
            Err(error) if error.is_retryable => return Err(error.into()),
            Err(error) => {
                row.action = "failed";
                self.report.failed(format_args!("{name}: {error}"))?;
            }
        }
        self.rows.push(row);
        Ok(())
    }
}
