//! The `Authorization` header: a token signed with a key of the namespace, or one of an identity.

use super::identity::Identity;
use super::namespace::own_endpoint;
use crate::connection_string::ConnectionString;
use crate::percent_encode_sets::COMPONENT;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::Result;
use azure_core::http::Url;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use labelrelay_core::Clock;
use percent_encoding::utf8_percent_encode;
use sha2::Sha256;
use std::sync::Arc;

/// Made anew for each message, so it need not outlive one; clocks may differ by some minutes.
const LIFETIME_S: i64 = 15 * 60;

pub(super) enum Authority {
    /// `SharedAccessKeyName` and `SharedAccessKey`.
    Key {
        name: String,
        key: Secret,
        resource: String,
        clock: Arc<dyn Clock>,
    },
    Identity(Identity),
}

impl Authority {
    /// The key of a connection string about this namespace; else the identity, which wants TLS.
    pub(super) fn of(
        connection: Option<&ConnectionString>,
        namespace: &str,
        url: &Url,
        credential: Arc<dyn TokenCredential>,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let own = connection.filter(|connection| own_endpoint(connection, namespace).is_some());
        let pair = own
            .and_then(|own| Some((own.get("SharedAccessKeyName")?, own.get("SharedAccessKey")?)));
        if let Some((name, key)) = pair {
            return Some(Self::Key {
                name: name.to_owned(),
                key: Secret::new(key.to_owned()),
                resource: url.to_string().to_ascii_lowercase(),
                clock,
            });
        }
        (url.scheme() == "https").then(|| Self::Identity(Identity::new(credential, clock)))
    }

    pub(super) async fn token(&self) -> Result<String> {
        match self {
            Self::Identity(identity) => {
                let token = identity.token().await?;
                Ok(format!("Bearer {}", token.token.secret()))
            }
            Self::Key {
                name,
                key,
                resource,
                clock,
            } => Ok(signed(
                name,
                key.secret(),
                resource,
                clock.now().as_second() + LIFETIME_S,
            )),
        }
    }
}

/// A shared access signature for `resource` until `expiry`, in seconds since 1970.
fn signed(name: &str, key: &str, resource: &str, expiry: i64) -> String {
    let resource = utf8_percent_encode(resource, COMPONENT);
    // HMAC takes keys of any length; the error cannot come.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{resource}\n{expiry}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let signature = utf8_percent_encode(&signature, COMPONENT);
    let name = utf8_percent_encode(name, COMPONENT);
    format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={name}")
}

#[cfg(test)]
mod tests {
    use super::signed;

    /// Computed with Python's hmac and urllib from the documented recipe.
    #[test]
    fn a_signature_matches_the_documented_example() {
        let token = signed(
            "send",
            "c2VjcmV0",
            "https://ns.servicebus.windows.net/q",
            1_800_000_000,
        );
        assert_eq!(
            token,
            "SharedAccessSignature sr=https%3A%2F%2Fns.servicebus.windows.net%2Fq&sig=JDPKHhGCyJmPtrURylDXw9otAEbmAMIRunHCxFumcKU%3D&se=1800000000&skn=send"
        );
    }
}
