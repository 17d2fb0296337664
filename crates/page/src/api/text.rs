//! Texts with a bound, and what is said of the rest.

use serde::Serialize;

/// A text, and what was left out of it.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct CutText {
    pub(super) text: String,
    pub(super) cut: Option<String>,
}

impl CutText {
    /// The first `most` bytes of `bytes` as text.
    pub(super) fn of(bytes: &[u8], most: usize) -> Self {
        let whole = bytes.len();
        let bytes = bytes.get(..most).unwrap_or(bytes);
        let is_cut = bytes.len() < whole;
        // The cut may have gone through a character, which is no fault of the text.
        let (text, is_text) = match std::str::from_utf8(bytes) {
            Ok(text) => (text.to_owned(), true),
            Err(error) if is_cut && error.error_len().is_none() => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                (String::from_utf8_lossy(valid).into_owned(), true)
            }
            Err(_) => (String::from_utf8_lossy(bytes).into_owned(), false),
        };
        let mut words = Vec::new();
        if is_cut {
            words.push(format!(
                "These are the first {} of {}.",
                size(bytes.len()),
                size(whole)
            ));
        }
        if !is_text {
            words.push("It is not UTF-8: what is none stands as �.".to_owned());
        }
        Self {
            text,
            cut: (!words.is_empty()).then(|| words.join(" ")),
        }
    }
}

/// The first `most` characters, and a sign for the rest.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// A number of bytes, for people.
pub(super) fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;
    match bytes {
        0..KIB => format!("{bytes} bytes"),
        KIB..MIB => format!("{} KiB", bytes / KIB),
        _ => format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB),
    }
}

/// A time in microseconds, for people.
pub(super) fn elapsed(us: i64) -> String {
    let us = us.max(0);
    match us {
        0..10_000 => format!("{}.{:02} ms", us / 1000, us % 1000 / 10),
        10_000..10_000_000 => format!("{} ms", us / 1000),
        _ => format!("{} s", us / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_says_what_it_left_out() {
        assert_eq!(CutText::of("é".as_bytes(), 2).cut, None);
        let cut = CutText::of("éé".as_bytes(), 3);
        assert_eq!(cut.text, "é");
        assert_eq!(cut.cut.unwrap(), "These are the first 3 bytes of 4 bytes.");
        let odd = CutText::of(b"a\xffb", 10);
        assert_eq!(odd.text, "a\u{fffd}b");
        assert!(odd.cut.unwrap().contains("not UTF-8"));
    }

    #[test]
    fn people_read_sizes_and_times() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(2048), "2 KiB");
        assert_eq!(size(50_000_000), "47.6 MiB");
        assert_eq!(elapsed(1234), "1.23 ms");
        assert_eq!(elapsed(45_678), "45 ms");
        assert_eq!(elapsed(12_345_678), "12 s");
        assert_eq!(shortened("ééé", 2), "éé…");
        assert_eq!(shortened("éé", 2), "éé");
    }
}
