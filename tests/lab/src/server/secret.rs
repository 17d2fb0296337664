//! A secret in a file, whose store can be down.

use super::mode::{Mode, Switch};
use crate::sources::foreign;
use jiff::Timestamp;
use labelrelay_core::secret::FileSecret;
use labelrelay_core::{BoxFuture, Secret, SecretError, SecretSource};
use std::path::PathBuf;

pub(super) struct LabSecret {
    file: FileSecret,
    switch: Switch,
    /// The sabotage: somebody else's secret is let in too.
    forge: Option<String>,
}

impl LabSecret {
    pub(super) fn new(
        path: PathBuf,
        not_after: Option<Timestamp>,
        switch: Switch,
        forge: bool,
    ) -> Self {
        // The folder's name is the seed.
        let seed = path.parent().and_then(|folder| {
            folder
                .file_name()?
                .to_str()?
                .rsplit('-')
                .next()?
                .parse()
                .ok()
        });
        let forge = seed.filter(|_| forge).map(foreign);
        Self {
            file: FileSecret::new(path, not_after),
            switch,
            forge,
        }
    }
}

impl SecretSource for LabSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(async move {
            let mode = self.switch.mode();
            match mode {
                Mode::Refusing(_) => {
                    return Err(SecretError::transient("a fault of the laboratory"));
                }
                Mode::Hanging => self.switch.until_not(mode).await,
                _ => {}
            }
            let mut secrets = self.file.fetch().await?;
            if let Some(forge) = &self.forge {
                secrets.push(Secret::new("sabotage", forge.as_bytes())?);
            }
            Ok(secrets)
        })
    }

    fn changed(&self) -> bool {
        self.file.changed()
    }
}
