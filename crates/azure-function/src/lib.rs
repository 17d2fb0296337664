//! labelrelay as the custom handler of the Azure Functions host: a server on the loopback address that the
//! host proxies HTTP requests to, and tells of timers.
//!
//! Only the path tells the two apart, and the path cannot be chosen from outside. The host routes
//! HTTP under its route prefix, `/api`, and proxies a request with the path that it came with; an
//! invocation that is no HTTP request is a POST of the host's own to `/` and the function's name. So all
//! that came from outside begins with `/api/`, and `/redrive` is the host's word. `host.json` must keep its
//! route prefix for that reason; without one nobody's `/redrive` could be told from the timer's.

mod handler;
mod init;
mod json_response;
mod log;
mod redrive;
mod route;

pub use handler::Handler;
pub use init::{configuration, port, relay, warm};
pub use log::format;
