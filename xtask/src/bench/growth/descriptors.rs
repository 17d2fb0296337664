//! File descriptors of this process, of which each connection of the load takes one.

use crate::Outcome;

/// Descriptors for all else.
const OTHERS: u64 = 100;

/// Connections that this process can have open.
pub(super) fn connections() -> Outcome<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits")
        .map_err(|error| format!("cannot read /proc/self/limits ({error}): Linux alone has it"))?;
    let most = limit(&limits).ok_or("/proc/self/limits is not what it was")?;
    Ok(most.saturating_sub(OTHERS))
}

/// The limit that counts now.
fn limit(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_counts_now_is_read() {
        let line = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max open files            1024                 1048576              files     \n";
        assert_eq!(limit(line), Some(1024));
        assert_eq!(
            limit("Max open files   unlimited   unlimited   files"),
            Some(u64::MAX)
        );
        assert_eq!(limit("Max file size 1 1 bytes"), None);
    }
}
