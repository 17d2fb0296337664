//! Our identity where no URL is signed. One is chosen by what the environment says; if that one fails, it is an error.

mod certificate;
mod file_error;
#[cfg(test)]
mod tests;

use crate::transport::options;
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind, Result as AzureResult};
use azure_core::http::{ClientMethodOptions, HttpClient, Url};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use certificate::CertificateFile;
pub(crate) use file_error::IdentityFileError;
use labelrelay_core::BackEndError;
use labelrelay_core::config::Lookup;
use labelrelay_core::secret::open_to_others;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

const CLIENT: &str = "AZURE_CLIENT_ID";
const TENANT: &str = "AZURE_TENANT_ID";
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
const SEND_CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
const AUTHORITY: &str = "AZURE_AUTHORITY_HOST";

/// Each makes an identity of an application and its tenant. The first that has a value is used.
const OF_AN_APPLICATION: [&str; 3] = [TOKEN_FILE, SECRET, CERTIFICATE];

/// Said where a managed identity is used though a tenant is named, which it has no need of.
const HALF: &str = "AZURE_TENANT_ID is set, and none of AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_SECRET and AZURE_CLIENT_CERTIFICATE_PATH is: the managed identity of this app or machine is used; set one of these to use another, or unset AZURE_TENANT_ID";

/// Where the identity library asks for tokens without `AZURE_AUTHORITY_HOST`.
const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";

/// Variables that the identity library reads by itself: where the machine gives tokens out, and which cloud it is. It
/// takes one that is no text for absent, and would ask another machine for another identity.
const OF_THE_LIBRARY: [&str; 5] = [
    AUTHORITY,
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
];

/// An identity, and words for it. Its errors say whose they are, and how to mend it.
#[derive(Debug)]
pub(crate) struct Identity {
    credential: Arc<dyn TokenCredential>,
    name: String,
    cure: String,
    /// File that its key is in.
    key_file: Option<PathBuf>,
    /// Somebody may have meant another one, of which half is set.
    half_of_another: bool,
}

impl Identity {
    /// Words for it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Warning of a key that others get at, or of half of another identity.
    pub(crate) fn doubt(&self) -> Option<String> {
        let half = self.half_of_another.then(|| HALF.to_owned());
        half.or_else(|| self.key_file.as_deref().and_then(open_to_others))
    }
}

#[async_trait]
impl TokenCredential for Identity {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> AzureResult<AccessToken> {
        let got = self.credential.get_token(scopes, options).await;
        got.map_err(|source| {
            let told = NoToken {
                identity: self.name.clone(),
                cure: self.cure.clone(),
                source,
            };
            Error::new(ErrorKind::Credential, told)
        })
    }
}

/// An identity got no token.
#[derive(Debug)]
pub(crate) struct NoToken {
    pub(crate) identity: String,
    pub(crate) cure: String,
    source: Error,
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no token from {}", self.identity)
    }
}

impl std::error::Error for NoToken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The file of a federated token, read each time: Kubernetes renews it.
#[derive(Debug)]
struct TokenFile(PathBuf);

#[async_trait]
impl ClientAssertion for TokenFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> AzureResult<String> {
        let unusable = |problem: String| {
            let path = self.0.display();
            let told = IdentityFileError(format!("its token's file {path} {problem}"));
            Error::new(ErrorKind::Credential, told)
        };
        let read = std::fs::read_to_string(&self.0);
        let text = read.map_err(|error| unusable(format!("cannot be read: {error}")))?;
        match text.trim() {
            "" => Err(unusable("is empty".to_owned())),
            token => Ok(token.to_owned()),
        }
    }
}

/// The identity that the environment names.
pub(crate) fn credential(
    lookup: Lookup<'_>,
    client: &Arc<dyn HttpClient>,
) -> Result<Arc<Identity>, BackEndError> {
    for name in OF_THE_LIBRARY {
        lookup.text(name)?;
    }
    let identity = if let Some(file) = lookup.text(TOKEN_FILE)? {
        federated(lookup, client, file)?
    } else if let Some(secret) = lookup.text(SECRET)? {
        by_secret(lookup, client, secret)?
    } else if let Some(file) = lookup.text(CERTIFICATE)? {
        by_certificate(lookup, client, file)?
    } else {
        managed(lookup, client)?
    };
    Ok(Arc::new(identity))
}

/// Workload identity, as on AKS.
fn federated(
    lookup: Lookup<'_>,
    client: &Arc<dyn HttpClient>,
    file: String,
) -> Result<Identity, BackEndError> {
    let (id, tenant) = registered(lookup, TOKEN_FILE)?;
    let name = format!("workload identity {id} of tenant {tenant}, by the token in {file}");
    let cure = format!(
        "let a federated credential of that identity name this token's issuer, subject and audience, and see that {file} holds a token that has not ended"
    );
    let options = ClientAssertionCredentialOptions {
        client_options: options(client),
    };
    let token = TokenFile(file.into());
    let credential = ClientAssertionCredential::new(tenant, id, token, Some(options));
    Ok(Identity {
        credential: credential.map_err(|_| no_tenant())?,
        name,
        cure,
        key_file: None,
        half_of_another: false,
    })
}

/// A service principal.
fn by_secret(
    lookup: Lookup<'_>,
    client: &Arc<dyn HttpClient>,
    secret: String,
) -> Result<Identity, BackEndError> {
    let (id, tenant) = registered(lookup, SECRET)?;
    let name = format!("service principal {id} of tenant {tenant}, by AZURE_CLIENT_SECRET");
    let options = ClientSecretCredentialOptions {
        client_options: options(client),
    };
    let credential = ClientSecretCredential::new(&tenant, id, Secret::new(secret), Some(options));
    Ok(Identity {
        credential: credential.map_err(|_| no_tenant())?,
        name,
        cure: "make another client secret of that application if this one has ended, and check AZURE_CLIENT_ID and AZURE_TENANT_ID".to_owned(),
        key_file: None,
        half_of_another: false,
    })
}

/// A service principal by its certificate. The library would link OpenSSL for that.
fn by_certificate(
    lookup: Lookup<'_>,
    client: &Arc<dyn HttpClient>,
    file: String,
) -> Result<Identity, BackEndError> {
    let (id, tenant) = registered(lookup, CERTIFICATE)?;
    if lookup.text(CERTIFICATE_PASSWORD)?.is_some() {
        return Err(BackEndError::of_variable(
            CERTIFICATE_PASSWORD,
            "is set, and a key with a password is not read",
            "write certificate and key without one into a file that nobody else may read, by openssl pkcs12 -in FILE -nodes -out NEW.pem, name that file in AZURE_CLIENT_CERTIFICATE_PATH, and unset this variable",
        ));
    }
    let name = format!("service principal {id} of tenant {tenant}, by the certificate in {file}");
    let cure = format!(
        "see that the application of AZURE_CLIENT_ID in the tenant of AZURE_TENANT_ID has the certificate in {file}, and that it has not ended"
    );
    let path = PathBuf::from(file);
    let assertion = CertificateFile {
        path: path.clone(),
        client: id.clone(),
        audience: token_address(lookup, &tenant)?,
        with_chain: sends_chain(lookup)?,
    };
    let options = ClientAssertionCredentialOptions {
        client_options: options(client),
    };
    let credential = ClientAssertionCredential::new(tenant, id, assertion, Some(options));
    Ok(Identity {
        credential: credential.map_err(|_| no_tenant())?,
        name,
        cure,
        key_file: Some(path),
        half_of_another: false,
    })
}

/// Address at which the identity library asks for a token of this tenant: an assertion says whom it is for.
fn token_address(lookup: Lookup<'_>, tenant: &str) -> Result<String, BackEndError> {
    let authority = lookup.text(AUTHORITY)?;
    let authority = authority.as_deref().unwrap_or(PUBLIC_AUTHORITY);
    let address = Url::parse(authority)
        .and_then(|host| host.join(&format!("/{tenant}/oauth2/v2.0/token")))
        .map_err(|_| no_authority())?;
    Ok(address.into())
}

/// Tells whether assertions bring all certificates of the file along, as the application's registration may ask for.
fn sends_chain(lookup: Lookup<'_>) -> Result<bool, BackEndError> {
    let Some(said) = lookup.text(SEND_CHAIN)? else {
        return Ok(false);
    };
    match &*said.to_ascii_lowercase() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(BackEndError::of_variable(
            SEND_CHAIN,
            "is neither true nor false",
            "write true or false, or unset it",
        )),
    }
}

/// Managed identity of an app or a machine.
fn managed(lookup: Lookup<'_>, client: &Arc<dyn HttpClient>) -> Result<Identity, BackEndError> {
    let has_tenant = lookup.text(TENANT)?.is_some();
    let is_emptied = |name: &&str| has_tenant && lookup.get(name).is_some();
    if let Some(name) = OF_AN_APPLICATION.into_iter().find(is_emptied) {
        return Err(BackEndError::of_variable(
            name,
            "is set to nothing, and AZURE_TENANT_ID is set",
            "give it its value, or unset both to use the managed identity of this app or machine",
        ));
    }
    let id = lookup.text(CLIENT)?;
    let name = match &id {
        Some(id) => format!("managed identity {id}"),
        None => "the managed identity of this app or machine".to_owned(),
    };
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: id.map(UserAssignedId::ClientId),
        client_options: options(client),
    };
    let credential = ManagedIdentityCredential::new(Some(options)).map_err(|_| {
        BackEndError::of_variable(
            "IDENTITY_ENDPOINT",
            "makes no identity",
            "assign a managed identity to this app, or use a shared access signature",
        )
    })?;
    Ok(Identity {
        credential,
        name,
        cure: "assign a managed identity to this app or machine, and name it in AZURE_CLIENT_ID if it is a user-assigned one; on AKS label the pod azure.workload.identity/use; or use a shared access signature".to_owned(),
        key_file: None,
        half_of_another: has_tenant,
    })
}

/// Ids of an application and its tenant, which `with` needs besides itself.
fn registered(lookup: Lookup<'_>, with: &str) -> Result<(String, String), BackEndError> {
    let needed = |name: &str| {
        lookup.text(name)?.ok_or_else(|| {
            let problem = format!("is not set, and {with} is");
            BackEndError::of_variable(name, problem, "set AZURE_TENANT_ID and AZURE_CLIENT_ID; on AKS, annotate the pod's service account with azure.workload.identity/client-id")
        })
    };
    let authority = lookup.text(AUTHORITY)?;
    if authority.is_some_and(|host| !host.starts_with("https://")) {
        return Err(no_authority());
    }
    Ok((needed(CLIENT)?, needed(TENANT)?))
}

fn no_authority() -> BackEndError {
    BackEndError::of_variable(
        AUTHORITY,
        "is no address that begins with https://",
        "unset it, or write https://login.microsoftonline.com/ or that of your cloud",
    )
}

fn no_tenant() -> BackEndError {
    BackEndError::of_variable(
        TENANT,
        "makes no identity",
        "write the tenant's id, or one of its domains",
    )
}
