//! The report of a proof: Markdown for people, with the same and more as JSON at its end.

use super::answers::{Answer, Seen, answers};
use crate::connect::report::{Problem, Report};
use crate::output::say;
use serde_json::json;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The file of the report, empty until the end.
pub(super) struct ReportFile {
    file: File,
    path: PathBuf,
}

impl ReportFile {
    /// Makes it; one that is there stays as it is.
    pub(super) fn make(path: &Path, cwd: &Path) -> Result<Self, String> {
        let path = path.to_owned();
        match File::create_new(cwd.join(&path)) {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(format!(
                "the report cannot be written to {}: {error}; remove what is there, or give --report FILE, one that is not there yet",
                path.display()
            )),
        }
    }

    /// Writes the report; where that fails, it is told instead: nobody does all of it twice.
    pub(super) fn write(mut self, text: &str, report: &mut Report) -> Result<(), Problem> {
        let path = self.path.display();
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            say(format_args!("{text}"));
            return Err(Problem::Step(format!(
                "the report cannot be written to {path}: {error}; it was told here instead"
            )));
        }
        report.done(format_args!(
            "report written to {path}: it holds no secret, id, name or content; read it, then send it with an issue of this project"
        ))?;
        Ok(())
    }
}

/// The whole report. It holds no secret, id, name, address or URL: nothing of what it is made from does.
pub(super) fn text(seen: &Seen, strangers: u64) -> String {
    let answers = answers(seen);
    let mut text = String::from(
        "# Labelbox, as a workspace showed it\n\n\
         Written by `labelrelay connect labelbox --prove`. It holds sizes, times, and names of known headers and members. It holds no secret, id, name, e-mail address, URL or content. Read it before you send it.\n\n",
    );
    for Answer {
        question,
        answer,
        not_seen,
        ..
    } in &answers
    {
        let said = match (answer, not_seen) {
            (Some(answer), _) => answer.clone(),
            (None, why) => format!("not seen: {}", why.as_deref().unwrap_or_default()),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- **{question}** {said}");
    }
    let whole = json!({
        "labelrelay": env!("CARGO_PKG_VERSION"),
        "questions": answers,
        "deliveries": seen.deliveries,
        "requests_of_others": strangers,
        "export": seen.export.ok(),
    });
    let _ = writeln!(text, "\n```json\n{whole:#}\n```");
    text
}
