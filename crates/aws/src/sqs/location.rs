//! The queue that a URL names.

use crate::arn_and_dns_suffix::{dns_suffix, without_dns_suffix};
use labelrelay_core::BackEndError;

/// A queue, by its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueLocation {
    /// As SQS knows it, without our own parameters.
    pub(crate) url: String,
    /// Scheme, host and port of it.
    pub(crate) origin: String,
    /// The region that stands in the host's name, if one does.
    pub(crate) region: Option<String>,
    pub(crate) account: String,
    pub(crate) name: String,
    /// `true` if messages get a group on a standard queue too.
    pub(crate) fair: bool,
}

const CURE: &str = "write the URL that AWS prints, https://sqs.<region>.amazonaws.com/<account>/<name>, or sqs://<region>/<account>/<name>";

impl QueueLocation {
    pub(crate) fn parse(text: &str) -> Result<Self, BackEndError> {
        let invalid = |problem: &str| BackEndError::new(text, problem, CURE);
        let (plain, query) = text.split_once('?').unwrap_or((text, ""));
        let fair = match query {
            "" => false,
            "group=partition" => true,
            _ => {
                let cure = "the only parameter is ?group=partition, for fair queueing";
                return Err(BackEndError::new(text, "has an unknown parameter", cure));
            }
        };
        let url = match plain.strip_prefix("sqs://") {
            Some(rest) => {
                let (region, path) = rest
                    .split_once('/')
                    .ok_or_else(|| invalid("names no queue"))?;
                format!("https://sqs.{region}.{}/{path}", dns_suffix(region))
            }
            None => plain.to_owned(),
        };
        let uri: http::Uri = url.parse().map_err(|_| invalid("is not a URL"))?;
        let (Some("http" | "https"), Some(host)) = (uri.scheme_str(), uri.authority()) else {
            return Err(invalid("is not the URL of an SQS queue"));
        };
        if host.as_str().contains('@') {
            return Err(BackEndError::new(
                host.host(),
                "holds credentials",
                "give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ));
        }
        // Some stand-ins put a word before the account.
        let mut parts = uri.path().trim_matches('/').rsplit('/');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next());
        let account = account.ok_or_else(|| invalid("does not end in /<account>/<name>"))?;
        if !is_name(name) || account.is_empty() {
            return Err(invalid("does not end in /<account>/<name>"));
        }
        Ok(Self {
            origin: format!("{}://{host}", uri.scheme_str().unwrap_or("https")),
            region: region(host.host()),
            account: account.to_owned(),
            name: name.to_owned(),
            fair,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Another queue behind the same address; `None` when that is no name of one.
    pub(crate) fn sibling(&self, account: &str, name: &str) -> Option<Self> {
        let own = format!("/{}/{}", self.account, self.name);
        let base = self.url.strip_suffix(&own)?;
        if account.is_empty() || !is_name(name) {
            return None;
        }
        Some(Self {
            url: format!("{base}/{account}/{name}"),
            account: account.to_owned(),
            name: name.to_owned(),
            ..self.clone()
        })
    }

    /// FIFO queues are told by their name: AWS gives it to no other.
    pub(crate) fn is_fifo(&self) -> bool {
        is_fifo(&self.name)
    }
}

fn is_fifo(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end == "fifo")
}

fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !stem.is_empty() && name.len() <= 80 && stem.chars().all(good)
}

/// `sqs.<region>.amazonaws.com` in all its spellings: FIPS, dual-stack, VPC endpoints, other partitions, the old one.
fn region(host: &str) -> Option<String> {
    let labels = without_dns_suffix(host)?;
    let mut labels = labels.split('.').filter(|label| is_region(label));
    labels.next().map(str::to_owned)
}

/// `eu-central-1`, `us-gov-west-1`: words and a number.
fn is_region(label: &str) -> bool {
    let mut parts = label.split('-');
    let number = parts.next_back().unwrap_or_default();
    let words: Vec<_> = parts.collect();
    (2..=3).contains(&words.len())
        && words
            .iter()
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> QueueLocation {
        QueueLocation::parse(text).expect(text)
    }

    #[test]
    fn all_forms_of_a_queue_url_are_parsed() {
        let printed = parsed("https://sqs.eu-west-1.amazonaws.com/123456789012/events.fifo");
        assert_eq!(printed.region.as_deref(), Some("eu-west-1"));
        assert_eq!(printed.origin, "https://sqs.eu-west-1.amazonaws.com");
        assert_eq!(
            (printed.account.as_str(), printed.name.as_str()),
            ("123456789012", "events.fifo")
        );
        assert!(printed.is_fifo() && !printed.fair);
        let short = parsed("sqs://eu-west-1/123456789012/events.fifo");
        assert_eq!(short, printed);
        let regions = [
            (
                "https://sqs-fips.us-gov-west-1.amazonaws.com/1/q",
                Some("us-gov-west-1"),
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/1/q",
                Some("cn-north-1"),
            ),
            (
                "https://sqs.eusc-de-east-1.amazonaws.eu/1/q",
                Some("eusc-de-east-1"),
            ),
            (
                "https://sqs.us-isob-east-1.sc2s.sgov.gov/1/q",
                Some("us-isob-east-1"),
            ),
            ("https://sqs.eu-west-1.api.aws/1/q", Some("eu-west-1")),
            (
                "https://vpce-0a1b-2c3d.sqs.eu-west-1.vpce.amazonaws.com/1/q",
                Some("eu-west-1"),
            ),
            (
                "https://eu-west-1.queue.amazonaws.com/1/q",
                Some("eu-west-1"),
            ),
            ("http://127.0.0.1:4566/000000000000/q", None),
            ("http://sqs.eu-west-1.localhost:4566/1/q", None),
        ];
        for (url, region) in regions {
            assert_eq!(parsed(url).region.as_deref(), region, "{url}");
        }
        let fair = parsed("https://sqs.eu-west-1.amazonaws.com/1/q?group=partition");
        assert!(fair.fair && !fair.url.contains('?'));
        assert_eq!(
            parsed("sqs://cn-north-1/1/q").origin,
            "https://sqs.cn-north-1.amazonaws.com.cn"
        );
        for (region, suffix) in [
            ("us-gov-west-1", "amazonaws.com"),
            ("eusc-de-east-1", "amazonaws.eu"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
            ("us-isof-south-1", "csp.hci.ic.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ] {
            let short = parsed(&format!("sqs://{region}/1/q"));
            assert_eq!(short.origin, format!("https://sqs.{region}.{suffix}"));
            assert_eq!(short.region.as_deref(), Some(region));
        }
    }

    #[test]
    fn a_queue_beside_another_is_behind_the_same_address() {
        for (url, beside) in [
            (
                "sqs://eu-west-1/1/events",
                "https://sqs.eu-west-1.amazonaws.com/2/dead.fifo",
            ),
            (
                "http://127.0.0.1:1/queue/1/events",
                "http://127.0.0.1:1/queue/2/dead.fifo",
            ),
        ] {
            let sibling = parsed(url).sibling("2", "dead.fifo").expect("a name");
            assert_eq!(sibling, parsed(beside));
        }
        assert_eq!(
            parsed("sqs://eu-west-1/1/events").sibling("2", "no name"),
            None
        );
    }

    #[test]
    fn an_invalid_queue_url_is_refused_with_the_cure() {
        for text in [
            "",
            "queue",
            "https://sqs.eu-west-1.amazonaws.com",
            "https://sqs.eu-west-1.amazonaws.com/queue",
            "https://sqs.eu-west-1.amazonaws.com/1/a b",
            "https://sqs.eu-west-1.amazonaws.com/1/a.b",
            "sqs://eu-west-1",
            "arn:aws:sqs:eu-west-1:1:q",
            "ftp://host/1/q",
            "https://host/1/q?group=all",
        ] {
            let error = QueueLocation::parse(text).expect_err(text).to_string();
            assert!(error.contains("sqs") || error.contains("group="), "{error}");
        }
        let error = QueueLocation::parse("https://key:hush@host/1/q").expect_err("credentials");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
