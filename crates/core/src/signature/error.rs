//! Why a credential was not accepted.

/// Why a request's credential was not accepted. None of these shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The request has none.
    #[error("the header {expected} is missing")]
    Missing {
        /// The header that should be there.
        expected: &'static str,
    },
    /// The request has none, in the header that the configuration names.
    #[error("the header {header} is missing")]
    MissingNamed {
        /// The header that should be there.
        header: String,
    },
    /// A credential header stands twice, or two are joined by a comma.
    #[error(
        "the header {header} stands more than once; remove the proxy or webhook setting that adds it again"
    )]
    Doubled {
        /// The header.
        header: &'static str,
    },
    /// The header that the configuration names stands twice.
    #[error(
        "the header {header} stands more than once; remove the proxy or webhook setting that adds it again"
    )]
    DoubledNamed {
        /// The header.
        header: String,
    },
    /// A signature header is not `<algorithm>=<hex>`.
    #[error("the header {header} is not `{expected}=` and {digits} hexadecimal digits")]
    Malformed {
        /// The header.
        header: &'static str,
        /// The algorithm that it must name.
        expected: &'static str,
        /// Number of hexadecimal digits of a whole tag.
        digits: usize,
    },
    /// `Authorization` is neither Bearer nor Basic: a credential, but none that could match.
    #[error(
        "the header authorization is neither `Bearer <secret>` nor `Basic <base64 of user:secret>`"
    )]
    Scheme,
    /// The text after `Basic` is not base64 of `user:secret`.
    #[error("the text after `Basic` in the header authorization is not base64 of `user:secret`")]
    Basic,
    /// The credential is well formed, but no live secret made it.
    #[error("the credential matches no live secret")]
    Mismatch,
}

impl CredentialError {
    /// Tells whether the request is malformed, rather than its credential missing or wrong.
    pub const fn is_malformed(&self) -> bool {
        matches!(
            self,
            Self::Doubled { .. } | Self::DoubledNamed { .. } | Self::Malformed { .. } | Self::Basic
        )
    }
}
