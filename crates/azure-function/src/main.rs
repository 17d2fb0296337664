//! The custom handler of the Azure Functions host.

fn main() {}
