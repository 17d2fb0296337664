//! Which profiles AWS's two files have, and which of their settings are there. The SDK reads the values; this decides
//! whether it is asked.

use labelrelay_core::BackEndError;
use labelrelay_core::config::Lookup;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CONFIG_FILE: &str = "AWS_CONFIG_FILE";
const CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";

/// Settings by which a profile says where its credentials are.
const OF_CREDENTIALS: [&str; 8] = [
    "aws_access_key_id",
    "credential_process",
    "credential_source",
    "login_session",
    "role_arn",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// Both files.
pub(super) struct ProfileFiles {
    config: Option<PathBuf>,
    credentials: Option<PathBuf>,
}

impl ProfileFiles {
    /// Where the environment says that they are.
    pub(super) fn of(lookup: Lookup<'_>) -> Result<Self, BackEndError> {
        let home = match lookup.text("HOME")? {
            Some(home) => Some(home),
            None => lookup.text("USERPROFILE")?,
        };
        let home = home.map(PathBuf::from);
        let place = |variable: &str, name: &str| -> Result<Option<PathBuf>, BackEndError> {
            let Some(set) = lookup.text(variable)? else {
                return Ok(home.as_ref().map(|home| home.join(".aws").join(name)));
            };
            let below = set.strip_prefix("~/").zip(home.as_ref());
            Ok(Some(match below {
                Some((rest, home)) => home.join(rest),
                None => set.into(),
            }))
        };
        Ok(Self {
            config: place(CONFIG_FILE, "config")?,
            credentials: place(CREDENTIALS_FILE, "credentials")?,
        })
    }

    /// Names of the settings of a profile; `None` if it is in neither file.
    ///
    /// # Errors
    /// [`BackEndError`] when a file is there that cannot be read: the profile may be in it.
    pub(super) fn settings(&self, profile: &str) -> Result<Option<BTreeSet<String>>, BackEndError> {
        let in_config = |header: &str| {
            let mut words = header.split_whitespace();
            match (words.next(), words.next()) {
                (Some("profile"), Some(name)) => name.trim_matches('"') == profile,
                (Some(name), None) => name == "default" && profile == "default",
                _ => false,
            }
        };
        let in_credentials = |header: &str| header == profile;
        let config = read(CONFIG_FILE, self.config.as_deref())?;
        let credentials = read(CREDENTIALS_FILE, self.credentials.as_deref())?;
        let config = config.and_then(|text| section(&text, in_config));
        let credentials = credentials.and_then(|text| section(&text, in_credentials));
        Ok(match (config, credentials) {
            (None, None) => None,
            (one, other) => Some(one.into_iter().chain(other).flatten().collect()),
        })
    }

    /// Both, for messages.
    pub(super) fn shown(&self) -> String {
        let shown = |path: Option<&Path>, name: &str| match path {
            Some(path) => path.display().to_string(),
            None => format!("~/.aws/{name}"),
        };
        let config = shown(self.config.as_deref(), "config");
        let credentials = shown(self.credentials.as_deref(), "credentials");
        format!("{config} and {credentials}")
    }
}

/// Tells whether a profile with these settings says where its credentials are.
pub(super) fn has_credentials(settings: &BTreeSet<String>) -> bool {
    OF_CREDENTIALS.iter().any(|name| settings.contains(*name))
}

/// Tells whether a profile with these settings is a role's, for which STS is asked.
pub(super) fn has_role(settings: &BTreeSet<String>) -> bool {
    settings.contains("role_arn")
}

/// The text of a file; `None` if it is not there. One that is there and is not ours to read must not pass for one without
/// profiles: another identity would be used in their place.
fn read(variable: &str, path: Option<&Path>) -> Result<Option<String>, BackEndError> {
    let Some(path) = path else {
        return Ok(None);
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if path.exists() => {
            let problem = format!("leads to {}, which cannot be read: {error}", path.display());
            let cure = "let this user read it, or name another file; one that is not there has no profiles";
            Err(BackEndError::of_variable(variable, problem, cure))
        }
        Err(_) => Ok(None),
    }
}

/// Names of the settings in the sections whose header `is_it` accepts; `None` if there is no such section.
fn section(text: &str, is_it: impl Fn(&str) -> bool) -> Option<BTreeSet<String>> {
    let mut found: Option<BTreeSet<String>> = None;
    let mut is_inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(header) = trimmed.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default().trim();
            is_inside = is_it(header);
            if is_inside {
                found.get_or_insert_default();
            }
        } else if is_inside
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((name, _)) = trimmed.split_once('=')
        {
            let name = name.trim().to_ascii_lowercase();
            found.get_or_insert_default().insert(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
[default]
region = eu-central-1

[profile relay]
role_arn = arn:aws:iam::1:role/relay
# sso_session = none
source_profile = base
s3 =
  credential_process = not a setting of the profile

[services x]
credential_process = none
";

    fn files(config: &str, credentials: &[u8]) -> (tempfile::TempDir, ProfileFiles) {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("config"), dir.path().join("credentials"));
        std::fs::write(&one, config).unwrap();
        std::fs::write(&other, credentials).unwrap();
        let files = ProfileFiles {
            config: Some(one),
            credentials: Some(other),
        };
        (dir, files)
    }

    #[test]
    fn a_profile_is_found_in_either_file() {
        let (_dir, files) = files(CONFIG, b"[base]\naws_access_key_id=a\n[default]\n");
        let settings = |profile: &str| files.settings(profile).unwrap();
        let relay: Vec<String> = settings("relay").unwrap().into_iter().collect();
        assert_eq!(relay, ["role_arn", "s3", "source_profile"]);
        assert!(has_credentials(&settings("relay").unwrap()));
        assert!(has_credentials(&settings("base").unwrap()));
        // One that only names a region is none.
        assert!(!has_credentials(&settings("default").unwrap()));
        assert_eq!(settings("other"), None);
        assert_eq!(settings("x"), None);
    }

    /// Red if the profile of a file that cannot be read gives way to another identity.
    #[test]
    fn a_file_that_is_there_and_cannot_be_read_is_an_error() {
        let (_dir, files) = files(CONFIG, b"\xff\xfe");
        let error = files.settings("default").unwrap_err().to_string();
        for words in ["AWS_SHARED_CREDENTIALS_FILE", "cannot be read"] {
            assert!(error.contains(words), "{error}");
        }
        std::fs::remove_file(files.credentials.as_deref().unwrap()).unwrap();
        assert!(files.settings("default").unwrap().is_some());
    }

    #[test]
    fn the_environment_says_where_they_are() {
        let lookup = |name: &str| match name {
            "HOME" => Some("/home/me".to_owned()),
            "AWS_CONFIG_FILE" => Some("~/elsewhere".to_owned()),
            _ => None,
        };
        let files = ProfileFiles::of(&lookup).unwrap();
        assert_eq!(
            files.shown(),
            "/home/me/elsewhere and /home/me/.aws/credentials"
        );
    }
}
