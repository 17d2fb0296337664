//! The setting `claim_check`: the form of what a queue gets in place of an event that is too large for it.

use super::error::ConfigError;

/// Form of what a queue gets in place of an event that is too large for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimCheckForm {
    /// `dataref`: the envelope without its data. The attribute of that name says where the data is.
    #[default]
    Dataref,
    /// `sqs-extended-client`: a pointer to the whole envelope in S3, as AWS's extended clients of SQS write it.
    SqsExtendedClient,
}

impl ClaimCheckForm {
    /// The word for it in a configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dataref => "dataref",
            Self::SqsExtendedClient => "sqs-extended-client",
        }
    }

    /// Reads the word that `key` of `origin` holds.
    ///
    /// ```
    /// use labelrelay_core::config::ClaimCheckForm;
    ///
    /// let read = |word| ClaimCheckForm::read("labelrelay.toml", "claim_check", word);
    /// assert_eq!(read("sqs-extended-client").unwrap(), ClaimCheckForm::SqsExtendedClient);
    /// assert!(read("sqs").unwrap_err().to_string().contains("sqs-extended-client"));
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] when it is no word for one.
    pub fn read(origin: &str, key: &str, word: &str) -> Result<Self, ConfigError> {
        let all = [Self::Dataref, Self::SqsExtendedClient];
        all.into_iter()
            .find(|form| form.as_str() == word)
            .ok_or_else(|| {
                let problem = format!("`{}` is no form of a claim check", word.escape_debug());
                let cure = "write sqs-extended-client for consumers that use AWS's extended client of SQS, else remove it";
                ConfigError::new(origin, key, &problem, cure)
            })
    }
}
