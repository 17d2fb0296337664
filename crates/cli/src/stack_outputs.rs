//! Outputs of a stack in a cloud, as a configuration: with them `status`, `connect` and `pull` see a relay that runs there.
//! The relay itself has its variables, and `serve` takes no outputs.

use crate::env::Env;
use crate::error::CliError;
use labelrelay_core::config::Config;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Far above any stack's.
const MAX_BYTES: u64 = 1024 * 1024;

/// Texts by their names.
type Outputs = BTreeMap<String, String>;

/// Everything that the outputs say of a relay.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stack {
    queue: String,
    blob_store: Option<String>,
    fallback: Option<String>,
    sources: Vec<Source>,
}

#[derive(Debug, PartialEq, Eq)]
struct Source {
    /// Name of the platform, and of the source.
    name: &'static str,
    /// URL to enter on the platform.
    url: String,
    /// Reference to the secret; `None` if it is one of the user's own that the outputs do not name.
    secret: Option<String>,
}

/// Tells whether a file of this name has outputs, and no TOML.
pub(crate) fn are_in(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// The configuration that the outputs in `file` describe.
pub(crate) fn read(file: &Path, env: &Env<'_>) -> Result<Config, CliError> {
    let name = file.display();
    let wrong = |problem: &str| CliError::config(format_args!("{name}: {problem}"));
    let mut text = String::new();
    File::open(env.cwd().join(file))
        .and_then(|opened| opened.take(MAX_BYTES).read_to_string(&mut text))
        .map_err(|error| wrong(&format!("cannot be read: {error}; correct the path")))?;
    let outputs = outputs(&text).ok_or_else(|| {
        wrong("is not what a stack puts out; write into it what `aws cloudformation describe-stacks`, `terraform output -json` or `az deployment group show` prints, or name a configuration whose name ends in .toml")
    })?;
    let stack = Stack::of(&outputs).ok_or_else(|| {
        wrong("these outputs are of no stack of labelrelay, or of an older one: they name no queue")
    })?;
    let origin = name.to_string();
    let base_dir = env.cwd().to_owned();
    let mut config = Config::from_toml(&stack.toml(), &origin, base_dir, env.lookup())?;
    for source in stack
        .sources
        .iter()
        .filter(|source| source.secret.is_none())
    {
        config.warnings.push(format!(
            "{origin}: the outputs do not name the secret of `{}`, which is one of your own: it is left out. Write a configuration that names it",
            source.name
        ));
    }
    Ok(config)
}

/// Outputs in the form of `CloudFormation`, of Terraform or of Azure: alone, or in what their commands print of a whole stack.
fn outputs(text: &str) -> Option<Outputs> {
    let value: Value = serde_json::from_str(text).ok()?;
    let inner = ["/Stacks/0/Outputs", "/properties/outputs"];
    let inner = inner.iter().find_map(|path| value.pointer(path));
    let text = |one: &Value, member: &str| one.get(member)?.as_str().map(str::to_owned);
    match inner.unwrap_or(&value) {
        Value::Array(listed) => {
            let pairs = listed.iter();
            let pairs = pairs.map(|one| Some((text(one, "OutputKey")?, text(one, "OutputValue")?)));
            pairs.collect()
        }
        // One that is null stands for nothing.
        Value::Object(members) => {
            let pairs = members.iter();
            let pairs = pairs.filter_map(|(name, one)| Some((name.clone(), text(one, "value")?)));
            Some(pairs.collect())
        }
        _ => None,
    }
}

impl Stack {
    fn of(outputs: &Outputs) -> Option<Self> {
        let get = |name: &str| {
            let text = outputs.get(name).map(String::as_str);
            text.filter(|text| !text.is_empty())
        };
        Self::of_aws(get)
            // The names of the Terraform module are those of the stack, as Terraform writes names.
            .or_else(|| Self::of_aws(|name: &str| get(&in_snake_case(name))))
            .or_else(|| Self::of_google(get))
            .or_else(|| Self::of_azure(get))
    }

    fn of_aws<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let bucket = get("BucketName");
        let within = |folder: &str| bucket.map(|bucket| format!("s3://{bucket}/{folder}"));
        let secret = |command: &str| {
            let name = word_behind("--secret-id", command)?;
            Some(format!("aws-secretsmanager:{name}"))
        };
        Some(Self {
            queue: get("QueueUrl")?.to_owned(),
            blob_store: within("claims"),
            // It is there with the function that empties the fallback.
            fallback: get("RedriveFunction").and_then(|_| within("fallback")),
            sources: sources(
                [get("LabelboxUrl"), get("LabelStudioUrl")],
                [
                    get("LabelboxSecretCommand"),
                    get("LabelStudioSecretCommand"),
                ],
                secret,
            ),
        })
    }

    fn of_google<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let topic = get("topic")?.strip_prefix("projects/")?;
        let (project, topic) = topic.split_once("/topics/")?;
        let within = |bucket: &str, folder: &str| format!("gs://{bucket}/{folder}");
        let secret = |command: &str| {
            let project = word_behind("--project", command)?;
            let name = word_behind("--secret", command)?;
            Some(format!(
                "gcp-secretmanager:projects/{project}/secrets/{name}"
            ))
        };
        Some(Self {
            queue: format!("pubsub://{project}/{topic}"),
            blob_store: get("claims_bucket").map(|bucket| within(bucket, "claims")),
            fallback: get("fallback_bucket").map(|bucket| within(bucket, "fallback")),
            sources: sources(
                [get("labelbox_url"), get("label_studio_url")],
                [
                    get("labelbox_secret_command"),
                    get("label_studio_secret_command"),
                ],
                secret,
            ),
        })
    }

    fn of_azure<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let secret = |command: &str| {
            let vault = word_behind("--vault-name", command)?;
            let name = word_behind("--name", command)?;
            Some(format!("azure-keyvault:{vault}/{name}"))
        };
        Some(Self {
            queue: get("queueUrl")?.to_owned(),
            blob_store: get("blobStoreUrl").map(str::to_owned),
            fallback: get("fallbackUrl").map(str::to_owned),
            sources: sources(
                [get("labelboxUrl"), get("labelStudioUrl")],
                [
                    get("labelboxSecretCommand"),
                    get("labelStudioSecretCommand"),
                ],
                secret,
            ),
        })
    }

    /// Text of the configuration. A URL that the platforms have ends in the source's name.
    fn toml(&self) -> String {
        // Escapes of JSON are those of TOML.
        let quoted = |text: &str| Value::from(text).to_string();
        let mut toml = format!("queue = {}\n", quoted(&self.queue));
        let stores = [
            ("blob_store", &self.blob_store),
            ("fallback", &self.fallback),
        ];
        for (key, store) in stores {
            if let Some(store) = store {
                let _infallible = writeln!(toml, "{key} = {}", quoted(store));
            }
        }
        let base = self.sources.iter().find_map(|source| {
            let base = source.url.strip_suffix(source.name)?;
            Some(base.trim_end_matches('/'))
        });
        if let Some(base) = base {
            let _infallible = writeln!(toml, "[serve]\npublic_url = {}", quoted(base));
        }
        for Source { name, secret, .. } in &self.sources {
            if let Some(secret) = secret {
                let secret = quoted(secret);
                let _infallible = writeln!(
                    toml,
                    "[[source]]\nname = \"{name}\"\nprovider = \"{name}\"\nsecret = {secret}"
                );
            }
        }
        toml
    }
}

/// The sources that have a URL. Their secrets are what the commands of the outputs print.
fn sources(
    urls: [Option<&str>; 2],
    commands: [Option<&str>; 2],
    secret: impl Fn(&str) -> Option<String>,
) -> Vec<Source> {
    let names = ["labelbox", "label-studio"];
    let all = names.into_iter().zip(urls).zip(commands);
    let there = all.filter_map(|((name, url), command)| {
        Some(Source {
            name,
            url: url?.to_owned(),
            secret: command.and_then(&secret),
        })
    });
    there.collect()
}

/// `BucketName` as `bucket_name`.
fn in_snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.char_indices() {
        if index > 0 && letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The word of a command behind this option, without quotes.
fn word_behind<'a>(option: &str, command: &'a str) -> Option<&'a str> {
    let mut words = command.split_whitespace();
    words.find(|word| *word == option)?;
    let word = words.next()?.trim_matches('\'');
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests;
