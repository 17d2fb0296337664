//! DNS suffix of a region's services, and the region in an ARN.

/// Beginnings of regions outside of the partition that most use, each with the domain suffix of its services.
static PARTITIONS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
];

/// Domain suffix of a region's services.
pub(crate) fn dns_suffix(region: &str) -> &'static str {
    let found = PARTITIONS
        .iter()
        .find(|(begin, _)| region.starts_with(begin));
    found.map_or("amazonaws.com", |(_, suffix)| *suffix)
}

/// The part of a host's name before the domain of AWS that it ends in.
pub(crate) fn without_dns_suffix(host: &str) -> Option<&str> {
    let others = PARTITIONS.iter().map(|(_, suffix)| *suffix);
    let mut suffixes = ["amazonaws.com", "api.aws"].into_iter().chain(others);
    suffixes.find_map(|suffix| host.strip_suffix(suffix)?.strip_suffix('.'))
}

/// The region that an ARN names.
pub(crate) fn region_of_arn(name: &str) -> Option<&str> {
    let mut parts = name.strip_prefix("arn:")?.split(':');
    parts.nth(2).filter(|region| !region.is_empty())
}
