//! Places of copies: below the folder of their host, as `--media` finds them there.

use super::origin::Origin;
use std::path::{Component, Path, PathBuf};

/// The longest name that file systems take.
const MAX_NAME_BYTES: usize = 255;

/// Parts of a query that sign an address, and name nothing.
const SIGNATURES: [&str; 7] = [
    "awsaccesskeyid",
    "expires",
    "googleaccessid",
    "key-pair-id",
    "policy",
    "signature",
    "token",
];

/// The same in a query that has Azure's `sig`. Elsewhere, names of two letters may mean anything.
const OF_AZURE: [&str; 17] = [
    "se", "si", "sig", "sip", "ske", "skoid", "sks", "skt", "sktid", "skv", "sp", "spr", "sr",
    "srt", "ss", "st", "sv",
];

/// The place of the copy below the folder of its host; or why it can have none.
pub(super) fn place(address: &str, origin: &Origin) -> Result<PathBuf, String> {
    let begins = origin.to_string();
    let Some(rest) = address.strip_prefix(&begins) else {
        return Err(format!(
            "`--media {begins}=…` would not find it: it is written otherwise"
        ));
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, query),
        None => (rest, ""),
    };
    if rest.contains('#') {
        return Err("it has a fragment".to_owned());
    }
    // Two addresses that differ there would be one file.
    let names: Vec<String> = query.split('&').map(name_of).collect();
    let is_of_azure = names.iter().any(|name| name == "sig");
    if !names.iter().all(|name| is_signature(name, is_of_azure)) {
        return Err("its query may name the file, and copies are found without it".to_owned());
    }
    let path = path.strip_prefix('/').unwrap_or_default();
    let is_name = |part: &str| !part.is_empty() && part.len() <= MAX_NAME_BYTES;
    let is_below = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    // `components` passes over a `.` and over an empty name in between.
    let is_plain = path.split('/').all(|part| is_name(part) && part != ".");
    if !is_below || !is_plain || path.contains('\0') {
        return Err("its path names no file".to_owned());
    }
    Ok(Path::new(&origin.folder()).join(path))
}

/// The name of a part of a query, in lower case.
fn name_of(part: &str) -> String {
    let name = part.split('=').next().unwrap_or_default();
    name.to_ascii_lowercase()
}

fn is_signature(name: &str, is_of_azure: bool) -> bool {
    name.is_empty()
        || name.starts_with("x-amz-")
        || name.starts_with("x-goog-")
        || SIGNATURES.contains(&name)
        || is_of_azure && OF_AZURE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_lie_where_media_finds_them_and_never_elsewhere() {
        let origin: Origin = "cdn.example.org".parse().unwrap();
        let found = |rest: &str| place(&format!("https://cdn.example.org{rest}"), &origin);
        let below = |rest: &str| Ok(Path::new("cdn.example.org").join(rest));
        assert_eq!(found("/cars/7.jpg"), below("cars/7.jpg"));
        assert_eq!(found("/a%20car.jpg"), below("a%20car.jpg"));
        assert_eq!(
            found("/7.jpg?X-Amz-Signature=1&X-Amz-Date=2"),
            below("7.jpg")
        );
        // Azure's, by the key of a container with a policy of its own, and by the key of the account.
        for signed in ["sv=1&sr=b&si=read&sig=a%2Fb", "sv=1&ss=b&srt=o&sp=r&sig=a"] {
            let signed = format!("/7.jpg?{signed}");
            assert_eq!(found(&signed), below("7.jpg"), "{signed}");
        }
        let long = format!("/{}", "x".repeat(256));
        for rest in [
            "",
            "/",
            "/cars/",
            "/cars//7.jpg",
            "//7.jpg",
            "/../7.jpg",
            "/cars/./7.jpg",
            "/cars/../../7.jpg",
            "/image?id=7",
            "/frame?st=7",
            "/7.jpg#a",
            ".evil.org/7.jpg",
            ":8443/7.jpg",
            long.as_str(),
        ] {
            assert!(found(rest).is_err(), "{rest}");
        }
        assert!(place("https://CDN.example.org/7.jpg", &origin).is_err());
    }
}
