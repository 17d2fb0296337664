//! What a medium is shown as: an image, or what a browser plays.

use serde::Serialize;
use std::fmt::Write as _;

/// What an address says by the ending of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Image,
    Audio,
    Video,
    /// A text or a table, which no browser shows here.
    Other,
}

const ENDINGS: [(Kind, &[&str]); 4] = [
    (
        Kind::Image,
        &["png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "svg"],
    ),
    (
        Kind::Audio,
        &["mp3", "wav", "flac", "m4a", "aac", "ogg", "oga", "opus"],
    ),
    (Kind::Video, &["mp4", "webm", "mov", "m4v", "ogv", "mkv"]),
    (
        Kind::Other,
        &["csv", "tsv", "json", "jsonl", "txt", "html", "pdf", "xml"],
    ),
];

/// Farthest second that somebody may want to hear.
const LONGEST_S: f64 = 1e9;

impl Kind {
    /// `None` for an ending that says nothing.
    pub(super) fn of(path: &str) -> Option<Self> {
        let (_, name) = path.rsplit_once('/')?;
        let (_, ending) = name.rsplit_once('.')?;
        let has_it = |endings: &[&str]| endings.iter().any(|it| it.eq_ignore_ascii_case(ending));
        let found = ENDINGS.into_iter().find(|(_, endings)| has_it(endings));
        found.map(|(kind, _)| kind)
    }
}

/// What a frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Image,
    Audio,
    Video,
}

impl Form {
    /// The form that an address names, such as `video`.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "image" => Some(Self::Image),
            "audio" => Some(Self::Audio),
            "video" => Some(Self::Video),
            _ => None,
        }
    }

    /// Media type of its document.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Image => "image/svg+xml",
            Self::Audio | Self::Video => "text/html; charset=utf-8",
        }
    }

    /// What its policy calls it.
    pub(super) const fn directive(self) -> &'static str {
        match self {
            Self::Image => "img-src",
            Self::Audio | Self::Video => "media-src",
        }
    }

    /// A document with the medium of this address in it. It needs neither script nor style: the browser's own controls
    /// play a part of it, or all.
    pub(super) fn document(self, url: &str, part: Option<&str>) -> String {
        let (before, behind) = match self {
            Self::Image => (
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100%\" height=\"100%\"><image width=\"100%\" height=\"100%\" preserveAspectRatio=\"none\" href=\"",
                "\"/></svg>\n",
            ),
            Self::Audio => (
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sound</title><audio controls preload=\"metadata\" src=\"",
                "\"></audio>\n",
            ),
            Self::Video => (
                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Video</title><video controls preload=\"metadata\" width=\"100%\" src=\"",
                "\"></video>\n",
            ),
        };
        let mut document = before.to_owned();
        match part.filter(|_| self != Self::Image).and_then(seconds) {
            Some(seconds) => {
                let (address, _) = url.split_once('#').unwrap_or((url, ""));
                escape(address, &mut document);
                document.push_str(&seconds);
            }
            None => escape(url, &mut document),
        }
        document.push_str(behind);
        document
    }
}

/// A part of time as the fragment of an address; `None` if it is none.
fn seconds(part: &str) -> Option<String> {
    let number = |text: &str| {
        let number = text.parse::<f64>().ok();
        number.filter(|number| (0.0..=LONGEST_S).contains(number))
    };
    let (from, to) = part.split_once(',')?;
    let (from, to) = (number(from)?, number(to)?);
    if from < to {
        Some(format!("#t={from},{to}"))
    } else {
        Some(format!("#t={from}"))
    }
}

/// Writes a text as an attribute's value. Everything that is not plainly harmless there becomes a number.
fn escape(text: &str, into: &mut String) {
    for sign in text.chars() {
        if sign.is_ascii_alphanumeric() || "/:.?=%-_~".contains(sign) {
            into.push(sign);
        } else {
            // A string takes everything.
            let _ = write!(into, "&#{};", u32::from(sign));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_path_says_what_it_is() {
        for (path, kind) in [
            ("/a.PNG", Some(Kind::Image)),
            ("/a/b.tar.wav", Some(Kind::Audio)),
            ("/a.mp4", Some(Kind::Video)),
            ("/series.csv", Some(Kind::Other)),
            ("/a.png/b", None),
            ("/png", None),
            ("/a.", None),
            ("", None),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn a_part_is_played_and_nothing_else_is_taken_for_one() {
        let address = |part| {
            let document = Form::Audio.document("https://a.example/x?y=1&z#old", part);
            let (_, rest) = document.split_once(" src=\"").unwrap();
            let (address, _) = rest.split_once('"').unwrap();
            address.to_owned()
        };
        let whole = "https://a.example/x?y=1&#38;z&#35;old";
        let without = "https://a.example/x?y=1&#38;z";
        assert_eq!(address(Some("1.5,2")), format!("{without}#t=1.5,2"));
        assert_eq!(address(Some("2,2")), format!("{without}#t=2"));
        for part in [
            None,
            Some(""),
            Some("1"),
            Some("-1,2"),
            Some("NaN,2"),
            Some("1,inf"),
            Some("1e300,2"),
            Some("1,\"><script>"),
        ] {
            assert_eq!(address(part), whole, "{part:?}");
        }
        // An image has no part of that kind.
        let image = Form::Image.document("https://a.example/x", Some("1,2"));
        assert!(image.contains("\"https://a.example/x\"/>"), "{image}");
    }

    #[test]
    fn no_address_becomes_markup() {
        let mut escaped = String::new();
        escape("https://a.example/?x=1&y=\"><script>'ä", &mut escaped);
        let expected = "https://a.example/?x=1&#38;y=&#34;&#62;&#60;script&#62;&#39;&#228;";
        assert_eq!(escaped, expected);
    }
}
