//! Surroundings of the function on Azure: signatures, the Functions host, the machine's identity.

pub mod handler;
pub mod host;
pub mod identity;
pub mod sas;
