//! `labelrelay connect labelbox --prove`: asks a real workspace what no document says, with a webhook and a secret of its
//! own, and writes down what it saw. Ends what it made, also when it is interrupted.

mod answers;
mod delivery;
mod receiver;
mod report_file;
mod secret_file;

use super::Args;
use super::greet;
use super::target::Target;
use crate::connect::facts::Facts;
use crate::connect::report::{Problem, Report};
use crate::durations::words;
use crate::error::CliError;
use crate::local_dir::new_secret;
use crate::serve::Signals;
use answers::{Exported, Seen};
use labelrelay_core::Secret;
use labelrelay_reconcile::labelbox::{Status, TOPICS, Webhook, WebhookChange, WebhookSettings};
use receiver::Receiver;
use secret_file::SecretFile;
use std::io::BufRead as _;
use std::path::Path;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedReceiver;

/// Letters of the path that tells the proof's webhooks from all others.
const MARK: usize = 12;

/// The place of the proof's secret while the webhook of version 2 is made by hand.
const SECRET_FILE: &str = "labelbox-proof.secret";

struct Proof<'a> {
    args: &'a Args,
    target: &'a Target,
    project: &'a str,
    /// URL of the proof's webhooks, and of no other.
    url: String,
    secret: Secret,
    /// Lines of the person who does what only a person can do.
    lines: UnboundedReceiver<()>,
}

pub(super) async fn walk(
    args: &Args,
    target: &Target,
    cwd: &Path,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    let [project] = args.project.as_slice() else {
        return Err(Problem::Cli(CliError::usage(
            "--prove needs one --project ID: one made for it, with a few rows that may be labelled",
        )));
    };
    target.is_deliverable()?;
    let said = greet(target, facts).await?;
    report.done(said)?;
    let (_, webhooks) = target
        .management
        .projects_and_webhooks(std::slice::from_ref(project))
        .await?;
    let is_used = |hook: &&Webhook| target.is_ours(hook) && hook.status == Status::Active;
    if let Some(used) = webhooks.iter().find(is_used) {
        return Err(Problem::Step(format!(
            "the webhook {} delivers to {}, and would get no answer of `serve` meanwhile: give --relay another address, such as that of a second tunnel to {}",
            used.id, target.relay.url, args.listen
        )));
    }
    let mark: String = new_secret()?.chars().take(MARK).collect();
    let secret = Secret::new("of the proof", new_secret()?);
    let mut proof = Proof {
        args,
        target,
        project,
        url: format!("{}/proof-{mark}", target.relay.url),
        secret: secret.map_err(|error| Problem::Step(error.message))?,
        lines: lines(),
    };
    if args.plan {
        return proof.plan(report);
    }
    let mut signals = Signals::new()?;
    let receiver = Receiver::start(args.listen, proof.secret.clone()).await;
    let receiver = receiver.map_err(|error| {
        Problem::Step(format!(
            "{} cannot be listened at: {error}; stop what listens there, `serve` perhaps, or give --listen ADDRESS:PORT and lead the tunnel there",
            args.listen
        ))
    })?;
    report.done(format_args!(
        "listening at http://{}, where {} must lead",
        receiver.address, proof.url
    ))?;
    let mut seen = Seen::nothing();
    let asked = tokio::select! {
        asked = proof.ask(&receiver, cwd, &webhooks, &mut seen, report) => asked,
        () = signals.next() => Err(Problem::Step("it was interrupted".to_owned())),
    };
    if asked.is_err() {
        seen.ended = "it broke off";
    }
    let ended = proof.end(report).await;
    seen.deliveries = receiver.deliveries();
    let written = write(&args.report, cwd, &seen, receiver.strangers(), report);
    asked.and(ended).and(written)
}

/// Lines that somebody enters; none where nobody is there.
fn lines() -> UnboundedReceiver<()> {
    let (sender, lines) = tokio::sync::mpsc::unbounded_channel();
    // It waits in the system, which only the end of the process ends.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || sender.send(()).is_err() {
                return;
            }
        }
    });
    lines
}

fn write(
    file: &Path,
    cwd: &Path,
    seen: &Seen,
    strangers: u64,
    report: &mut Report,
) -> Result<(), Problem> {
    let text = report_file::text(seen, strangers);
    std::fs::write(cwd.join(file), text).map_err(|error| {
        Problem::Step(format!(
            "the report cannot be written to {}: {error}; give --report FILE",
            file.display()
        ))
    })?;
    report.done(format_args!(
        "report written to {}: it holds no secret, id, name or content; read it, then send it with an issue of this project",
        file.display()
    ))?;
    Ok(())
}

impl Proof<'_> {
    fn plan(&self, report: &mut Report) -> Result<(), Problem> {
        let (project, listen) = (self.project, self.args.listen);
        let file = self.args.report.display();
        for step in [
            format!("would listen at {listen}, where {} must lead", self.url),
            format!("would make a webhook for project {project}, of version 1, with a secret of its own"),
            "would answer its first delivery with 503, its second one not at all, all others with 200".to_owned(),
            "would wait for you to submit, change and delete labels, and to move a row in the workflow".to_owned(),
            format!("would put the secret into {SECRET_FILE}, and wait for you to make a webhook of version 2"),
            format!("would export project {project}, and count its labels"),
            format!("would end both webhooks, remove {SECRET_FILE}, and write {file}"),
        ] {
            report.done(step)?;
        }
        report.hint("nothing was changed; leave out --plan to do it")?;
        Ok(())
    }

    async fn ask(
        &mut self,
        receiver: &Receiver,
        cwd: &Path,
        known: &[Webhook],
        seen: &mut Seen,
        report: &mut Report,
    ) -> Result<(), Problem> {
        let topics = TOPICS.map(str::to_owned);
        let no_text = || Problem::Step("the secret is no text".to_owned());
        let secret = self.secret.clone();
        let secret = std::str::from_utf8(secret.expose()).map_err(|_| no_text())?;
        let settings = WebhookSettings {
            project: Some(self.project),
            url: &self.url,
            topics: &topics,
            secret,
        };
        let made = self
            .target
            .management
            .make_webhook(&settings, known)
            .await?;
        report.done(format_args!("webhook {} made, of version 1", made.id))?;
        let wait = words(self.args.wait);
        report.hint(format_args!(
            "Part 1 of 2. In Labelbox, in this project: submit a label, change it, delete it, and move a row to another task of the workflow. The first delivery gets a 503, and the second one no answer, so leave Labelbox time to send them again. Press Enter when nothing comes any more; it ends by itself after {wait}."
        ))?;
        self.person(report, receiver).await?;
        receiver.be_friendly();
        self.look(&made.id, seen, report).await?;

        let file = SecretFile::make(&cwd.join(SECRET_FILE), secret).map_err(|error| {
            Problem::Step(format!(
                "{SECRET_FILE} cannot be made: {error}; if it is left of an earlier run, remove it"
            ))
        })?;
        report.hint(format_args!(
            "Part 2 of 2. Labelbox's API makes no webhook of version 2, so make one:\n\
             \x20 1. in Labelbox: Workspace settings → Webhooks → New webhook, this project, payload version v2, all topics\n\
             \x20 2. URL {}, and as secret what is in {SECRET_FILE}\n\
             \x20 3. do the same with labels and rows as before\n\
             Press Enter when nothing comes any more, or at once to leave this part out; it ends by itself after {wait}.",
            self.url
        ))?;
        self.person(report, receiver).await?;
        seen.ended = "the person said that it was enough, or the time was over";
        file.remove()
            .map_err(|error| Problem::Step(format!("{SECRET_FILE} is left: {error}; remove it")))?;
        Ok(())
    }

    /// Waits for Enter, or for the end of the time.
    async fn person(&mut self, report: &mut Report, receiver: &Receiver) -> Result<(), Problem> {
        let before = receiver.deliveries().len();
        let entered = async {
            if self.lines.recv().await.is_none() {
                // Nobody is there: the time ends it.
                std::future::pending::<()>().await;
            }
        };
        let _is_over = tokio::time::timeout(self.args.wait, entered).await;
        let came = receiver.deliveries().len().saturating_sub(before);
        report.done(format_args!("{came} deliveries came"))?;
        Ok(())
    }

    /// Looks at the webhook in the lists, and tries an export. What goes wrong here is an answer, and no fault.
    async fn look(&self, id: &str, seen: &mut Seen, report: &mut Report) -> Result<(), Problem> {
        let management = &self.target.management;
        match management.shown(self.project, id).await {
            Ok(shown) => {
                seen.is_active = Ok(shown.status == Some(Status::Active));
                seen.is_listed = Ok(shown.is_in_organization_list);
            }
            Err(error) => {
                report.doubted(&error)?;
                (seen.is_active, seen.is_listed) = (Err(REFUSED), Err(REFUSED));
            }
        }
        let begun = Instant::now();
        seen.export = match management.count_labels(self.project).await {
            Ok(labels) => Ok(Exported {
                labels,
                took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            }),
            Err(error) => {
                report.doubted(&error)?;
                Err(REFUSED)
            }
        };
        Ok(())
    }

    /// Ends every webhook of this proof: also the one that was made by hand, and one whose making was interrupted.
    async fn end(&self, report: &mut Report) -> Result<(), Problem> {
        let left = |why: &dyn std::fmt::Display| {
            Problem::Step(format!(
                "a webhook to {} may be left: {why}. Set it to inactive in Labelbox: Workspace settings, Webhooks",
                self.url
            ))
        };
        let project = self.project.to_owned();
        let lists = self
            .target
            .management
            .projects_and_webhooks(&[project])
            .await;
        let (_, webhooks) = lists.map_err(|error| left(&error))?;
        let url = format!("{}/ended", self.url);
        let change = WebhookChange {
            url: Some(&url),
            status: Some(Status::Inactive),
            ..WebhookChange::default()
        };
        for webhook in webhooks.iter().filter(|hook| hook.url == self.url) {
            let ended = self
                .target
                .management
                .update_webhook(&webhook.id, &change)
                .await;
            ended.map_err(|error| left(&error))?;
            report.done(format_args!("webhook {} ended", webhook.id))?;
        }
        Ok(())
    }
}

/// Words of a server may hold names, so the report has none of them; the terminal showed them.
const REFUSED: &str = "Labelbox did not answer the question";

impl Seen {
    fn nothing() -> Self {
        const NEVER: &str = "it broke off before";
        Self {
            deliveries: Vec::new(),
            ended: NEVER,
            is_active: Err(NEVER),
            is_listed: Err(NEVER),
            export: Err(NEVER),
        }
    }
}
