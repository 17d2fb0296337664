//! Resources that settings name: a topic, a prefix in a bucket, a secret.

use labelrelay_core::BackEndError;

/// A topic of Pub/Sub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) project: String,
    pub(crate) id: String,
    /// `true` if messages carry ordering keys.
    pub(crate) ordered: bool,
}

impl Topic {
    /// Reads `pubsub://PROJECT/TOPIC`.
    pub(crate) fn parse(url: &str) -> Result<Self, BackEndError> {
        let cure = "write pubsub://PROJECT/TOPIC, or pubsub://PROJECT/TOPIC?ordering=partition";
        let invalid = |problem: &str| BackEndError::new(url, problem, cure);
        let rest = url
            .strip_prefix("pubsub://")
            .ok_or_else(|| invalid("is not the URL of a Pub/Sub topic"))?;
        let (path, query) = rest
            .split_once('?')
            .map_or((rest, None), |(path, query)| (path, Some(query)));
        let ordered = match query {
            None => false,
            Some("ordering=partition") => true,
            Some(_) => return Err(invalid("has a setting that is not known")),
        };
        let Some((project, id)) = path.split_once('/') else {
            return Err(invalid("names no topic"));
        };
        // Characters that Pub/Sub itself allows, less `%`: nothing that could mean another resource in a path.
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.~+:".contains(c);
        if project.is_empty() || !project.chars().all(good) {
            return Err(invalid("names no project"));
        }
        let starts_well = id.starts_with(|c: char| c.is_ascii_alphabetic());
        if !(3..=255).contains(&id.len()) || !starts_well || !id.chars().all(good) {
            return Err(invalid(
                "names no topic: 3 to 255 letters, digits and -_.~+, a letter first",
            ));
        }
        Ok(Self {
            project: project.to_owned(),
            id: id.to_owned(),
            ordered,
        })
    }

    /// Name in Google's cloud.
    pub(crate) fn resource(&self) -> String {
        format!("projects/{}/topics/{}", self.project, self.id)
    }
}

/// A bucket of Cloud Storage, and what all names in it begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GcsLocation {
    pub(crate) bucket: String,
    /// Empty, or with a slash at its end.
    pub(crate) prefix: String,
}

impl GcsLocation {
    /// Reads `gs://BUCKET/PREFIX`.
    pub(crate) fn parse(url: &str) -> Result<Self, BackEndError> {
        let invalid = |problem: &str| {
            BackEndError::new(url, problem, "write gs://BUCKET or gs://BUCKET/PREFIX")
        };
        let rest = url
            .strip_prefix("gs://")
            .ok_or_else(|| invalid("is not a place in Cloud Storage"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        if !(3..=222).contains(&bucket.len()) || !bucket.bytes().all(good) {
            return Err(invalid("names no bucket"));
        }
        let prefix = prefix.trim_matches('/');
        let visible = |c: char| c.is_ascii_graphic() && !"?#[]*".contains(c);
        if !prefix.chars().all(visible) || prefix.len() > 256 {
            return Err(invalid(
                "has a prefix of other than up to 256 visible characters",
            ));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
        })
    }

    /// The name of the object that is called `key` here.
    pub(crate) fn object(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// A secret of Secret Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretName {
    /// `projects/PROJECT/secrets/NAME`.
    pub(crate) resource: String,
    /// The one version that is meant, or the newest two.
    pub(crate) version: Option<String>,
}

impl SecretName {
    /// Reads what stands after `gcp-secretmanager:`; `project` completes a bare name.
    pub(crate) fn parse(text: &str, project: Option<&str>) -> Result<Self, BackEndError> {
        let invalid = |problem: &str, cure: &str| {
            BackEndError::new(&format!("gcp-secretmanager:{text}"), problem, cure)
        };
        let full = "write gcp-secretmanager:projects/PROJECT/secrets/NAME, with /versions/N at its end for one version alone";
        let good = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(|part| good(part)) {
            return Err(invalid("is not the name of a secret", full));
        }
        let (project, name, version) = match *parts.as_slice() {
            [name] => {
                let project = project.ok_or_else(|| {
                    invalid(
                        "names no project, and GOOGLE_CLOUD_PROJECT is not set",
                        full,
                    )
                })?;
                (project, name, None)
            }
            ["projects", project, "secrets", name] => (project, name, None),
            ["projects", project, "secrets", name, "versions", version] => {
                (project, name, Some(version))
            }
            _ => return Err(invalid("is not the name of a secret", full)),
        };
        Ok(Self {
            resource: format!("projects/{project}/secrets/{name}"),
            version: version.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics() {
        let topic =
            Topic::parse("pubsub://example.com:proj-1/label-events?ordering=partition").unwrap();
        assert_eq!(
            topic.resource(),
            "projects/example.com:proj-1/topics/label-events"
        );
        assert!(topic.ordered);
        assert!(!Topic::parse("pubsub://p/abc").unwrap().ordered);
        for bad in [
            "pubsub://",
            "pubsub://p",
            "pubsub://p/",
            "pubsub:///abc",
            "pubsub://p/ab",
            "pubsub://p/1abc",
            "pubsub://p/a/b/c",
            "pubsub://p/abc?x=1",
            "pubsub://p/abc%2f",
            "sqs://p/abc",
            "pubsub://../abc/d",
        ] {
            assert!(Topic::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn locations() {
        let location = GcsLocation::parse("gs://bucket/a/b/").unwrap();
        assert_eq!(
            (location.bucket.as_str(), location.object("k").as_str()),
            ("bucket", "a/b/k")
        );
        assert_eq!(GcsLocation::parse("gs://bucket").unwrap().object("k"), "k");
        for bad in [
            "gs://",
            "gs://ab",
            "gs://Bucket",
            "gs://bucket/a b",
            "gs://bucket/a?b",
            "s3://bucket",
        ] {
            assert!(GcsLocation::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn secrets() {
        let read = |text| SecretName::parse(text, Some("own")).unwrap();
        assert_eq!(read("webhook").resource, "projects/own/secrets/webhook");
        assert_eq!(
            read("projects/p/secrets/s/versions/3").version.as_deref(),
            Some("3")
        );
        assert_eq!(read("projects/p/secrets/s").version, None);
        assert!(SecretName::parse("webhook", None).is_err());
        for bad in [
            "",
            "a/b",
            "projects/p/secrets/",
            "projects/p/secrets/s/versions",
            "projects/p/secrets/s%2f",
            "../x",
        ] {
            assert!(SecretName::parse(bad, Some("own")).is_err(), "{bad}");
        }
    }
}
