//! A pull that the configuration has already: it stays as it is, and what it leaves out is said.

use super::Named;
use super::figures::is_not_pulling;
use crate::connect::report::Report;
use crate::error::CliError;
use std::path::Path;

/// Projects that are named, at most.
const NAMED: usize = 5;

/// A pull that the configuration has, where no webhook can work.
pub(in crate::connect) struct ConfiguredPull<'a> {
    /// Why no webhook can.
    pub(in crate::connect) refused: String,
    /// Origin of the configuration.
    pub(in crate::connect) origin: &'a str,
    /// The embedded queue, where that is the queue.
    pub(in crate::connect) queue: Option<&'a Path>,
    /// Name of the source.
    pub(in crate::connect) source: &'a str,
    /// The platform's name.
    pub(in crate::connect) platform: &'static str,
    /// URL of the platform that was asked.
    pub(in crate::connect) server: &'a str,
    /// URL that `serve` pulls from, where that is known.
    pub(in crate::connect) from: Option<&'a str>,
}

impl ConfiguredPull<'_> {
    /// Says what the pull does for these projects, and what it leaves out.
    pub(in crate::connect) async fn leave_as_it_is(
        &self,
        projects: &[Named],
        is_pulled: impl Fn(&Named) -> bool,
        report: &mut Report,
    ) -> Result<(), CliError> {
        let is_without = |project: &&Named| !is_pulled(project);
        let without: Vec<_> = projects.iter().filter(is_without).collect();
        if !without.is_empty() {
            report.failed(&self.refused)?;
            return report.failed(format_args!(
                "no webhook can work, and `serve` does not pull from {}: add to `projects` of [source.pull] in {}, and start `labelrelay serve` again",
                some_of(&without),
                self.origin
            ));
        }
        report.doubted(&self.refused)?;
        if let Some(url) = self.elsewhere() {
            report.warn(format!(
                "`serve` pulls from {url}, as [source.pull] says: see that this is the same {} as {}",
                self.platform, self.server
            ));
        }
        if is_not_pulling(self.queue, self.source).await {
            report.warn(format!(
                "the `serve` that runs here does not pull from `{}` yet: if that stays so, its log says why; or start it again",
                self.source
            ));
        }
        report.done("no webhook can work; `serve` pulls instead, as [source.pull] says")
    }

    /// The URL that `serve` pulls from, where it is another one than was asked. A slash at the end is no difference.
    fn elsewhere(&self) -> Option<&str> {
        let bare = self.server.trim_end_matches('/');
        self.from.filter(|url| url.trim_end_matches('/') != bare)
    }
}

/// Some projects by their names, and how many more there are.
fn some_of(projects: &[&Named]) -> String {
    let some = projects.iter().take(NAMED);
    let mut names: Vec<_> = some.map(ToString::to_string).collect();
    match projects.len().saturating_sub(NAMED) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_projects_are_named_and_the_others_are_counted() {
        let projects: Vec<_> = (1..=7)
            .map(|number| Named {
                id: number.to_string(),
                name: if number == 1 {
                    "Cars".to_owned()
                } else {
                    String::new()
                },
            })
            .collect();
        let all: Vec<_> = projects.iter().collect();
        let first = "project 1 \"Cars\", project 2";
        assert_eq!(some_of(&all[..2]), first);
        let more = format!("{first}, project 3, project 4, project 5, 2 more");
        assert_eq!(some_of(&all), more);
    }

    #[test]
    fn another_server_is_told_from_the_same_one_with_a_slash() {
        let pull = |from: Option<&'static str>| ConfiguredPull {
            refused: String::new(),
            origin: "a.toml",
            queue: None,
            source: "a",
            platform: "Labelbox",
            server: "https://h.test/graphql/",
            from,
        };
        assert_eq!(pull(None).elsewhere(), None);
        assert_eq!(pull(Some("https://h.test/graphql")).elsewhere(), None);
        let other = "https://other.test/graphql";
        assert_eq!(pull(Some(other)).elsewhere(), Some(other));
    }
}
