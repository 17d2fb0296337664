//! Shared by all clients of one process: region, credentials, endpoints, connections.

use crate::arn_and_dns_suffix::{dns_suffix, region_of_arn};
use crate::credentials::CredentialsSource;
use crate::dynamodb::DynamoTable;
use crate::http::{Http, trust};
use crate::s3::{S3BlobStore, S3Fallback, S3Location, S3ObjectStore};
use crate::secret::{ManagerSecret, ParameterSecret};
use crate::signed_client::SignedClient;
use crate::sqs::{ExtendedSqsQueue, QueueLocation, SqsQueue, SqsRequests, SqsSource};
use aws_credential_types::provider::SharedCredentialsProvider;
use jiff::Timestamp;
use labelrelay_core::config::{Lookup, SecretRef};
use labelrelay_core::{BackEndError, SecretSource, SecretStore, SourceOptions};
use std::fmt;

/// The variable with the endpoint of all services. A service's own has the service's name behind it.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// AWS as one process sees it. Making one, and making clients with it, sends nothing.
#[derive(Clone)]
pub struct Aws {
    region: Option<String>,
    credentials: Option<CredentialsSource>,
    endpoints: Endpoints,
    http: Http,
}

/// Endpoint of each service that is not at AWS's own.
#[derive(Clone)]
struct Endpoints {
    sqs: Option<String>,
    s3: Option<String>,
    secrets_manager: Option<String>,
    ssm: Option<String>,
    dynamodb: Option<String>,
}

impl Aws {
    /// Reads what AWS's tools read: `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_ENDPOINT_URL` and its `_SQS`, `_S3`,
    /// `_SECRETS_MANAGER`, `_SSM` and `_DYNAMODB`, `AWS_CA_BUNDLE`; in a container of ECS or EKS also the address that gives
    /// out its role's credentials. No file is looked for and no other address is asked: a function has them in
    /// its environment, and asking elsewhere takes seconds.
    ///
    /// # Errors
    /// [`BackEndError`] when one of them cannot be used.
    pub fn load(lookup: Lookup<'_>) -> Result<Self, BackEndError> {
        Self::with(lookup, |_, http| CredentialsSource::find(lookup, http))
    }

    /// The same with every identity that AWS's tools know: also profiles, web identities (IRSA), and the role of an
    /// EC2 instance. One is chosen by what is set and by what files are there, and no other is asked if that one fails.
    ///
    /// # Errors
    /// [`BackEndError`] when a variable cannot be used, or names an identity that cannot be.
    #[cfg(feature = "identities")]
    pub fn load_any_identity(lookup: Lookup<'_>) -> Result<Self, BackEndError> {
        Self::with(lookup, |region, http| {
            CredentialsSource::find_any(lookup, region, http)
        })
    }

    fn with(
        lookup: Lookup<'_>,
        credentials: impl FnOnce(Option<&str>, &Http) -> Result<Option<CredentialsSource>, BackEndError>,
    ) -> Result<Self, BackEndError> {
        let endpoint = |service: &str| -> Result<Option<String>, BackEndError> {
            for name in [&*format!("{ENDPOINT_URL}_{service}"), ENDPOINT_URL] {
                if let Some(url) = lookup.text(name)? {
                    return Ok(Some(origin(name, &url)?));
                }
            }
            Ok(None)
        };
        let http = Http::new(trust(lookup)?);
        let region = match lookup.text("AWS_REGION")? {
            Some(region) => Some(region),
            None => lookup.text("AWS_DEFAULT_REGION")?,
        };
        Ok(Self {
            credentials: credentials(region.as_deref(), &http)?,
            region,
            endpoints: Endpoints {
                sqs: endpoint("SQS")?,
                s3: endpoint("S3")?,
                secrets_manager: endpoint("SECRETS_MANAGER")?,
                ssm: endpoint("SSM")?,
                dynamodb: endpoint("DYNAMODB")?,
            },
            http,
        })
    }

    /// Words for the identity that signs; `None` if there is none.
    pub(crate) fn identity(&self) -> Option<&str> {
        self.credentials.as_ref().map(CredentialsSource::identity)
    }

    /// The queue at `url`: what AWS prints (`https://sqs.<region>.amazonaws.com/<account>/<name>`), the
    /// same at any other address, or `sqs://<region>/<account>/<name>`. A name that ends in `.fifo` is a
    /// FIFO queue's; `?group=partition` gives messages of a standard queue a group too, for fair queueing.
    ///
    /// # Errors
    /// [`BackEndError`] when the URL is none of these, or credentials or region are missing.
    pub fn queue(&self, url: &str) -> Result<SqsQueue, BackEndError> {
        let location = QueueLocation::parse(url)?;
        let region = self.region(url, location.region.as_deref())?;
        let credentials = SharedCredentialsProvider::new(self.credentials(url)?);
        let endpoint = self.endpoints.sqs.clone();
        Ok(SqsQueue::new(
            location,
            region,
            endpoint,
            credentials,
            self.http.clone(),
        ))
    }

    /// The same queue, which puts an envelope that is too large for a message into the store at `store`, as AWS's extended
    /// clients of SQS do. It needs `s3:PutObject` there, as claim checks do.
    ///
    /// # Errors
    /// [`BackEndError`] when either is not that, or credentials or region are missing.
    pub fn extended_queue(&self, url: &str, store: &str) -> Result<ExtendedSqsQueue, BackEndError> {
        if !store.starts_with("s3://") {
            return Err(BackEndError::new(
                store,
                "is no S3 bucket, and sqs-extended-client puts envelopes there",
                "write s3://BUCKET/PREFIX, or remove claim_check",
            ));
        }
        Ok(ExtendedSqsQueue::new(
            self.queue(url)?,
            self.blob_store(store)?,
        ))
    }

    /// The events of the queue at `url`, for a consumer. Rejected ones go to the queue that `dead_letter` of the options
    /// names: by its URL, or by its name alone if it is beside this one. Without `dead_letter`, they go where the queue's
    /// redrive policy says, for which the queue is asked.
    /// It needs `sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:ChangeMessageVisibility` and `sqs:GetQueueAttributes`,
    /// and `sqs:SendMessage` on the queue for dead letters.
    ///
    /// # Errors
    /// [`BackEndError`] when a URL is none of a queue, credentials or region are missing, there is no queue for dead
    /// letters, or the queue cannot be asked.
    pub async fn event_source(
        &self,
        url: &str,
        options: &SourceOptions,
    ) -> Result<SqsSource, BackEndError> {
        let queue = self.requests(url)?;
        let given = match options.dead_letter.as_deref() {
            None => None,
            Some(place) if place.contains("://") => Some(self.requests(place)?),
            Some(name) => {
                let here = queue.location();
                let beside = here.sibling(&here.account, name).ok_or_else(|| {
                    let problem =
                        "has a place for dead letters that is neither a queue's URL nor its name";
                    BackEndError::new(url, problem, "write sqs://REGION/ACCOUNT/NAME")
                })?;
                Some(queue.beside(beside))
            }
        };
        SqsSource::open(queue, given, options).await
    }

    fn requests(&self, url: &str) -> Result<SqsRequests, BackEndError> {
        let location = QueueLocation::parse(url)?;
        let region = self.region(url, location.region.as_deref())?;
        let own = self.endpoints.sqs.clone();
        let signed = SignedClient {
            // A receive that waits for 20 seconds is given up with its connections.
            http: self.http.with_own_connections(),
            credentials: self.credentials(url)?,
            region,
            service: "sqs",
            endpoint: own.unwrap_or_else(|| location.origin.clone()),
        };
        Ok(SqsRequests::new(signed, location))
    }

    /// Objects below `url`: `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`BackEndError`] when the URL is not that, or credentials or region are missing.
    pub fn blob_store(&self, url: &str) -> Result<S3BlobStore, BackEndError> {
        Ok(S3BlobStore::new(self.bucket(url)?))
    }

    /// Events below `url`: `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`BackEndError`] when the URL is not that, or credentials or region are missing.
    pub fn fallback(&self, url: &str) -> Result<S3Fallback, BackEndError> {
        Ok(S3Fallback::new(self.bucket(url)?))
    }

    /// Files below `url`: `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`BackEndError`] when the URL is not that, or credentials or region are missing.
    pub fn object_store(&self, url: &str) -> Result<S3ObjectStore, BackEndError> {
        Ok(S3ObjectStore::new(self.bucket(url)?))
    }

    /// The table at `url`: `dynamodb://REGION/TABLE`.
    ///
    /// # Errors
    /// [`BackEndError`] when the URL is not that, or credentials are missing.
    pub fn dynamo_table(&self, url: &str) -> Result<DynamoTable, BackEndError> {
        let endpoint = self.endpoints.dynamodb.as_deref();
        // Of its own: an attempt that is given up must not take the connections of a queue along.
        let http = self.http.with_own_connections();
        DynamoTable::new(url, endpoint, self.credentials(url)?, http)
    }

    /// The secret that `reference` names, refused after `end`; `None` when it is in no store of AWS.
    ///
    /// # Errors
    /// [`BackEndError`] when credentials or region are missing.
    pub fn secret(
        &self,
        reference: &SecretRef,
        end: Option<Timestamp>,
    ) -> Result<Option<Box<dyn SecretSource>>, BackEndError> {
        let Some((signed, name)) = self.secrets_of(reference)? else {
            return Ok(None);
        };
        Ok(Some(match signed.service {
            "ssm" => Box::new(ParameterSecret::new(signed, name, end)),
            _ => Box::new(ManagerSecret::new(signed, name, end)),
        }))
    }

    /// The store that `reference` names, to put a secret there; `None` when it is in no store of AWS.
    ///
    /// # Errors
    /// [`BackEndError`] when credentials or region are missing.
    pub fn secret_store(
        &self,
        reference: &SecretRef,
    ) -> Result<Option<Box<dyn SecretStore>>, BackEndError> {
        let Some((signed, name)) = self.secrets_of(reference)? else {
            return Ok(None);
        };
        Ok(Some(match signed.service {
            "ssm" => Box::new(ParameterSecret::new(signed, name, None)),
            _ => Box::new(ManagerSecret::new(signed, name, None)),
        }))
    }

    /// The service that keeps a secret, and the name that it has there.
    fn secrets_of<'a>(
        &self,
        reference: &'a SecretRef,
    ) -> Result<Option<(SignedClient, &'a str)>, BackEndError> {
        let SecretRef::Store { scheme, name } = reference else {
            return Ok(None);
        };
        let text = reference.to_string();
        let (service, endpoint) = match *scheme {
            "aws-secretsmanager" => ("secretsmanager", &self.endpoints.secrets_manager),
            "aws-ssm" => ("ssm", &self.endpoints.ssm),
            _ => return Ok(None),
        };
        let region = self.region(&text, region_of_arn(name))?;
        let address = endpoint
            .clone()
            .unwrap_or_else(|| format!("https://{service}.{region}.{}", dns_suffix(&region)));
        // Asked every few minutes at most: a connection that idles for minutes is dead.
        let signed = SignedClient {
            http: self.http.with_own_connections(),
            credentials: self.credentials(&text)?,
            region,
            service,
            endpoint: address,
        };
        Ok(Some((signed, name)))
    }

    fn bucket(&self, url: &str) -> Result<S3Location, BackEndError> {
        let region = self.region(url, None)?;
        let credentials = self.credentials(url)?;
        let endpoint = self.endpoints.s3.as_deref();
        S3Location::new(url, region, endpoint, credentials, self.http.clone())
    }

    /// The region that the setting itself names, or else everybody's.
    fn region(&self, setting: &str, named: Option<&str>) -> Result<String, BackEndError> {
        let region = named.map(str::to_owned).or_else(|| self.region.clone());
        region.ok_or_else(|| {
            let cure = "set AWS_REGION";
            BackEndError::new(setting, "does not say in which region it is", cure)
        })
    }

    fn credentials(&self, setting: &str) -> Result<CredentialsSource, BackEndError> {
        self.credentials.clone().ok_or_else(|| {
            let cure = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they are temporary); `aws configure export-credentials --format env` prints them; on one's own machine set AWS_PROFILE, and give a pod, task or instance a role";
            BackEndError::new(setting, "needs credentials, and there are none", cure)
        })
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aws({:?} [redacted])", self.region)
    }
}

/// Scheme, host and port of an endpoint.
fn origin(name: &str, url: &str) -> Result<String, BackEndError> {
    let url = url.trim_end_matches('/');
    let parsed = url.parse::<http::Uri>().ok();
    let good = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some()
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none()
    });
    if good {
        Ok(url.to_owned())
    } else {
        let problem = "is not an address of a service";
        let cure = "write https://host or http://host:port, without a path";
        Err(BackEndError::of_variable(name, problem, cure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_endpoint_is_told_by_the_variable_that_was_set() {
        for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
            let lookup = |name: &str| (name == variable).then(|| "localhost:4566".to_owned());
            let error = Aws::load(&lookup).unwrap_err();
            assert!(error.is_variable, "{error}");
            assert_eq!(error.resource, variable);
        }
    }
}
