//! One annotation as pictures, spans, lines of time and words.

use super::answers::{answers, cut, relations};
use super::budget::Budget;
use super::compare::states;
use super::drafts::{Drafts, MAX_PICTURES};
use super::forms::{form_of, image_of, kind_of, points_of};
use super::mask;
use super::texts::TaskTexts;
use super::timeline;
use super::view::{
    Axis, AxisUnit, Drawing, Form, Named, Shape as Drawn, Span, State, Tag, TimeSpan, Unit,
};
use labelrelay_event::changes::{
    Annotation, Image, Mask, Other, Region, Shape, Span as Marked, TimeSpan as Timed, TimeUnit,
    Track,
};

/// Key frames of one track, and ranges of one time line.
const MAX_MARKS: usize = 1_000;

/// Labels of one region.
const MAX_LABELS: usize = 20;

struct Scene<'b> {
    drafts: Drafts,
    axes: Vec<Axis>,
    spans: Vec<Span>,
    named: Vec<Named>,
    budget: &'b mut Budget,
}

/// Draws `now` over `before`. The sender's `body` holds the texts that spans are marked in.
pub(super) fn draw(
    now: &Annotation<'_>,
    before: Option<&Annotation<'_>>,
    body: Option<&[u8]>,
    budget: &mut Budget,
) -> Drawing {
    let regions_before = before.map(|before| before.regions.as_slice());
    let scene = scene(states(&now.regions, regions_before), budget);
    let mut drawing = scene.finish();
    drawing.compared = before.is_some();
    drawing.facts = facts(now);
    if let Some(body) = body.filter(|_| !drawing.spans.is_empty()) {
        drawing.texts = TaskTexts::of(body).marked(&drawing.spans);
    }
    drawing.answers = answers(now, before, budget);
    drawing.relations = relations(now, budget);
    drawing
}

/// Draws what is gone, as it was.
pub(super) fn draw_gone(before: &Annotation<'_>, budget: &mut Budget) -> Drawing {
    let mut drawing = scene(states(&[], Some(before.regions.as_slice())), budget).finish();
    drawing.compared = true;
    drawing.facts = facts(before);
    drawing
}

fn scene<'b>(states: Vec<(State, &Region<'_>)>, budget: &'b mut Budget) -> Scene<'b> {
    let mut scene = Scene {
        drafts: Drafts::default(),
        axes: Vec::new(),
        spans: Vec::new(),
        named: Vec::new(),
        budget,
    };
    for (state, region) in states {
        if scene.budget.take(points_of(&region.shape)) {
            scene.place(tag(region, state), region);
        }
    }
    scene
}

fn tag(region: &Region<'_>, state: State) -> Tag {
    let labels = region.labels.iter().take(MAX_LABELS);
    Tag {
        id: region.id.as_deref().map(cut),
        name: region.name.as_deref().map(cut),
        labels: labels.map(|label| cut(label)).collect(),
        state,
    }
}

impl Scene<'_> {
    fn place(&mut self, tag: Tag, region: &Region<'_>) {
        match &region.shape {
            Shape::Mask(mask) => self.mask(tag, mask),
            Shape::Span(span) => self.span(tag, span),
            Shape::TimeSpan(time) => self.time(tag, time),
            Shape::Track(track) => self.track(tag, track),
            Shape::Other(Other { kind, .. }) => {
                let kind = kind.as_deref().unwrap_or("region");
                match timeline::ranges(kind, region) {
                    Some(ranges) => self.ranges(tag, ranges),
                    None => self.name(
                        tag,
                        format!("A {}: nobody knows how to draw it.", cut(kind)),
                    ),
                }
            }
            shape => self.form(tag, shape),
        }
    }

    fn form(&mut self, tag: Tag, shape: &Shape<'_>) {
        if let Some((form, unit)) = form_of(shape)
            && let Some(image) = image_of(shape)
        {
            return self.put(tag, image, unit, form);
        }
        let kind = kind_of(shape);
        let words =
            format!("A {kind} whose coordinates cannot be drawn: they are missing or far outside.");
        self.name(tag, words);
    }

    fn name(&mut self, tag: Tag, words: String) {
        self.named.push(Named { tag, words });
    }

    fn put(&mut self, tag: Tag, image: Image, unit: Unit, form: Form) {
        if let Some(shape) = self.drafts.put(image, unit, Drawn { tag, form }) {
            let words = format!("It is on another image than the first {MAX_PICTURES}.");
            self.name(shape.tag, words);
        }
    }

    fn mask(&mut self, tag: Tag, mask: &Mask<'_>) {
        if let Some(url) = mask.url.as_deref().filter(|_| mask.rle.is_none()) {
            let words = if url.starts_with("data:") {
                let bytes = url.len();
                format!("A mask as an image of its own, in {bytes} characters: it is not drawn.")
            } else {
                let url = cut(&without_secrets(url));
                format!("A mask that the platform keeps at {url}: nothing here fetches it.")
            };
            return self.name(tag, words);
        }
        match mask::runs(mask, self.budget) {
            Ok(found) => {
                if !found.are_all {
                    let words = "A mask that is drawn in part: it has too many runs.".to_owned();
                    self.name(tag.clone(), words);
                }
                let form = Form::Mask { runs: found.runs };
                self.put(tag, mask.image, Unit::Px, form);
            }
            Err(why) => self.name(tag, format!("A mask that is not drawn: {why}.")),
        }
    }

    fn span(&mut self, tag: Tag, span: &Marked<'_>) {
        self.spans.push(Span {
            tag,
            start: span.start,
            end: span.end,
            text: span.text.as_deref().map(cut),
            verified: span.verified,
            paragraph: span.paragraph,
        });
    }

    fn time(&mut self, tag: Tag, time: &Timed) {
        let unit = match time.unit {
            Some(TimeUnit::Seconds) => AxisUnit::Seconds,
            _ => AxisUnit::Own,
        };
        let (start, end) = (time.start, time.end);
        if !start.is_finite() || !end.is_finite() {
            let words = "A time span without times that can be drawn.".to_owned();
            return self.name(tag, words);
        }
        let span = TimeSpan {
            tag,
            start: start.min(end),
            end: start.max(end),
            channel: time.channel,
            marks: Vec::new(),
            parts: Vec::new(),
        };
        self.on_axis(unit, span);
    }

    fn track(&mut self, tag: Tag, track: &Track<'_>) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "numbers of frames are below 2^53"
        )]
        let numbers = track
            .frames
            .iter()
            .filter_map(|frame| frame.number.map(|number| number as f64));
        let (first, last) = numbers.clone().fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(first, last), number| (first.min(number), last.max(number)),
        );
        if first > last {
            let words = "A track without numbers of frames.".to_owned();
            return self.name(tag, words);
        }
        let frames = numbers.clone().count();
        let marked = self.budget.take_marks(frames.min(MAX_MARKS));
        if marked < frames {
            let words = format!("A track of {frames} key frames: {marked} of them are marked.");
            self.name(tag.clone(), words);
        }
        let span = TimeSpan {
            tag,
            start: first,
            end: last,
            channel: None,
            marks: numbers.take(marked).collect(),
            parts: Vec::new(),
        };
        self.on_axis(AxisUnit::Frames, span);
    }

    fn ranges(&mut self, tag: Tag, mut ranges: Vec<[f64; 2]>) {
        let all = ranges.len();
        let (start, end) = ranges.iter().fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(start, end), [from, to]| (start.min(*from), end.max(*to)),
        );
        ranges.truncate(self.budget.take_marks(all.min(MAX_MARKS)));
        if ranges.len() < all {
            let drawn = ranges.len();
            let words = format!("A time line of {all} ranges: {drawn} of them are drawn.");
            self.name(tag.clone(), words);
        }
        if ranges.is_empty() {
            return; // without parts, all of it would look marked
        }
        let span = TimeSpan {
            tag,
            start,
            end,
            channel: None,
            marks: Vec::new(),
            parts: ranges,
        };
        self.on_axis(AxisUnit::Frames, span);
    }

    fn on_axis(&mut self, unit: AxisUnit, span: TimeSpan) {
        if let Some(axis) = self.axes.iter_mut().find(|axis| axis.unit == unit) {
            axis.from = axis.from.min(span.start);
            axis.to = axis.to.max(span.end);
            axis.spans.push(span);
        } else {
            self.axes.push(Axis {
                unit,
                from: span.start,
                to: span.end,
                spans: vec![span],
            });
        }
    }

    fn finish(self) -> Drawing {
        Drawing {
            pictures: self.drafts.pictures(),
            spans: self.spans,
            axes: self.axes,
            named: self.named,
            ..Drawing::default()
        }
    }
}

fn facts(annotation: &Annotation<'_>) -> Vec<(&'static str, String)> {
    let yes = |said: Option<bool>| said.map(|said| if said { "yes" } else { "no" });
    let facts = [
        ("Task", annotation.task.as_deref()),
        ("Project", annotation.project.as_deref()),
        ("Author", annotation.author.as_deref()),
        ("Created", annotation.created.as_deref()),
        ("Updated", annotation.updated.as_deref()),
        ("Skipped", yes(annotation.skipped)),
        ("Ground truth", yes(annotation.ground_truth)),
        ("Workflow", annotation.workflow.as_deref()),
    ];
    let facts = facts.into_iter();
    let known = facts.filter_map(|(label, fact)| Some((label, cut(fact?))));
    known.collect()
}

/// An address without its query, which may be a signature, and without a name and a password before its host.
fn without_secrets(url: &str) -> String {
    let bare = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = bare.split_once("//") else {
        return bare.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}//{host}{path}")
}
