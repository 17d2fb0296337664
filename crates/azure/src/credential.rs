//! Our identity where no URL is signed.

use crate::transport::options;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::HttpClient;
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use labelrelay_core::BackEndError;
use labelrelay_core::config::Lookup;
use std::sync::Arc;

/// Variables that the identity library reads by itself: where the machine gives tokens out, and which cloud it is. It
/// takes one that is no text for absent, and would ask another machine for another identity.
const OF_THE_LIBRARY: [&str; 5] = [
    "AZURE_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
];

/// The identity that the environment names.
pub(crate) fn credential(
    lookup: Lookup<'_>,
    client: &Arc<dyn HttpClient>,
) -> Result<Arc<dyn TokenCredential>, BackEndError> {
    for name in OF_THE_LIBRARY {
        lookup.text(name)?;
    }
    let client_id = lookup.text("AZURE_CLIENT_ID")?;
    if let Some(file) = lookup.text("AZURE_FEDERATED_TOKEN_FILE")? {
        let options = WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions {
                client_options: options(client),
            },
            client_id,
            tenant_id: lookup.text("AZURE_TENANT_ID")?,
            token_file_path: Some(file.into()),
        };
        let credential = WorkloadIdentityCredential::new(Some(options)).map_err(|_| {
            wrong(
                "AZURE_FEDERATED_TOKEN_FILE",
                "set AZURE_TENANT_ID and AZURE_CLIENT_ID as well",
            )
        })?;
        return Ok(credential);
    }
    if let Some(secret) = lookup.text("AZURE_CLIENT_SECRET")? {
        let options = ClientSecretCredentialOptions {
            client_options: options(client),
        };
        let tenant = lookup.text("AZURE_TENANT_ID")?.unwrap_or_default();
        let id = client_id.unwrap_or_default();
        let credential =
            ClientSecretCredential::new(&tenant, id, Secret::new(secret), Some(options)).map_err(
                |_| {
                    wrong(
                        "AZURE_CLIENT_SECRET",
                        "set AZURE_TENANT_ID and AZURE_CLIENT_ID as well",
                    )
                },
            )?;
        return Ok(credential);
    }
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: client_id.map(UserAssignedId::ClientId),
        client_options: options(client),
    };
    let credential = ManagedIdentityCredential::new(Some(options)).map_err(|_| {
        wrong(
            "IDENTITY_ENDPOINT",
            "assign a managed identity to this app, or use a shared access signature",
        )
    })?;
    Ok(credential)
}

fn wrong(variable: &str, cure: &str) -> BackEndError {
    BackEndError::of_variable(variable, "makes no identity", cure)
}
