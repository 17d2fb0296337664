//! The text between the quotes of a JSON string.

/// Form of half of a surrogate pair (`\ud83d`), which no Rust string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halves {
    /// Its escape, six characters in lower case: what records and keys have.
    Escaped,
    /// Three bytes, as UTF-8 would write it: two different texts stay two, and it counts as one character.
    Bytes,
}

/// The bytes of a checked string between its quotes. With [`Halves::Escaped`] they are UTF-8.
pub(crate) fn decode(quoted: &str, halves: Halves) -> Vec<u8> {
    let mut out = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.extend_from_slice(plain.as_bytes());
        let mut signs = escape.chars();
        let sign = signs.next().unwrap_or_default();
        rest = signs.as_str();
        let one = match sign {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                rest = unicode(rest, halves, &mut out);
                continue;
            }
            other => other,
        };
        push(&mut out, one);
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// Writes the character whose escape goes on with `digits`; what is left behind it.
fn unicode<'t>(digits: &'t str, halves: Halves, out: &mut Vec<u8>) -> &'t str {
    let (unit, rest) = unit(digits);
    if let Some((second, behind)) = rest.strip_prefix("\\u").map(self::unit)
        && (0xd800..0xdc00).contains(&unit)
        && (0xdc00..0xe000).contains(&second)
    {
        let code = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
        push(out, char::from_u32(code).unwrap_or_default());
        return behind;
    }
    match (char::from_u32(unit), halves) {
        (Some(one), _) => push(out, one),
        (None, Halves::Escaped) => out.extend_from_slice(format!("\\u{unit:04x}").as_bytes()),
        (None, Halves::Bytes) => {
            let [_, _, high, low] = unit.to_be_bytes();
            // 1110xxxx 10xxxxxx 10xxxxxx, of 16 bits.
            out.extend_from_slice(&[
                0xe0 | high >> 4,
                0x80 | (high & 0x0f) << 2 | low >> 6,
                0x80 | low & 0x3f,
            ]);
        }
    }
    rest
}

/// Four hexadecimal digits, and what follows them.
fn unit(digits: &str) -> (u32, &str) {
    let (four, rest) = digits.split_at_checked(4).unwrap_or_default();
    (u32::from_str_radix(four, 16).unwrap_or_default(), rest)
}

fn push(out: &mut Vec<u8>, one: char) {
    out.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes());
}
