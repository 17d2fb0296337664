//! Strings, numbers and times at which parsers differ.

use labelrelay_tests::random::Random;
use std::fmt::Write as _;

/// Picks one at random.
pub(crate) fn pick<'a, T: ?Sized>(random: &mut Random, of: &[&'a T]) -> &'a T {
    of[index(random, of.len())]
}

pub(crate) fn index(random: &mut Random, below: usize) -> usize {
    usize::try_from(random.below(below as u64)).unwrap()
}

/// Text that may stand in a JSON string and is read alike everywhere.
const PLAIN: &[&str] = &[
    "a",
    "label",
    " ",
    "\u{e9}",
    "\u{4e2d}\u{6587}",
    "\u{1f600}",
    "\\n",
    "\\t",
    "\\\"",
    "\\\\",
    "\\/",
    "\\b\\f\\r",
    "\\u0000",
    "\\u001f",
    "\\u007f",
    "\u{7f}",
    "\u{80}",
    "\u{84}",
    "\u{86}",
    "\u{a0}",
    "\u{ad}",
    "\u{200b}",
    "\u{202e}",
    "\u{2027}",
    "\u{202a}",
    "\u{3000}",
    "\u{e000}",
    "\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{fdd0}",
    "\u{1fffe}",
    "\u{10ffff}",
    "\\u2028",
    "\\u2029",
    "\\u0085",
    "\\ud83d\\ude00",
    "\\uDBFF\\uDFFF",
    "\\ufeff",
    "\\uffff",
    "\\uD7FF",
    "\\ue000",
    "e\u{301}",
    "\u{5d0}\u{627}",
    "',",
    "</script>",
    "data_base64",
    "\\u0022,\\u0022data\\u0022:",
];

/// Characters that split lines, or are half of one.
const SPLITTING: &[&str] = &[
    "\u{2028}",
    "\u{2029}",
    "\u{85}",
    "\\ud83d",
    "\\ude00",
    "\\ude00\\ud83d",
    "\\ud83d\\ud83d\\ude00",
    "\\ud83dx",
    "\\ud83d\\n",
    "\\uDBFF",
    "\\uDC00",
    "\\ud83d\\u0041",
    "\\udfff\\udfff",
];

/// The inside of a string. `tame` ones are embedded.
pub(crate) fn string(random: &mut Random, tame: bool) -> String {
    let parts = match random.below(20) {
        0 => 0,
        1 => 60,
        2 if random.below(40) == 0 => 5000,
        _ => random.below(5),
    };
    let mut out = String::new();
    for _ in 0..parts {
        match random.below(8) {
            0 if !tame => out.push_str(pick(random, SPLITTING)),
            1 => out.extend(character(random, tame)),
            2 => {
                let unit = random.below(0x1_0000);
                if !tame || !(0xd800..0xe000).contains(&unit) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push_str(pick(random, PLAIN)),
        }
    }
    out
}

/// Any character that may stand raw in a string.
fn character(random: &mut Random, tame: bool) -> Option<char> {
    let bound = if random.below(2) == 0 {
        0x3000
    } else {
        0x11_0000
    };
    let character = char::from_u32(u32::try_from(random.below(bound)).unwrap())?;
    let is_legal = character >= ' ' && !matches!(character, '"' | '\\');
    let is_tame = !matches!(character, '\u{2028}' | '\u{2029}' | '\u{85}');
    (is_legal && (is_tame || !tame)).then_some(character)
}

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "0e0",
    "0E-5",
    "1",
    "-1",
    "1.0",
    "1.10",
    "1E5",
    "1e+05",
    "100e-2",
    "0.1",
    "1e22",
    "1e23",
    "5e-324",
    "2.2250738585072011e-308",
    "1.7976931348623157e307",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "1e300",
    "1e-300",
    "0.30000000000000004",
    "3.0000000000000000000000000000001",
];

const HUGE: &[&str] = &[
    "1e308",
    "1e309",
    "-1e400",
    "1e-400",
    "1e999999999",
    "1e-999999999",
    "1E99999999999999999999",
    "0e999",
    "0e-99999999999",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "10e307",
    "10e308",
    "0.1e309",
    "2e-324",
];

/// A number in its written form.
pub(crate) fn number(random: &mut Random, tame: bool) -> String {
    let digits = |random: &mut Random, most: u64| {
        let count = 1 + random.below(most);
        (0..count)
            .map(|_| char::from(b'1' + u8::try_from(random.below(9)).unwrap()))
            .collect::<String>()
    };
    let sign = if random.below(4) == 0 { "-" } else { "" };
    match random.below(12) {
        0..=4 => {
            let bits = 1 + random.below(62);
            format!("{sign}{}", random.below(1 << bits))
        }
        5 => format!("{sign}{}.{}", random.below(1000), digits(random, 20)),
        6 => format!("{sign}{}", digits(random, 300)),
        7 => format!("0.{}", digits(random, 300)),
        8 => format!(
            "{sign}{}.{}e{}{}",
            random.below(10),
            digits(random, 17),
            pick(random, &["", "+", "-"]),
            random.below(300)
        ),
        9 if !tame => match random.below(4) {
            0 => pick(random, HUGE).to_owned(),
            1 => digits(random, 5000),
            2 => format!("0.{}", digits(random, 5000)),
            _ => format!("{}{}e{}", sign, digits(random, 300), 8 + random.below(600)),
        },
        _ => pick(random, NUMBERS).to_owned(),
    }
}

const TIMES: &[&str] = &[
    "2026-11-20T08:00:00Z",
    "2026-11-20T08:00:00.1Z",
    "2026-11-20T08:00:00.123456Z",
    "2026-11-20T08:00:00.123456789+05:30",
    "2026-11-20T08:00:00+25:00",
    "2026-11-20T08:00:00+24:00",
    "2026-11-20T08:00:00+23:59",
    "2026-11-20T08:00:00-23:60",
    "2026-11-20T08:00:00-00:00",
    "2016-12-31T23:59:60Z",
    "2016-12-31T23:59:60.5Z",
    "2026-11-20T24:00:00Z",
    "2026-11-20T08:00:61Z",
    "0000-01-01T00:00:00Z",
    "0000-12-31T23:59:59-05:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-05:00",
    "9999-12-31T23:59:59.999999999Z",
    "2026-02-29T00:00:00Z",
    "2024-02-29T00:00:00Z",
    "2026-11-20t08:00:00z",
    "2026-11-20 08:00:00Z",
    "2026-11-20T08:00:00",
    "2026-11-20T08:00Z",
    "2026-11-20",
    "20261120T080000Z",
    "2026-W47-5T08:00:00Z",
    "2026-11-20T08:00:00,5Z",
    "2026-11-20T08:00:00.1234567890Z",
    "2026-11-20T08:00:00.Z",
    "+002026-11-20T08:00:00Z",
    "-0001-11-20T08:00:00Z",
    "2026-11-20T08:00:00Z[UTC]",
    "now",
    "",
    "\\u0032026-11-20T08:00:00Z",
    "2026-11-20T08:00:00+0100",
    "2026-13-20T08:00:00Z",
];

/// Text in the place of a time.
pub(crate) fn time(random: &mut Random) -> String {
    if random.below(3) > 0 {
        return pick(random, TIMES).to_owned();
    }
    let edge = |random: &mut Random, usual: u64, most: u64| {
        if random.below(6) == 0 {
            most
        } else {
            random.below(usual)
        }
    };
    let (year, month, day) = (
        edge(random, 10_000, 9999),
        1 + edge(random, 12, 12),
        1 + edge(random, 28, 31),
    );
    let (hour, minute, second) = (
        edge(random, 24, 24),
        edge(random, 60, 60),
        edge(random, 60, 60),
    );
    let fraction = match random.below(3) {
        0 => String::new(),
        digits => format!(
            ".{}",
            random.below(10_u64.pow(u32::try_from(digits * 3).unwrap()))
        ),
    };
    let offset = match random.below(3) {
        0 => "Z".to_owned(),
        1 => format!("+{:02}:{:02}", edge(random, 24, 25), edge(random, 60, 60)),
        _ => format!("-{:02}:{:02}", edge(random, 24, 24), edge(random, 60, 59)),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}")
}
