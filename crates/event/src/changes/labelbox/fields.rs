//! Questions that every shape of body is asked.

use crate::changes::context::Context;
use crate::json::Value;
use std::borrow::Cow;

/// Without the header that says what happened, the thing may be gone.
pub(super) fn is_told(context: &Context<'_>) -> bool {
    context.action() != "unrecognized"
}

pub(super) fn text<'a>(value: Option<Value<'_, 'a>>, name: &str) -> Option<Cow<'a, str>> {
    value?.member(name)?.text()
}

pub(super) fn id<'a>(value: Option<Value<'_, 'a>>, name: &str) -> Option<Cow<'a, str>> {
    value?.member(name)?.identifier()
}
