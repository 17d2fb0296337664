//! Where the password is: never in the configuration.

use crate::location::QueueUrl;
use labelrelay_core::config::{Environment, Lookup, SecretRef};
use labelrelay_core::{BackEndError, SecretSource};
use std::path::{Path, PathBuf};

/// A place of passwords.
pub(crate) enum Password {
    /// The server asks for none, or knows us otherwise.
    None,
    /// A variable or a file of its own, which is read at each connection.
    Secret(Box<dyn SecretSource>),
    /// A file of passwords in libpq's form, which is read at each connection.
    PassFile(PathBuf),
}

/// Reason why the password cannot be read.
pub(crate) type Unreadable = String;

impl Password {
    /// The place that the URL names, else one of libpq's variables.
    ///
    /// # Errors
    /// [`BackEndError`] when the reference is none, or its variable is not set.
    pub(crate) fn of(
        url: &QueueUrl,
        variables: &Environment,
        base_dir: &Path,
    ) -> Result<Self, BackEndError> {
        let lookup: Lookup<'_> = variables;
        if let Some(reference) = &url.password {
            let reference = SecretRef::of_command_line(reference);
            let reference = reference.map_err(|_| {
                let problem = "has a `password` that is no reference to a secret";
                BackEndError::of_shown(
                    &url.shown,
                    problem,
                    "write password=env:NAME or password=file:PATH",
                )
            })?;
            return opened(reference, lookup, base_dir, &url.shown);
        }
        if lookup
            .secret("PGPASSWORD")
            .is_some_and(|value| !value.is_empty())
        {
            return opened(
                SecretRef::Env("PGPASSWORD".to_owned()),
                lookup,
                base_dir,
                &url.shown,
            );
        }
        Ok(match lookup.text("PGPASSFILE")? {
            Some(file) => Self::PassFile(base_dir.join(file)),
            None => Self::None,
        })
    }

    /// The passwords that may be right now at this host, the newest first. None when there is none.
    ///
    /// # Errors
    /// What keeps it from being read, and the cure.
    pub(crate) async fn read(
        &self,
        url: &QueueUrl,
        host: &str,
        port: u16,
    ) -> Result<Vec<Vec<u8>>, Unreadable> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Secret(secret) => {
                let secrets = secret.fetch().await.map_err(|error| error.message)?;
                Ok(secrets
                    .iter()
                    .map(|secret| secret.expose().to_vec())
                    .collect())
            }
            Self::PassFile(file) => {
                let text = std::fs::read_to_string(file);
                let text =
                    text.map_err(|error| format!("PGPASSFILE names {}: {error}", file.display()))?;
                let found = find(&text, [host, &port.to_string(), &url.database, &url.user]);
                Ok(found.map(String::into_bytes).into_iter().collect())
            }
        }
    }
}

fn opened(
    reference: SecretRef,
    lookup: Lookup<'_>,
    base_dir: &Path,
    shown: &str,
) -> Result<Password, BackEndError> {
    let reference = match reference {
        SecretRef::File(path) => SecretRef::File(base_dir.join(path)),
        other => other,
    };
    let secret = reference
        .open(None, lookup, shown, "password")
        .map_err(|error| {
            let problem = format!("has no password: {}", error.problem);
            BackEndError::of_shown(
                shown,
                problem,
                format!("set what {reference} names to the password of the database's user"),
            )
        })?;
    secret.map(Password::Secret).ok_or_else(|| {
        let problem = "has its password in a store that this queue does not read";
        BackEndError::of_shown(
            shown,
            problem,
            "write password=env:NAME or password=file:PATH",
        )
    })
}

/// The password of the first line that is about this server, in libpq's form: `host:port:database:user:password`, where `*`
/// is anything and a backslash takes a colon's meaning away.
fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let fields = fields(line);
            let [host, port, database, user, password] = <[String; 5]>::try_from(fields).ok()?;
            let is_it = [host, port, database, user]
                .iter()
                .zip(wanted)
                .all(|(field, wanted)| field == "*" || field == wanted);
            is_it
                .then_some(password)
                .filter(|password| !password.is_empty())
        })
}

/// The five fields of a line; colons in the last one are its own.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let is_end = character == ':' && fields.len() < 5;
        if is_end {
            fields.push(String::new());
            continue;
        }
        let taken = if character == '\\' {
            characters.next()
        } else {
            Some(character)
        };
        if let (Some(field), Some(taken)) = (fields.last_mut(), taken) {
            field.push(taken);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_passwords_is_read_as_libpq_reads_it() {
        let text = "# a remark\n\nshort:line\ndb:5432:other:relay:no\ndb:*:events:relay:a\\:b\\\\:c\n*:*:*:*:any\n";
        assert_eq!(
            find(text, ["db", "5432", "events", "relay"]).as_deref(),
            Some("a:b\\:c")
        );
        assert_eq!(
            find(text, ["db", "5432", "other", "relay"]).as_deref(),
            Some("no")
        );
        assert_eq!(
            find(text, ["elsewhere", "1", "x", "y"]).as_deref(),
            Some("any")
        );
        assert_eq!(
            find("db:5432:events:relay:x", ["db", "5433", "events", "relay"]),
            None
        );
    }

    #[tokio::test]
    async fn each_host_has_the_password_of_its_own_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one:*:*:*:first\ntwo:*:*:*:second\n").unwrap();
        let url = QueueUrl::parse("postgres://relay@one,two,three/events", Path::new("")).unwrap();
        let password = Password::PassFile(file.path().to_owned());
        for (host, expected) in [
            ("one", Some("first")),
            ("two", Some("second")),
            ("three", None),
        ] {
            let read = password.read(&url, host, 5432).await.unwrap();
            let expected: Vec<_> = expected
                .map(|it| it.as_bytes().to_vec())
                .into_iter()
                .collect();
            assert_eq!(read, expected, "{host}");
        }
    }

    #[test]
    fn a_password_is_where_the_url_says_else_in_a_variable_of_libpqs() {
        let url = |more: &str| {
            let url = format!("postgres://relay@localhost/events{more}");
            QueueUrl::parse(&url, Path::new("")).unwrap()
        };
        let of = |more: &str, variables: &[(&str, &str)]| {
            let variables: Environment = variables.iter().copied().collect();
            Password::of(&url(more), &variables, Path::new("/base"))
        };
        assert!(matches!(of("", &[]), Ok(Password::None)));
        assert!(matches!(
            of("", &[("PGPASSWORD", "x")]),
            Ok(Password::Secret(_))
        ));
        let file = of("", &[("PGPASSFILE", "pass")]);
        assert!(matches!(file, Ok(Password::PassFile(path)) if path == Path::new("/base/pass")));
        assert!(matches!(
            of("?password=env:DB", &[("DB", "x")]),
            Ok(Password::Secret(_))
        ));
        for wrong in [
            "?password=hunter2",
            "?password=env:DB",
            "?password=aws-ssm:/db",
        ] {
            let error = of(wrong, &[]).err().expect(wrong).to_string();
            assert!(
                error.contains("password") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }
}
