//! Finds the configuration. The first of these that is there wins, in every program:
//!
//! 1. the file that the command line names, where there is one
//! 2. `LABELRELAY_CONFIG`, a path
//! 3. `LABELRELAY_CONFIG_TOML`, the text itself
//! 4. `./labelrelay.toml`
//! 5. environment variables alone, when one of them names a secret
//!
//! `labelrelay` looks into a directory of its own after that; the clouds' programs end.

mod file;

use file::Unreadable;
use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup, misspelt};
use std::path::{Path, PathBuf};

const PATH: &str = "LABELRELAY_CONFIG";
const TEXT: &str = "LABELRELAY_CONFIG_TOML";
const HERE: &str = "labelrelay.toml";

/// A search for the configuration, by what the program was started with.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// The variables that the program was started with.
    pub lookup: Lookup<'a>,
    /// The directory that it was started in.
    pub cwd: &'a Path,
    /// The file that its command line names.
    pub file: Option<&'a Path>,
}

impl Search<'_> {
    /// The configuration, if there is one.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and the cure.
    pub fn find(&self) -> Result<Option<Config>, ConfigError> {
        if let Some(file) = self.file {
            return self.read(file, "command line", "--config").map(Some);
        }
        let (path, text) = (self.lookup.text(PATH)?, self.lookup.text(TEXT)?);
        if let Some(path) = path {
            let mut config = self.read(Path::new(&path), ENVIRONMENT, PATH)?;
            if text.is_some() {
                let warning = format!("both {PATH} and {TEXT} are set; {TEXT} is not read");
                config.warnings.push(warning);
            }
            return Ok(Some(config));
        }
        let cwd = || self.cwd.to_owned();
        if let Some(text) = text {
            return Config::from_toml(&text, TEXT, cwd(), self.lookup).map(Some);
        }
        if let Some(config) = self.here()? {
            return Ok(Some(config));
        }
        Config::from_environment(cwd(), self.lookup)
    }

    /// Tells whether there is a configuration, good or bad. No file is read: a pipe gives its text once.
    ///
    /// # Errors
    /// [`ConfigError`] when a variable, or the directory, cannot be read.
    pub fn is_there(&self) -> Result<bool, ConfigError> {
        let is_named = self.file.is_some()
            || self.lookup.text(PATH)?.is_some()
            || self.lookup.text(TEXT)?.is_some();
        if is_named || file::is_there(&self.cwd.join(HERE)).map_err(at_hand)? {
            return Ok(true);
        }
        Ok(Config::from_environment(self.cwd.to_owned(), self.lookup)?.is_some())
    }

    /// The configuration of a program that has no other place to look into.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and the cure, also when there is no configuration at all.
    pub fn required(&self) -> Result<Config, ConfigError> {
        match self.find()? {
            Some(config) => Ok(config),
            None => Err(self.nothing()),
        }
    }

    fn nothing(&self) -> ConfigError {
        let mut problem = "is not set, nor is a secret".to_owned();
        for hint in misspelt(self.lookup, &[]) {
            problem.push_str("; ");
            problem.push_str(hint.trim_end_matches('?'));
        }
        let cure = "give it the text of a labelrelay.toml, or set LABELBOX_WEBHOOK_SECRET or LABEL_STUDIO_WEBHOOK_SECRET";
        ConfigError::new(ENVIRONMENT, TEXT, &problem, cure)
    }

    /// Reads `file`, which `key` of `origin` names.
    fn read(&self, file: &Path, origin: &str, key: &str) -> Result<Config, ConfigError> {
        let path = self.cwd.join(file);
        let name = file.display().to_string();
        let text = file::read(&path).map_err(|Unreadable { problem, cure }| {
            let problem = format!("names {name}, which {problem}");
            ConfigError::new(origin, key, &problem, cure)
        })?;
        let base_dir = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        Config::from_toml(&text, &name, base_dir, self.lookup)
    }

    /// Reads the file in the directory that the program was started in, if there is one.
    fn here(&self) -> Result<Option<Config>, ConfigError> {
        let text = file::read_if_there(&self.cwd.join(HERE)).map_err(at_hand)?;
        text.map(|text| Config::from_toml(&text, HERE, self.cwd.to_owned(), self.lookup))
            .transpose()
    }
}

/// An error of the file that nobody named.
fn at_hand(Unreadable { problem, cure }: Unreadable) -> ConfigError {
    ConfigError::new("current directory", HERE, &problem, cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "[[source]]\nname='NAME'\nprovider='labelbox'\nsecret='env:SECRET'\n";

    fn find(
        cwd: &Path,
        variables: &[(&str, &str)],
        file: Option<&Path>,
    ) -> Result<Option<Config>, ConfigError> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let search = Search {
            lookup: &lookup,
            cwd,
            file,
        };
        search.find()
    }

    #[test]
    fn there_is_one_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, name: &str| {
            std::fs::write(folder.path().join(file), SOURCE.replace("NAME", name)).unwrap();
        };
        let text = SOURCE.replace("NAME", "text");
        let mut variables = vec![("LABELBOX_WEBHOOK_SECRET", "a secret that is long enough")];
        let mut warnings = 0;
        let mut source = |variables: &[(&str, &str)], file: Option<&Path>| {
            let config = find(folder.path(), variables, file).unwrap().unwrap();
            let both = |warning: &&String| warning.contains("is not read");
            warnings = config.warnings.iter().filter(both).count();
            (config.sources[0].name.clone(), warnings)
        };
        assert!(find(folder.path(), &[], None).unwrap().is_none());
        assert_eq!(source(&variables, None), ("labelbox".to_owned(), 0));
        write("labelrelay.toml", "here");
        assert_eq!(source(&variables, None), ("here".to_owned(), 0));
        variables.push((TEXT, &text));
        assert_eq!(source(&variables, None), ("text".to_owned(), 0));
        write("named.toml", "named");
        variables.push((PATH, "named.toml"));
        assert_eq!(source(&variables, None), ("named".to_owned(), 1));
        write("given.toml", "given");
        let given = Some(Path::new("given.toml"));
        assert_eq!(source(&variables, given), ("given".to_owned(), 0));
    }

    #[test]
    fn a_file_is_read_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let given = Path::new("given.toml");
        let read = |bytes: &[u8]| {
            std::fs::write(folder.path().join(given), bytes).unwrap();
            let found = find(folder.path(), &[], Some(given));
            found.map(|found| found.unwrap().sources[0].name.clone())
        };
        let mut text = SOURCE.replace("NAME", "given").into_bytes();
        text.resize(1024 * 1024, b'\n');
        assert_eq!(read(&text).unwrap(), "given");
        text.push(b'\n');
        let error = read(&text).unwrap_err().to_string();
        assert_eq!(
            error,
            "command line: `--config`: names given.toml, which has more than 1048576 bytes; name the configuration's own file"
        );
        let error = read(b"\xff\xfeq").unwrap_err().to_string();
        assert!(error.contains("given.toml, which is not UTF-8"), "{error}");
        // A letter of two bytes across the bound is not what is wrong with it.
        text.truncate(1024 * 1024);
        text.extend("\u{e9}".bytes());
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains("more than 1048576 bytes"), "{error}");
    }
}
