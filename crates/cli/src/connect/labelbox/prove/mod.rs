//! `labelrelay connect labelbox --prove`: asks a real workspace what no document says, with a webhook and a secret of its
//! own, and writes down what it saw. Ends what it made, also when it is interrupted.

mod answers;
mod delivery;
mod receiver;
mod report_file;
mod secret_file;

use super::target::Target;
use super::{Args, greet, named};
use crate::connect::facts::Facts;
use crate::connect::report::{Problem, Report};
use crate::durations::words;
use crate::error::CliError;
use crate::random_secret::new_secret;
use crate::serve::Signals;
use answers::{Exported, Seen};
use labelrelay_core::Secret;
use labelrelay_reconcile::labelbox::{Status, TOPICS, Webhook, WebhookChange, WebhookSettings};
use receiver::Receiver;
use report_file::ReportFile;
use secret_file::SecretFile;
use std::fmt::Display;
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
    /// The part of the URL that no other has.
    mark: String,
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
    // Of every project: whichever of them delivers to `serve`, its deliveries would come here meanwhile.
    let (_, webhooks) = target.management.projects_and_webhooks(&[]).await?;
    let is_used = |hook: &&Webhook| target.is_ours(hook) && hook.status == Status::Active;
    if let Some(used) = webhooks.iter().find(is_used) {
        return Err(Problem::Step(format!(
            "{} delivers to {}, and would get no answer of `serve` meanwhile: give --relay another address, such as that of a second tunnel to {}",
            named(used),
            target.relay.url,
            args.listen
        )));
    }
    let mark: String = new_secret()?.chars().take(MARK).collect();
    let secret = Secret::new("of the proof", new_secret()?);
    let mark = format!("/proof-{mark}");
    let mut proof = Proof {
        args,
        target,
        project,
        url: format!("{}{mark}", target.relay.url),
        mark,
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
    // Before anything is made, so that nobody asks for nothing.
    let file = ReportFile::make(&args.report, cwd).map_err(Problem::Step)?;
    report.done(format_args!(
        "listening at http://{}, where {} must lead",
        receiver.address, proof.url
    ))?;
    let mut seen = Seen::nothing();
    let mut secret_file = None;
    // Not interrupted: a webhook whose making is not waited for cannot be looked for.
    let made = proof.make(&webhooks, report).await;
    let is_made = made.is_ok();
    let asked = match made {
        Ok(id) => tokio::select! {
            biased;
            () = signals.next() => Err(Problem::Step("it was interrupted".to_owned())),
            asked = proof.ask(&id, &receiver, cwd, &mut secret_file, &mut seen, report) => asked,
        },
        Err(problem) => Err(problem),
    };
    if asked.is_err() {
        seen.ended = "it broke off";
    }
    let mut all = Endings::new(report);
    all.saw(asked);
    if let Some(file) = secret_file {
        let removed = file.remove();
        all.saw(
            removed.map_err(|error| {
                Problem::Step(format!("{SECRET_FILE} is left: {error}; remove it"))
            }),
        );
    }
    let ended = tokio::select! {
        ended = proof.end(is_made, &mut all) => ended,
        () = signals.next() => Err(proof.left(&"it was interrupted again")),
    };
    all.saw(ended);
    seen.deliveries = receiver.deliveries();
    let written = file.write(&report_file::text(&seen, receiver.strangers()), all.report);
    all.saw(written);
    all.end()
}

/// Ends of the parts of a proof. Each that went wrong is said, and the others are seen to all the same.
struct Endings<'a> {
    report: &'a mut Report,
    /// Of the output, or of the words on the command line.
    first: Option<CliError>,
}

impl<'a> Endings<'a> {
    fn new(report: &'a mut Report) -> Self {
        Self {
            report,
            first: None,
        }
    }

    fn saw(&mut self, ended: Result<(), Problem>) {
        let error = match ended {
            Ok(()) => None,
            Err(Problem::Step(why)) => self.report.failed(why).err(),
            Err(Problem::Cli(error)) => Some(error),
        };
        self.first = self.first.take().or(error);
    }

    fn done(&mut self, what: impl Display) {
        let said = self.report.done(what);
        self.saw(said.map_err(Problem::Cli));
    }

    fn end(self) -> Result<(), Problem> {
        self.first.map_or(Ok(()), |error| Err(error.into()))
    }
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

    /// Makes the webhook of version 1; its id.
    async fn make(&self, known: &[Webhook], report: &mut Report) -> Result<String, Problem> {
        let topics = TOPICS.map(str::to_owned);
        let no_text = || Problem::Step("the secret is no text".to_owned());
        let secret = std::str::from_utf8(self.secret.expose()).map_err(|_| no_text())?;
        let settings = WebhookSettings {
            project: Some(self.project),
            url: &self.url,
            topics: &topics,
            secret,
        };
        let making = self.target.management.make_webhook(&settings, known);
        let made = making.await?;
        report.done(format_args!("webhook {} made, of version 1", made.id))?;
        Ok(made.id)
    }

    async fn ask(
        &mut self,
        webhook: &str,
        receiver: &Receiver,
        cwd: &Path,
        file: &mut Option<SecretFile>,
        seen: &mut Seen,
        report: &mut Report,
    ) -> Result<(), Problem> {
        let secret = self.secret.clone();
        let secret = String::from_utf8_lossy(secret.expose());
        let wait = words(self.args.delivery_within());
        self.forget_lines();
        report.hint(format_args!(
            "Part 1 of 2. In Labelbox, in this project: submit a label, change it, delete it, and move a row to another task of the workflow. The first delivery gets a 503, and the second one no answer, so leave Labelbox time to send them again. Press Enter when nothing comes any more; it ends by itself after {wait}."
        ))?;
        self.person(report, receiver).await?;
        receiver.be_friendly();
        self.check_lists_and_export(webhook, seen, report).await?;

        let made = SecretFile::make(&cwd.join(SECRET_FILE), &secret).map_err(|error| {
            Problem::Step(format!(
                "{SECRET_FILE} cannot be made: {error}; if it is left of an earlier run, remove it"
            ))
        })?;
        *file = Some(made);
        self.forget_lines();
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
        Ok(())
    }

    /// Drops lines that were entered before the next part was told of: they are no answer to it.
    fn forget_lines(&mut self) {
        while self.lines.try_recv().is_ok() {}
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
        let _is_over = tokio::time::timeout(self.args.delivery_within(), entered).await;
        let came = receiver.deliveries().len().saturating_sub(before);
        report.done(format_args!("{came} deliveries came"))?;
        Ok(())
    }

    /// Looks at the webhook in the lists, and tries an export. What goes wrong here is an answer, and no fault.
    async fn check_lists_and_export(
        &self,
        id: &str,
        seen: &mut Seen,
        report: &mut Report,
    ) -> Result<(), Problem> {
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

    /// A webhook may be left, for this reason.
    fn left(&self, why: &dyn Display) -> Problem {
        Problem::Step(format!(
            "a webhook to {} may be left: {why}. Set it to inactive in Labelbox: Workspace settings, Webhooks",
            self.url
        ))
    }

    /// Ends every webhook of this proof: also the one that was made by hand, for any project, and one whose making went
    /// wrong. One that cannot be ended keeps no other.
    async fn end(&self, is_made: bool, all: &mut Endings<'_>) -> Result<(), Problem> {
        let management = &self.target.management;
        let lists = management.projects_and_webhooks(&[]).await;
        let (_, webhooks) = lists.map_err(|error| self.left(&error))?;
        let url = format!("{}/ended", self.url);
        let change = WebhookChange {
            url: Some(&url),
            status: Some(Status::Inactive),
            ..WebhookChange::default()
        };
        // A URL that was entered by hand may differ in all else.
        let ours = webhooks.iter().filter(|hook| hook.url.contains(&self.mark));
        let mut count = 0_usize;
        for webhook in ours {
            match management.update_webhook(&webhook.id, &change).await {
                Ok(()) => {
                    count += 1;
                    all.done(format_args!("webhook {} ended", webhook.id));
                }
                Err(error) => all.saw(Err(self.left(&format!("webhook {}: {error}", webhook.id)))),
            }
        }
        if count == 0 && !is_made {
            return Err(self.left(&"its making went wrong, and no list shows it yet"));
        }
        let webhooks = if count == 1 { "webhook" } else { "webhooks" };
        all.done(format_args!(
            "{count} {webhooks} ended, with {} in the URL",
            self.mark
        ));
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
