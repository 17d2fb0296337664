//! Places of a token, and files that hold one.

use super::*;

fn file(folder: &Path, token: &str) -> TokenFile {
    let like = folder.join("a.secret");
    fs::write(&like, "a secret").unwrap();
    TokenFile {
        path: folder.join("a.token"),
        token: Secret::new("token", token.to_owned()).unwrap(),
        like,
    }
}

#[test]
fn a_token_is_put_once_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(file(folder.path(), "one").could_be_put().unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(file(folder.path(), "one").put().unwrap());
    assert!(!file(folder.path(), "one").put().unwrap());
    for refused in [
        file(folder.path(), "two").put(),
        file(folder.path(), "two").could_be_put(),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    let path = folder.path().join("a.token");
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    fs::write(&path, "one\r\n").unwrap();
    assert!(!file(folder.path(), "one").put().unwrap());
}

#[test]
fn a_token_is_beside_its_source_s_secret_in_a_store() {
    for (secret, token) in [
        (
            "aws-secretsmanager:labelrelay/ls",
            Some("aws-secretsmanager:labelrelay/ls-token"),
        ),
        (
            "aws-secretsmanager:ls#webhook",
            Some("aws-secretsmanager:ls-token"),
        ),
        (
            "aws-secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:ls-AbCdEf",
            None,
        ),
        (
            "aws-ssm:/labelrelay/ls",
            Some("aws-ssm:/labelrelay/ls-token"),
        ),
        ("aws-ssm:/ls:3", Some("aws-ssm:/ls-token")),
        ("gcp-secretmanager:ls", Some("gcp-secretmanager:ls-token")),
        (
            "gcp-secretmanager:projects/p/secrets/ls/versions/3",
            Some("gcp-secretmanager:projects/p/secrets/ls-token"),
        ),
        ("azure-keyvault:v/ls", Some("azure-keyvault:v/ls-token")),
        (
            "azure-keyvault:v/ls/0a1b",
            Some("azure-keyvault:v/ls-token"),
        ),
        (
            "azure-keyvault:https://v.vault.azure.net/secrets/ls/0a1b",
            Some("azure-keyvault:https://v.vault.azure.net/secrets/ls-token"),
        ),
        (
            "azure-keyvault:https://v.vault.azure.net/secrets/ls",
            Some("azure-keyvault:https://v.vault.azure.net/secrets/ls-token"),
        ),
        ("env:LS", None),
        ("file:/ls", None),
    ] {
        let reference = SecretRef::of_command_line(secret).unwrap();
        let found = in_the_store_of(&reference).map(|found| found.to_string());
        assert_eq!(found.as_deref(), token, "{secret}");
    }
}

#[test]
fn others_never_read_it() {
    for (like, mode) in [
        (0o644, 0o600),
        (0o640, 0o640),
        (0o600, 0o600),
        (0o100_600, 0o600),
        (0o664, 0o600),
    ] {
        assert_eq!(private(like), mode, "{like:o}");
    }
}
