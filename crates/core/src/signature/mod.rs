//! Credentials of deliveries, and the only maker of [`Verified`].
//!
//! Labelbox: `X-Hub-Signature: sha1=<hex HMAC-SHA1 of the raw body>` (Labelbox webhooks guide; one
//! version of it used `X-Hub-Signature-256: sha256=…`). Label Studio signs nothing: a static header
//! that its user sets is the only proof of origin (Label Studio, "Set up webhooks").

mod check;
mod claimed;
mod error;
mod header_secret;
mod sign;
mod verified;

pub use check::SignatureCheck;
pub use claimed::{ClaimedSignature, SIGNATURE_256_HEADER, SIGNATURE_HEADER};
pub use error::CredentialError;
pub use header_secret::{HeaderProof, SecretHeader, ShownSecret, credential_headers};
pub use sign::{sign_sha1, sign_sha256};
pub use verified::{LiveSecrets, Verified};
