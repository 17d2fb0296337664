//! Bodies that may have been signed, before something on the way changed them.

use super::json_layout::{self, Style};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A change that may have happened on the way.
pub(super) struct Change<'a> {
    /// Change on the way.
    pub(super) words: String,
    body: &'a [u8],
    undo: Undo,
}

/// Made when it is asked for: the forms of a large body are never in memory together.
type Undo = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

impl Change<'_> {
    /// The body as it was before; `None` when this change cannot have happened.
    pub(super) fn undone(&self) -> Option<Vec<u8>> {
        (self.undo)(self.body).filter(|form| form != self.body)
    }
}

/// Changes that are seen on the way, usual ones first.
pub(super) fn changes(body: &[u8]) -> Vec<Change<'_>> {
    let mut all = Vec::new();
    let mut add = |words: &str, undo: Undo| {
        all.push(Change {
            words: words.to_owned(),
            body,
            undo,
        });
    };
    let cut = |end: &'static [u8]| -> Undo {
        Box::new(move |body| body.strip_suffix(end).map(<[u8]>::to_vec))
    };
    let put = |end: &'static [u8]| -> Undo { Box::new(move |body| Some([body, end].concat())) };
    add("a line break was added at the end of the body", cut(b"\n"));
    add(
        "a CR and a line break were added at the end of the body",
        cut(b"\r\n"),
    );
    add(
        "the line break at the end of the body was removed",
        put(b"\n"),
    );
    add(
        "the CR and line break at the end of the body were removed",
        put(b"\r\n"),
    );
    add(
        "LF line breaks of the body were turned into CRLF",
        Box::new(|body| Some(replace(body, b"\r\n", b"\n"))),
    );
    add(
        "CRLF line breaks of the body were turned into LF",
        Box::new(|body| Some(replace(&replace(body, b"\r\n", b"\n"), b"\n", b"\r\n"))),
    );
    add(
        "a byte order mark was put in front of the body",
        Box::new(|body| body.strip_prefix(BOM).map(<[u8]>::to_vec)),
    );
    add(
        "the byte order mark in front of the body was removed",
        Box::new(|body| Some([BOM, body].concat())),
    );
    add(
        "the body was not decoded from base64",
        Box::new(|body| STANDARD.decode(body.trim_ascii()).ok()),
    );
    add(
        "the body was decoded as Latin-1 and encoded as UTF-8",
        Box::new(to_latin1),
    );
    add(
        "the body was decoded as UTF-8 and encoded as Latin-1",
        Box::new(|body| {
            Some(
                body.iter()
                    .map(|&byte| char::from(byte))
                    .collect::<String>()
                    .into_bytes(),
            )
        }),
    );
    for style in Style::ALL {
        let words =
            format!("the body was parsed as JSON and encoded anew; it was signed as {style}");
        add(
            &words,
            Box::new(move |body| json_layout::relaid(body, style)),
        );
    }
    add(
        "the signature is that of an empty body: it was computed before the body was read, or after",
        Box::new(|_| Some(Vec::new())),
    );
    all
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

/// Text whose characters all are bytes, as those bytes.
fn to_latin1(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}
