//! The function's `bootstrap`.

fn main() {}
