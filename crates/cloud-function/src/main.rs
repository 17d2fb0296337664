//! `labelrelay-cloud-function`.

fn main() {}
