//! Shared access signatures of a storage account that exists in tests alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The account.
pub const ACCOUNT: &str = "labelrelay";

/// Mark that must never show up in a log: the signature's name in URLs.
pub const MARK: &str = "sig=";

const KEY: &[u8] = b"an account key of tests and of no account";

/// The account's key, as an emulator is told it.
pub fn account_key() -> String {
    STANDARD.encode(KEY)
}

/// A signature that allows everything with blobs and queues.
pub fn signature() -> String {
    allowing("rwdlacup")
}

/// A signature that allows these operations.
pub fn allowing(permissions: &str) -> String {
    let (version, end) = ("2020-10-02", "2099-01-01T00:00:00Z");
    let signed = format!("{ACCOUNT}\n{permissions}\nbq\nsco\n\n{end}\n\nhttps,http\n{version}\n");
    let mac = Hmac::<Sha256>::new_from_slice(KEY)
        .unwrap()
        .chain_update(signed.as_bytes());
    let signature = STANDARD
        .encode(mac.finalize().into_bytes())
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!(
        "sv={version}&ss=bq&srt=sco&sp={permissions}&se={}&spr=https,http&sig={signature}",
        end.replace(':', "%3A")
    )
}
