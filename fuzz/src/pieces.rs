/// Cuts `bytes` into pieces; another `seed` cuts elsewhere. Seed 0 cuts after every byte, and some pieces
/// are empty.
pub fn pieces(bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let longest = match seed {
        0 => 1,
        1..=85 => 7,
        86..=170 => 80,
        _ => 2000,
    };
    let (mut rest, mut state) = (Some(bytes), u64::from(seed));
    std::iter::from_fn(move || {
        let left = rest.take()?;
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let drawn = usize::try_from(state >> 40).unwrap_or_default() % (longest + 1);
        let length = if seed == 0 { 1 } else { drawn };
        let (piece, after) = left.split_at(length.min(left.len()));
        rest = (!after.is_empty()).then_some(after);
        Some(piece)
    })
}

/// The first line of `bytes`, without its line feed, and what follows.
pub fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
