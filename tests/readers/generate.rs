//! Bodies: values of every kind, the platforms' own shapes with odd members, recorded ones with a part changed, and
//! bytes that are no JSON at all.

use super::awkward_values::{index, number, pick, string, time};
use labelrelay_tests::fixture;
use labelrelay_tests::random::Random;
use std::fmt::Write as _;

/// A delivery to make.
pub(crate) struct Delivery {
    /// `X-Labelbox-Event`; else it is one of Label Studio.
    pub(crate) labelbox: Option<&'static str>,
    pub(crate) traceparent: Option<&'static str>,
    pub(crate) body: Vec<u8>,
    /// Bytes that arrive at once.
    pub(crate) piece: usize,
}

pub(crate) struct Generator {
    random: Random,
    recorded: Vec<(bool, Vec<u8>)>,
}

const EVENTS: &[&str] = &[
    "LABEL_CREATED",
    "LABEL_UPDATED",
    "LABEL_DELETED",
    "REVIEW_UPDATED",
    "WORKFLOW_ACTION",
    "odd",
];

const TRACES: &[&str] = &[
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "ff-x",
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
];

const ACTIONS: &[&str] = &[
    "ANNOTATION_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_DELETED",
    "TASKS_CREATED",
    "TASKS_DELETED",
    "PROJECT_UPDATED",
    "LABEL_LINK_UPDATED",
    "REVIEW_CREATED",
    "START_TRAINING",
    "MY_OWN",
    "\\ud83d",
    "",
];

const KEYS: &[&str] = &[
    "",
    "id",
    "action",
    "project",
    "task",
    "data",
    "data_base64",
    "datacontenttype",
    "specversion",
    "envelope",
    "receipt",
    "__proto__",
    "constructor",
    "toJSON",
    "length",
    "then",
    "0",
    "-1",
    "updated_at",
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let label_studio = fixture::label_studio()
            .into_iter()
            .filter(fixture::Recorded::is_event);
        let label_studio = label_studio.map(|recorded| (false, recorded.body));
        let labelbox = fixture::labelbox()
            .into_iter()
            .map(|sample| (true, sample.body));
        let files =
            ["edge", "json"].map(|folder| fixture::files(&fixture::folder().join(folder), "json"));
        let odd = files
            .concat()
            .into_iter()
            .map(|path| (false, std::fs::read(path).unwrap()));
        // Mutants of the small ones come by the million.
        let recorded = label_studio.chain(labelbox).chain(odd);
        let recorded = recorded
            .filter(|(_, body)| !body.is_empty() && body.len() < 4000)
            .collect();
        Self {
            random: Random::new(seed),
            recorded,
        }
    }

    pub(crate) fn delivery(&mut self) -> Delivery {
        let (labelbox, mut body) = self.body();
        if body.is_empty() {
            body.push(b'0'); // an empty body is no event
        }
        let random = &mut self.random;
        Delivery {
            labelbox: labelbox.then(|| pick(random, EVENTS)),
            traceparent: (random.below(4) == 0).then(|| pick(random, TRACES)),
            piece: [7, 64, 1000, 1 << 20][index(random, 4)],
            body,
        }
    }

    fn body(&mut self) -> (bool, Vec<u8>) {
        let tame = self.random.below(5) > 1;
        match self.random.below(10) {
            0..=3 => (self.random.below(2) == 0, self.value(tame).into_bytes()),
            4..=6 => (false, self.label_studio(tame).into_bytes()),
            7 | 8 => self.mutant(tame),
            _ => (false, self.oddity(tame)),
        }
    }

    /// An array or an object.
    fn value(&mut self, tame: bool) -> String {
        let mut out = String::new();
        if self.random.below(2) == 0 {
            self.array(&mut out, 4, tame);
        } else {
            self.object(&mut out, 4, tame);
        }
        out
    }

    fn any(&mut self, out: &mut String, depth: u64, tame: bool) {
        match self.random.below(if depth == 0 { 6 } else { 9 }) {
            0 | 1 => out.push_str(&number(&mut self.random, tame)),
            2..=4 => self.quoted(out, tame),
            5 => out.push_str(pick(&mut self.random, &["null", "true", "false"])),
            6 => self.array(out, depth - 1, tame),
            _ => self.object(out, depth - 1, tame),
        }
    }

    fn quoted(&mut self, out: &mut String, tame: bool) {
        out.push('"');
        out.push_str(&string(&mut self.random, tame));
        out.push('"');
    }

    fn space(&mut self, out: &mut String) {
        match self.random.below(12) {
            0 => out.push(' '),
            1 => out.push_str(pick(&mut self.random, &["\n", "\r\n", "\t", "  ", "\r"])),
            _ => {}
        }
    }

    fn array(&mut self, out: &mut String, depth: u64, tame: bool) {
        out.push('[');
        for place in 0..self.random.below(4) {
            out.push_str(if place > 0 { "," } else { "" });
            self.space(out);
            self.any(out, depth, tame);
        }
        out.push(']');
    }

    fn object(&mut self, out: &mut String, depth: u64, tame: bool) {
        out.push('{');
        for place in 0..self.random.below(5) {
            out.push_str(if place > 0 { "," } else { "" });
            self.space(out);
            if self.random.below(2) == 0 {
                self.quoted(out, tame);
            } else {
                let _ = write!(out, "\"{}\"", pick(&mut self.random, KEYS));
            }
            self.space(out);
            out.push(':');
            self.any(out, depth, tame);
        }
        out.push('}');
    }

    /// A body that Label Studio could send, with something odd in each member.
    fn label_studio(&mut self, tame: bool) -> String {
        let mut out = format!("{{\"action\":\"{}\"", pick(&mut self.random, ACTIONS));
        for key in [
            "annotation",
            "task",
            "project",
            "label_link",
            "annotations",
            "review",
        ] {
            if self.random.below(2) == 0 {
                continue;
            }
            let _ = write!(out, ",\"{key}\":");
            if key == "annotations" {
                out.push('[');
            }
            out.push_str("{\"id\":");
            self.id(&mut out, tame);
            for time_key in ["created_at", "updated_at"] {
                if self.random.below(3) > 0 {
                    let _ = write!(out, ",\"{time_key}\":\"{}\"", time(&mut self.random));
                }
            }
            out.push_str(",\"project\":");
            self.id(&mut out, tame);
            out.push_str(",\"result\":");
            self.any(&mut out, 2, tame);
            out.push_str(if key == "annotations" { "}]" } else { "}" });
        }
        out.push('}');
        out
    }

    fn id(&mut self, out: &mut String, tame: bool) {
        match self.random.below(4) {
            0 => out.push_str(&number(&mut self.random, tame)),
            1 => self.any(out, 1, tame),
            _ => out.push_str(&(1 + self.random.below(5000)).to_string()),
        }
    }

    /// A recorded body with a time, a string or a number in it replaced, or a byte changed.
    fn mutant(&mut self, tame: bool) -> (bool, Vec<u8>) {
        let place = index(&mut self.random, self.recorded.len());
        let (labelbox, body) = self.recorded[place].clone();
        let (from, to, new) = match self.random.below(5) {
            0 => {
                let at = index(&mut self.random, body.len());
                let byte = u8::try_from(self.random.below(256)).unwrap();
                (at, at + 1, vec![byte; index(&mut self.random, 3)])
            }
            what => {
                let is_wanted = |part: &&(usize, usize)| {
                    let text = &body[part.0..part.1];
                    what > 2 || (text.contains(&b'T') && text.contains(&b':'))
                };
                let parts = strings(&body);
                let wanted: Vec<_> = parts.iter().filter(is_wanted).collect();
                let Some(&&(from, to)) = wanted.get(index(&mut self.random, wanted.len().max(1)))
                else {
                    return (labelbox, body);
                };
                let new = if what > 2 {
                    string(&mut self.random, tame)
                } else {
                    time(&mut self.random)
                };
                (from, to, new.into_bytes())
            }
        };
        (labelbox, [&body[..from], &new, &body[to..]].concat())
    }

    /// A body that nobody sends.
    fn oddity(&mut self, tame: bool) -> Vec<u8> {
        let random = &mut self.random;
        let depth = [
            100, 124, 125, 126, 128, 200, 249, 250, 251, 252, 256, 500, 1100,
        ][index(random, 13)];
        let (open, close) = if random.below(2) == 0 {
            ("[", "]")
        } else {
            ("{\"a\":", "}")
        };
        match random.below(8) {
            0 | 1 => format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes(),
            2 => (0..=random.below(60))
                .map(|_| u8::try_from(random.below(256)).unwrap())
                .collect(),
            3 => number(random, tame).into_bytes(),
            4 => {
                let mut out = String::new();
                self.any(&mut out, 0, tame);
                out.into_bytes()
            }
            5 => {
                let body = self.value(tame).into_bytes();
                body[..=index(&mut self.random, body.len())].to_vec()
            }
            6 => {
                let around = ["\u{feff}", " ", "\n", "\u{2028}", "\u{85}", "\u{c}", "\r\n"];
                let around = pick(&mut self.random, &around);
                let value = self.value(tame);
                if self.random.below(2) == 0 {
                    format!("{around}{value}")
                } else {
                    format!("{value}{around}")
                }
                .into_bytes()
            }
            _ => [self.value(tame), self.value(tame)].concat().into_bytes(),
        }
    }
}

/// Positions of strings between their quotes.
fn strings(body: &[u8]) -> Vec<(usize, usize)> {
    let mut quotes =
        (0..body.len()).filter(|&at| body[at] == b'"' && (at == 0 || body[at - 1] != b'\\'));
    let mut found = Vec::new();
    while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
        found.push((open + 1, close));
    }
    found
}
