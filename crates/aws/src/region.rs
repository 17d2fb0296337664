//! Regions, as names of hosts and resources have them.

/// Domain suffix of a region's services.
pub(crate) fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// The region that an ARN names.
pub(crate) fn region_of_arn(name: &str) -> Option<&str> {
    let mut parts = name.strip_prefix("arn:")?.split(':');
    parts.nth(2).filter(|region| !region.is_empty())
}
