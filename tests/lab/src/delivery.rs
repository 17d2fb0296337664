//! Makes one delivery from a plan and a number: its body, its credential, its way. A pure function, so that the
//! oracle can make every body again.

mod body;
mod labelling;

use crate::fault::{Fault, Faults};
use crate::plan::Plan;
use crate::random_json;
use crate::sources::{Source, foreign, secret};
use labelrelay_tests::random::Random;
use labelrelay_tests::sender;

pub(crate) use labelling::{PROJECT, Told, annotations_of};

/// Age up to which a delivery is sent again.
const BACK: u64 = 200;

/// One delivery.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) number: u32,
    pub(crate) source: Source,
    pub(crate) body: Vec<u8>,
    pub(crate) credential: Credential,
    pub(crate) way: Way,
    /// `true` if it was sent before, under another number.
    pub(crate) is_again: bool,
    /// Has bytes that were sent before, and is another event all the same.
    pub(crate) is_twin: bool,
    /// Nothing in the body tells this event from another with the same bytes: only the delivery does.
    has_no_version: bool,
    /// What it tells, where more is derived from that.
    pub(crate) told: Option<Told>,
    id: String,
    topic: &'static str,
    below: &'static str,
}

/// Credential that it shows to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The secret of this rotation.
    Of(u32),
    /// Secret of an earlier rotation, which must no longer be accepted.
    Retired(u32),
    /// Something that never was right.
    Forged(Forgery),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forgery {
    /// Somebody else's secret.
    Foreign,
    /// The right signature of another body; a secret with one character changed.
    Changed,
    /// Nothing.
    Missing,
    /// The right one, and an empty body.
    Empty,
}

/// Framing on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Whole, on a connection that is kept.
    Whole,
    /// In pieces, with pauses, perhaps without saying how long it is.
    Pieces { chunked: bool },
    /// The connection is closed after the last byte.
    HangUp,
    /// The connection is reset after so many thousandths of the body.
    Cut { thousandths: u64 },
    /// So many copies, whose last bytes are sent together.
    Copies(u32),
}

impl Delivery {
    pub(crate) fn of(plan: &Plan, number: u32) -> Self {
        if number >= plan.deliveries {
            return Self::afterwards(plan, number);
        }
        let mut random = draw(plan, number);
        let again = match random.below(10) {
            0 if number > 0 => earlier_delivery(plan, number, &mut random),
            _ => None,
        };
        let (mut delivery, is_again) = match again {
            Some(earlier) => (earlier, true),
            None => (Self::fresh(plan, number, &mut random), false),
        };
        if is_again && random.below(2) == 0 {
            // Another webhook reports the same; or, where nothing tells that from another change, that.
            delivery.id = format!("{:016x}", random.below(u64::MAX));
            delivery.is_twin = delivery.has_no_version;
        }
        if is_again && delivery.source != Source::Labelbox {
            delivery.is_twin = delivery.has_no_version;
        }
        delivery.number = number;
        delivery.is_again = is_again;
        delivery.credential = credential(plan, number, &mut random);
        delivery.way = way(&mut random);
        if delivery.credential == Credential::Forged(Forgery::Empty) {
            delivery.body.clear();
        }
        if matches!(delivery.credential, Credential::Forged(_)) {
            // Never the bytes of a delivery that is let in: what a forgery leaves shall be told from it.
            delivery.body.extend_from_slice(b" ");
            let tag = format!("\"forged {:x} {number:x}\"", plan.seed);
            delivery.body.extend_from_slice(tag.as_bytes());
            if delivery.credential == Credential::Forged(Forgery::Empty) {
                delivery.body.clear();
            }
            delivery.is_again = false;
            delivery.is_twin = false;
            delivery.has_no_version = false;
            delivery.told = None;
        }
        if delivery.body.len() < 2 && delivery.way != Way::Whole {
            delivery.way = Way::Whole;
        }
        delivery
    }

    /// A new delivery, before it is decided whether an earlier one is sent again instead.
    fn fresh(plan: &Plan, number: u32, random: &mut Random) -> Self {
        let source = Source::ALL[usize::try_from(random.below(3)).unwrap()];
        let body::Made {
            body,
            topic,
            below,
            has_no_version,
            told,
        } = body::make(plan, number, source, random);
        Self {
            number,
            source,
            body,
            credential: Credential::Of(0),
            way: Way::Whole,
            is_again: false,
            is_twin: false,
            has_no_version,
            told,
            id: format!("{:x}-{number:x}", plan.seed),
            topic,
            below,
        }
    }

    /// One that nobody can refuse, sent when all faults are over. Nobody sent its body before: after a jump
    /// of the clock it need not be recognised.
    fn afterwards(plan: &Plan, number: u32) -> Self {
        let mut random = draw(plan, number);
        let delivery = Self::fresh(plan, number, &mut random);
        let body = random_json::object(&mut random, &format!("{:x}x{number:x}", plan.seed));
        Self {
            body: body.into_bytes(),
            credential: Credential::Of(plan.generation(number)),
            has_no_version: false,
            told: None,
            ..delivery
        }
    }

    /// Faults of its own, beside those of the time.
    pub(crate) fn faults(&self) -> Faults {
        let mut faults = match self.way {
            Way::Whole => Faults::default(),
            Way::Pieces { .. } => Faults::of(Fault::InPieces),
            Way::HangUp => Faults::of(Fault::HungUp),
            Way::Cut { .. } => Faults::of(Fault::CutOff),
            Way::Copies(_) => Faults::of(Fault::AtOnce),
        };
        if self.is_again {
            faults = faults.and(Faults::of(Fault::Again));
        }
        if self.is_twin {
            faults = faults.and(Faults::of(Fault::Twin));
        }
        if !matches!(self.credential, Credential::Of(_)) {
            faults = faults.and(Faults::of(Fault::Forged));
        }
        faults
    }

    /// Which event with this body the copy is, where only its delivery says so: of Labelbox by the delivery's id; of a
    /// platform without such ids every copy is one.
    pub(crate) fn event(&self, copy: usize) -> Option<String> {
        self.has_no_version.then(|| match self.source {
            Source::Labelbox => self.id.clone(),
            Source::LabelStudio | Source::Token => format!("{}, copy {copy}", self.number),
        })
    }

    /// Head and body, as they go over the connection.
    pub(crate) fn request(&self, plan: &Plan) -> (Vec<u8>, Vec<u8>) {
        let chunked = self.way == Way::Pieces { chunked: true };
        let mut head = format!(
            "POST /{}{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
            self.source.name(),
            self.below
        );
        if self.source == Source::Labelbox {
            let (id, topic) = (&self.id, self.topic);
            let lines = format!(
                "X-Labelbox-Id: {id}
X-Labelbox-Event: {topic}
"
            );
            head.push_str(&lines);
        }
        head.push_str(&self.credential_line(plan));
        let body = if chunked {
            head.push_str("Transfer-Encoding: chunked\r\n\r\n");
            chunks(&self.body)
        } else {
            let line = format!("Content-Length: {}\r\n\r\n", self.body.len());
            head.push_str(&line);
            self.body.clone()
        };
        (head.into_bytes(), body)
    }

    fn credential_line(&self, plan: &Plan) -> String {
        let (secret, forgery) = match self.credential {
            Credential::Of(generation) | Credential::Retired(generation) => {
                (secret(plan.seed, self.source, generation), None)
            }
            Credential::Forged(Forgery::Foreign) => (foreign(plan.seed), None),
            Credential::Forged(forgery) => {
                let generation = plan.generation(self.number);
                (secret(plan.seed, self.source, generation), Some(forgery))
            }
        };
        if forgery == Some(Forgery::Missing) {
            return String::new();
        }
        let changed = forgery == Some(Forgery::Changed);
        match self.source {
            Source::Labelbox if changed => {
                let mut other = self.body.clone();
                let at = other.len() / 2;
                other[at] ^= 1;
                format!(
                    "X-Hub-Signature: {}\r\n",
                    sender::signature(&secret, &other)
                )
            }
            Source::Labelbox => {
                format!(
                    "X-Hub-Signature: {}\r\n",
                    sender::signature(&secret, &self.body)
                )
            }
            Source::LabelStudio if changed => format!("Authorization: Bearer {secret}0\r\n"),
            Source::LabelStudio if self.number.is_multiple_of(2) => {
                format!("Authorization: Bearer {secret}\r\n")
            }
            Source::LabelStudio => {
                format!(
                    "Authorization: {}\r\n",
                    sender::basic("label-studio", &secret)
                )
            }
            Source::Token if changed => format!("X-Webhook-Token: {}\r\n", &secret[1..]),
            Source::Token => format!("X-Webhook-Token: {secret}\r\n"),
        }
    }
}

fn draw(plan: &Plan, number: u32) -> Random {
    // Far apart, so that the sequences of neighbours have nothing in common.
    let mut seed = Random::new(plan.seed ^ (u64::from(number) << 32));
    Random::new(seed.below(u64::MAX))
}

/// An earlier delivery once more, unless that was a repeat itself.
fn earlier_delivery(plan: &Plan, number: u32, random: &mut Random) -> Option<Delivery> {
    let back = 1 + random.below(BACK.min(u64::from(number)));
    let earlier = number - u32::try_from(back).unwrap();
    let mut drawn = draw(plan, earlier);
    if drawn.below(10) == 0 && earlier > 0 {
        return None;
    }
    Some(Delivery::fresh(plan, earlier, &mut drawn))
}

fn credential(plan: &Plan, number: u32, random: &mut Random) -> Credential {
    let generation = plan.generation(number);
    match random.below(1000) {
        0..10 => Credential::Forged(Forgery::Foreign),
        10..20 => Credential::Forged(Forgery::Changed),
        20..25 => Credential::Forged(Forgery::Missing),
        25..28 => Credential::Forged(Forgery::Empty),
        28..40 if generation >= 2 => Credential::Retired(generation - 2),
        40..100 if generation >= 1 => Credential::Of(generation - 1),
        _ => Credential::Of(generation),
    }
}

fn way(random: &mut Random) -> Way {
    match random.below(1000) {
        0..8 => Way::Cut {
            thousandths: random.below(1000),
        },
        8..16 => Way::HangUp,
        16..20 => Way::Pieces { chunked: false },
        20..26 => Way::Pieces { chunked: true },
        26..31 => Way::Copies(2 + u32::try_from(random.below(15)).unwrap()),
        _ => Way::Whole,
    }
}

/// The body in chunks of some sizes.
fn chunks(body: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(body.len() + 64);
    let size = body.len().div_ceil(5).max(1);
    for chunk in body.chunks(size) {
        encoded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        encoded.extend_from_slice(chunk);
        encoded.extend_from_slice(b"\r\n");
    }
    encoded.extend_from_slice(b"0\r\n\r\n");
    encoded
}

#[cfg(test)]
mod tests;
