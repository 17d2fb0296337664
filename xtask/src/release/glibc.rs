//! The version of the C library that a program asks for.

use crate::Outcome;
use crate::step::output;
use std::path::Path;
use std::process::Command;

pub(super) type Version = (u32, u32);

/// `None` if it links none.
pub(super) fn newest(program: &Path) -> Outcome<Option<Version>> {
    let mut objdump = Command::new("objdump");
    Ok(newest_of(&output(objdump.arg("-T").arg(program))?))
}

fn newest_of(symbols: &str) -> Option<Version> {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let mut parts = rest.get(..end.unwrap_or(rest.len()))?.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    });
    versions.max()
}

/// Names of the libraries that are loaded with it.
pub(super) fn needed(program: &Path) -> Outcome<Vec<String>> {
    let mut objdump = Command::new("objdump");
    let headers = output(objdump.arg("-p").arg(program))?;
    let names = headers
        .lines()
        .filter_map(|line| line.trim().strip_prefix("NEEDED"));
    Ok(names.map(|name| name.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        let symbols =
            "0 DF *UND* 0 (GLIBC_2.2.5) free\n0 DF *UND* 0 (GLIBC_2.28)  x\n0 DF (GLIBC_2.9) y\n";
        assert_eq!(newest_of(symbols), Some((2, 28)));
        assert_eq!(newest_of("no dynamic symbols"), None);
    }
}
