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
fn a_token_is_beside_its_source_s_secret_also_before_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = |_: &str| None::<String>;
    let env = Env::new(&nothing, folder.path().to_owned());
    let config = folder.path().join("labelrelay.toml");
    fs::write(&config, "").unwrap();
    fs::create_dir(folder.path().join("secrets")).unwrap();
    let token = Secret::new("token", "one".to_owned()).unwrap();
    let usual = SecretRef::Env("A_TOKEN".to_owned());
    for secret in ["a.secret", "secrets/a.secret"] {
        let path = folder.path().join(secret);
        let reference = SecretRef::File(path.clone());
        let known = KnownToken {
            source: "a",
            reference: &usual,
            unnamed: Some(&token),
            secret: &reference,
            option: "--token",
        };
        let before = PullToken::of(&known, &config, &env);
        let Place::File(file) = &before.place else {
            panic!("{secret}: it is in no file");
        };
        assert_eq!(file.path, path.with_extension("token"));
        assert_eq!(file.like, config);
        assert!(file.could_be_put().unwrap());
        fs::write(&path, "a secret").unwrap();
        let after = PullToken::of(&known, &config, &env);
        assert_eq!(after.reference(), before.reference());
        let Place::File(file) = &after.place else {
            panic!("{secret}: it is in no file");
        };
        assert_eq!(
            (&file.path, &file.like),
            (&path.with_extension("token"), &path)
        );
    }
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
