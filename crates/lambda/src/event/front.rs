//! What can stand in front of the function.

use super::fields::{Context, Fields};

/// What stands in front of the function. It decides the form of the event, and that of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// A function URL, or an HTTP API with payload format 2.0.
    PayloadV2,
    /// A REST API, or an HTTP API with payload format 1.0.
    PayloadV1,
    /// An Application Load Balancer.
    LoadBalancer {
        /// Its target group has multi-value headers. Then the event has them, and the answer must have them.
        multi_value: bool,
    },
}

/// An event of no front that is served.
pub(super) enum Unserved {
    /// Somebody else's request, and whose it is.
    Request(&'static str),
    /// No request.
    Other,
}

impl Front {
    /// The front that an event has come through, by the few members that tell. The commonest comes first.
    pub(super) fn of(fields: &Fields<'_>, context: &Context) -> Result<Self, Unserved> {
        match fields.version().as_deref() {
            Some("2.0") if context.http.is_some() => Ok(Self::PayloadV2),
            _ if context.elb => Ok(Self::LoadBalancer {
                multi_value: fields.has_multi_value_headers(),
            }),
            _ if context.websocket => Err(Unserved::Request("a WebSocket API")),
            None | Some("1.0") if fields.has_method() => Ok(Self::PayloadV1),
            Some(_) if fields.has_method() => Err(Unserved::Request(
                "an API with a payload format that is not known here",
            )),
            _ if context.lattice || fields.has_lattice_path() => {
                Err(Unserved::Request("VPC Lattice"))
            }
            _ => Err(Unserved::Other),
        }
    }
}
