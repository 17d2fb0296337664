//! JSON pointers (RFC 6901) of the objects and arrays of a body, by where they begin in memory.

use std::collections::HashMap;

/// Pointers of a body that is known to be JSON.
pub(crate) struct Pointers<'b> {
    body: &'b [u8],
    found: HashMap<usize, String>,
}

enum Open {
    Object,
    Array(usize),
}

impl<'b> Pointers<'b> {
    pub(crate) fn of(body: &'b [u8]) -> Self {
        let mut found = HashMap::new();
        // A stack, since bodies may be deeper than a test's stack is high. What is open, and the pointers above it.
        let mut open: Vec<(Open, String)> = Vec::new();
        let mut pointer = String::new();
        let mut at = 0;
        while let Some(sign) = body.get(at) {
            let place = at;
            at += 1;
            match sign {
                b'{' | b'[' => {
                    found.insert(place, pointer.clone());
                    let (container, first) = if *sign == b'{' {
                        (Open::Object, String::new())
                    } else {
                        (Open::Array(0), format!("{pointer}/0"))
                    };
                    open.push((container, std::mem::replace(&mut pointer, first)));
                }
                b'}' | b']' => pointer = open.pop().unwrap().1,
                b',' => {
                    if let Some((Open::Array(number), above)) = open.last_mut() {
                        *number += 1;
                        pointer = format!("{above}/{number}");
                    }
                }
                b'"' => {
                    at = end_of_string(body, at);
                    let rest = body[at..].trim_ascii_start();
                    if let (Some((Open::Object, above)), Some(b':')) = (open.last(), rest.first()) {
                        let key = decoded(&body[place + 1..at - 1]);
                        pointer = format!("{above}/{}", key.replace('~', "~0").replace('/', "~1"));
                    }
                }
                _ => {}
            }
        }
        Self { body, found }
    }

    /// The pointer to a part of the body; `None` for what is in none, and for strings and numbers.
    pub(crate) fn to(&self, part: &str) -> Option<&str> {
        let place = (part.as_ptr() as usize).checked_sub(self.body.as_ptr() as usize)?;
        self.found.get(&place).map(String::as_str)
    }
}

fn end_of_string(body: &[u8], mut at: usize) -> usize {
    while body[at] != b'"' {
        at += 1 + usize::from(body[at] == b'\\');
    }
    at + 1
}

/// The text of a key, with half of a surrogate pair as its escape.
fn decoded(quoted: &[u8]) -> String {
    let text = std::str::from_utf8(quoted).unwrap();
    let mut units = Vec::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            units.extend_from_slice(sign.encode_utf16(&mut [0; 2]));
            continue;
        }
        let unit = match signs.next().unwrap() {
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let digits: String = signs.by_ref().take(4).collect();
                u16::from_str_radix(&digits, 16).unwrap()
            }
            other => u16::try_from(u32::from(other)).unwrap(),
        };
        units.push(unit);
    }
    let one = |unit| match unit {
        Ok(sign) => String::from(sign),
        Err(half) => format!(
            "\\u{:04x}",
            std::char::DecodeUtf16Error::unpaired_surrogate(&half)
        ),
    };
    char::decode_utf16(units).map(one).collect()
}
