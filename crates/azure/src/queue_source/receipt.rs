//! A receipt: id and pop receipt of a message, and how its text was written.

/// `Debug` is left out: with it, somebody could delete the message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct AzureReceipt<'a> {
    pub(super) id: &'a str,
    pub(super) pop: &'a str,
    pub(super) form: Form,
}

/// Form in which a message's text holds its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In base64, as the relay sends it and Functions expect it.
    Base64,
    /// As they are.
    Plain,
}

impl<'a> AzureReceipt<'a> {
    pub(super) fn to_text(self) -> String {
        let form = match self.form {
            Form::Base64 => "base64",
            Form::Plain => "plain",
        };
        format!("{} {} {form}", self.id, self.pop)
    }

    /// `None` when `text` is no receipt of this queue. An id becomes part of a path, so it is what the service gives.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (id, pop, form) = (parts.next()?, parts.next()?, parts.next()?);
        let form = match form {
            "base64" => Form::Base64,
            "plain" => Form::Plain,
            _ => return None,
        };
        let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (is_id && !pop.is_empty() && parts.next().is_none()).then_some(Self { id, pop, form })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_come_back_and_nothing_else_is_one() {
        for form in [Form::Base64, Form::Plain] {
            let (id, pop) = ("0a-1B", "AgAAAA+/=");
            let text = AzureReceipt { id, pop, form }.to_text();
            let parsed = AzureReceipt::parse(&text).unwrap();
            assert!(parsed == AzureReceipt { id, pop, form }, "{text}");
        }
        for text in [
            "",
            "id pop",
            "../x pop base64",
            "id  base64",
            "id pop base64 x",
            "id pop json",
        ] {
            assert!(AzureReceipt::parse(text).is_none(), "{text}");
        }
    }
}
