//! Signing as the platforms do, for senders: tests, and `labelrelay send`.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use std::fmt::Write as _;

/// Signs as Labelbox does: `sha1=<hex>`. For senders: tests, and `labelrelay send`.
pub fn sign_sha1(secret: &[u8], body: &[u8]) -> String {
    sign::<Hmac<Sha1>>("sha1", secret, body)
}

/// Signs with HMAC-SHA256: `sha256=<hex>`.
pub fn sign_sha256(secret: &[u8], body: &[u8]) -> String {
    sign::<Hmac<Sha256>>("sha256", secret, body)
}

fn sign<M: Mac + KeyInit>(algorithm: &str, secret: &[u8], body: &[u8]) -> String {
    let mut out = format!("{algorithm}=");
    if let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) {
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            // Writing to a String cannot fail.
            let _ = write!(out, "{byte:02x}");
        }
    }
    out
}
