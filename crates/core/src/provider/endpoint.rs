//! Purposes of requests to a source.

/// Purpose of a request, by its method and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// A webhook, which brings an event.
    Event,
    /// Labelbox asks which models may be trained: answered from the configuration.
    Models,
    /// An ML back end's call, answered at once with this JSON; its body is read and dropped.
    Reply(&'static str),
    /// No such method here; these are.
    WrongMethod {
        /// For the header `Allow`.
        allow: &'static str,
    },
}
