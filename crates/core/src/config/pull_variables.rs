//! Variables that let sources pull, and that say where Label Studio is.

use super::duration::parse_duration;
use super::error::{ConfigError, ENVIRONMENT};
use super::pull::{PullConfig, at_least, url_of};
use super::settings::{Config, SourceConfig};
use super::variables::Lookup;
use crate::provider::Provider;

/// Variables that let the source of a platform pull.
const EVERY: [(Provider, &str); 2] = [
    (Provider::Labelbox, "LABELBOX_PULL_EVERY"),
    (Provider::LabelStudio, "LABEL_STUDIO_PULL_EVERY"),
];

/// URL of Label Studio, as its own client calls it.
const LABEL_STUDIO_URL: &str = "LABEL_STUDIO_URL";

/// Applies the variables: they win over the file.
pub(super) fn apply(config: &mut Config, lookup: Lookup<'_>) -> Result<(), ConfigError> {
    for (provider, variable) in EVERY {
        let Some(text) = lookup.text(variable)? else {
            continue;
        };
        let wrong =
            |problem: &str, cure: &str| Err(ConfigError::new(ENVIRONMENT, variable, problem, cure));
        let every = match parse_duration(&text) {
            Ok(every) => at_least(ENVIRONMENT, variable, every)?,
            Err(cure) => return wrong("is not a length of time", cure),
        };
        let mut sources = config
            .sources
            .iter_mut()
            .filter(|source| source.provider == provider);
        match (sources.next(), sources.next()) {
            (Some(source), None) => {
                let pull = &mut source.pull;
                pull.get_or_insert_with(|| PullConfig::new(every)).every = every;
            }
            (None, _) => {
                let problem = format!("there is no source of {}", provider.as_str());
                return wrong(&problem, "add one, or unset the variable");
            }
            (Some(_), Some(_)) => {
                let problem = format!("several sources are of {}", provider.as_str());
                return wrong(
                    &problem,
                    "write a section [source.pull] below the one that shall pull",
                );
            }
        }
    }
    config
        .sources
        .iter_mut()
        .try_for_each(|source| locate(source, lookup))
}

/// Label Studio is somewhere else for everybody. Only who pulls has to know where.
fn locate(source: &mut SourceConfig, lookup: Lookup<'_>) -> Result<(), ConfigError> {
    let Some(pull) = &mut source.pull else {
        return Ok(());
    };
    if source.provider != Provider::LabelStudio || pull.url.is_some() {
        return Ok(());
    }
    if let Some(url) = lookup.text(LABEL_STUDIO_URL)? {
        pull.url = Some(url_of(ENVIRONMENT, LABEL_STUDIO_URL, &url)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::secret_reference::SecretRef;
    use super::super::variables::Environment;
    use super::*;
    use std::time::Duration;

    const SOURCE: &str =
        "[[source]]\nname = \"studio\"\nprovider = \"label-studio\"\nsecret = \"env:S\"\n";

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment: Environment = variables.iter().copied().collect();
        Config::from_toml(text, "file", "/base".into(), &environment)
    }

    fn pull(section: &str, variables: &[(&str, &str)]) -> Result<Option<PullConfig>, String> {
        let text = if section.is_empty() {
            SOURCE.to_owned()
        } else {
            format!("{SOURCE}[source.pull]\n{section}")
        };
        let config = read(&text, variables).map_err(|error| error.to_string())?;
        Ok(config.sources.into_iter().next().unwrap().pull)
    }

    #[test]
    fn a_section_says_how_to_pull() {
        assert_eq!(pull("", &[]), Ok(None));
        let all = "every = \"10s\"\nurl = \"http://ls.test:8080/\"\ntoken = \"file:token\"\nprojects = [1, \"2\"]\n\
                   deleted_projects = [3]\nsince = \"2026-11-01T00:00:00Z\"\noverlap = \"1m\"\nrate = 2.5\nledger = \"s3://b/p\"\n";
        let expected = PullConfig {
            every: Duration::from_secs(10),
            url: Some("http://ls.test:8080".to_owned()),
            token: Some(SecretRef::File("/base/token".into())),
            projects: vec!["1".to_owned(), "2".to_owned()],
            deleted_projects: vec!["3".to_owned()],
            since: Some("2026-11-01T00:00:00Z".parse().unwrap()),
            overlap: Duration::from_secs(60),
            rate: Some(2.5),
            ledger: Some("s3://b/p".to_owned()),
        };
        assert_eq!(pull(all, &[]), Ok(Some(expected)));
    }

    #[test]
    fn variables_do_without_a_section() {
        let variables = [
            ("LABEL_STUDIO_PULL_EVERY", "5m"),
            ("LABEL_STUDIO_URL", "http://ls.test"),
        ];
        let found = pull("", &variables).unwrap().unwrap();
        assert_eq!(found.every, Duration::from_secs(300));
        assert_eq!(found.url.as_deref(), Some("http://ls.test"));
        // A variable wins; what it does not say stays.
        let section = "every = \"10s\"\nurl = \"http://other.test\"\n";
        let found = pull(section, &variables).unwrap().unwrap();
        assert_eq!(found.every, Duration::from_secs(300));
        assert_eq!(found.url.as_deref(), Some("http://other.test"));
        let alone: Environment = [
            ("LABELBOX_WEBHOOK_SECRET", "a"),
            ("LABELBOX_PULL_EVERY", "1h"),
        ]
        .into_iter()
        .collect();
        let config = Config::from_environment("/".into(), &alone)
            .unwrap()
            .unwrap();
        let pull = config.sources.first().unwrap().pull.as_ref().unwrap();
        assert_eq!((pull.every.as_secs(), &pull.url), (3600, &None));
    }

    #[test]
    fn settings_that_cannot_be_meant_are_named() {
        let url = "url = \"http://ls.test\"\n";
        for (section, said) in [
            (
                format!("every = \"soon\"\n{url}"),
                "source.studio.pull.every",
            ),
            (format!("every = \"10ms\"\n{url}"), "1s or more"),
            (url.to_owned(), "every"),
            (
                "every = \"1s\"\nurl = \"ls.test\"\n".to_owned(),
                "http://HOST:PORT",
            ),
            (
                "every = \"1s\"\nurl = \"http://u:hidden@ls.test\"\n".to_owned(),
                "password",
            ),
            (
                "every = \"1s\"\nurl = \"http://ls.test?a=b\"\n".to_owned(),
                "query",
            ),
            (
                format!("every = \"1s\"\n{url}token = \"hidden\"\n"),
                "where the secret is kept",
            ),
            (
                format!("every = \"1s\"\n{url}rate = 0\n"),
                "source.studio.pull.rate",
            ),
            (
                format!("every = \"1s\"\n{url}projects = [\"\"]\n"),
                "source.studio.pull.projects",
            ),
            (
                format!("every = \"1s\"\n{url}since = \"yesterday\"\n"),
                "RFC 3339",
            ),
            (format!("every = \"1s\"\n{url}project = [1]\n"), "project"),
        ] {
            let error = pull(&section, &[]).unwrap_err();
            assert!(error.contains(said), "{section}: {error}");
            assert!(!error.contains("hidden"), "{error}");
        }
        let error = pull("", &[("LABELBOX_PULL_EVERY", "1m")]).unwrap_err();
        assert!(error.contains("no source of labelbox"), "{error}");
        let two = format!("{SOURCE}{}", SOURCE.replace("studio\"\np", "other\"\np"));
        let error = read(&two, &[("LABEL_STUDIO_PULL_EVERY", "1m")]).unwrap_err();
        assert!(error.to_string().contains("several sources"), "{error}");
    }
}
