//! The push parser: a state machine that walks over whole tokens as long as they lie in one piece,
//! and remembers where it stood when they do not.

use crate::check::Check;
use crate::number::{self, Part};
use crate::stack::Stack;
use crate::string;
use crate::utf8::Utf8;
use crate::visitor::{Container, Interest, Scalar, Visitor};
use crate::walk::{Inside, Walk};

/// Bytes that are checked for UTF-8 and then scanned while they are still in the first-level cache.
const BLOCK_BYTES: usize = 16 * 1024;

/// Next thing expected, between tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A value.
    Value,
    /// After `[`: a value or `]`.
    FirstValue,
    /// After `{`: a key or `}`.
    FirstKey,
    /// A key.
    Key,
    /// The colon after a key.
    Colon,
    /// After a member: a comma or the container's end.
    After,
    /// After the document: whitespace only.
    Done,
}

/// Position in the document when a piece ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Before the document.
    Start,
    /// Between tokens.
    Between(Step),
    /// In a key.
    Key(Inside),
    /// In a string.
    String(Inside),
    /// In a number.
    Number(Part),
    /// In `true`, `false` or `null`, of which this is missing.
    Literal(&'static [u8], Scalar<'static>),
}

/// Checks a body that arrives in pieces, and tells a visitor of its members on the way.
///
/// ```
/// use labelrelay_json::{Container, Interest, Scalar, Scanner, Text, Visitor};
///
/// /// Keeps the member `action` of the outermost object.
/// #[derive(Default)]
/// struct Action {
///     is_next: bool,
///     action: String,
/// }
///
/// impl Visitor for Action {
///     fn key(&mut self, _depth: u32, key: Text<'_>) {
///         self.is_next = *key.name() == *b"action";
///     }
///     fn scalar(&mut self, _depth: u32, scalar: Scalar<'_>) {
///         if let (true, Scalar::String(text)) = (self.is_next, scalar) {
///             self.action = text.decode().unwrap_or_default().into_owned();
///         }
///     }
///     fn open(&mut self, depth: u32, _container: Container) -> Interest {
///         // The members of the document, and of nothing in it.
///         if depth == 0 { Interest::Watch } else { Interest::Skip }
///     }
///     fn close(&mut self, _depth: u32) {}
/// }
///
/// let mut scanner = Scanner::new(Action::default());
/// scanner.update(br#"{"task": {"action": "no"}, "acti"#);
/// scanner.update(br#"on": "TASK_CREATED"}"#);
/// let (check, visitor) = scanner.finish();
/// assert!(check.is_json);
/// assert_eq!(visitor.action, "TASK_CREATED");
/// ```
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
#[derive(Debug)]
pub struct Scanner<V> {
    pub(crate) visitor: V,
    pub(crate) state: State,
    pub(crate) stack: Stack,
    utf8: Utf8,
    pub(crate) failed: bool,
    /// Depth of the container that the visitor does not want to hear of, while in it.
    skipping: Option<u32>,
    /// Part of the cut key, string or number that earlier pieces brought.
    pub(crate) held: Vec<u8>,
    pub(crate) is_held: bool,
    deepest: u32,
    heaviest: u32,
    pub(crate) has_outer_whitespace: bool,
    has_line_breaks: bool,
    pub(crate) has_lone_surrogates: bool,
    has_immodest_numbers: bool,
    /// The number that is being walked over has an exponent.
    pub(crate) has_exponent: bool,
}

impl<V: Visitor> Scanner<V> {
    /// A scanner before its first byte.
    pub fn new(visitor: V) -> Self {
        Self {
            visitor,
            state: State::Start,
            stack: Stack::default(),
            utf8: Utf8::default(),
            failed: false,
            skipping: None,
            held: Vec::new(),
            is_held: false,
            deepest: 0,
            heaviest: 0,
            has_outer_whitespace: false,
            has_line_breaks: false,
            has_lone_surrogates: false,
            has_immodest_numbers: false,
            has_exponent: false,
        }
    }

    /// Takes the next bytes. After the first wrong one nothing more is looked at.
    pub fn update(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK_BYTES) {
            if self.failed || !self.utf8.update(block) {
                self.failed = true;
                return;
            }
            let mut at = 0;
            while at < block.len() && !self.failed {
                at = if self.skipping.is_some() {
                    self.run::<false>(block, at)
                } else {
                    self.run::<true>(block, at)
                };
            }
        }
    }

    /// Result of the whole body, and the visitor.
    pub fn finish(mut self) -> (Check, V) {
        if let (State::Number(part), 0) = (self.state, self.stack.depth())
            && part.may_end()
            && !self.failed
        {
            self.number::<true>(&[]);
            self.state = State::Between(Step::Done);
        }
        let check = Check {
            is_json: !self.failed
                && self.state == State::Between(Step::Done)
                && self.utf8.is_complete(),
            has_outer_whitespace: self.has_outer_whitespace,
            depth: self.deepest,
            weight: self.heaviest,
            has_noncharacters: self.utf8.has_noncharacters(),
            has_line_breaks: self.has_line_breaks,
            has_line_separators: self.utf8.has_line_separators(),
            has_lone_surrogates: self.has_lone_surrogates,
            has_immodest_numbers: self.has_immodest_numbers,
        };
        (check, self.visitor)
    }

    /// Walks on from `at` until the piece ends, something is wrong, or the visitor's interest
    /// changes; returns where that was. `WATCH` says whether the visitor listens.
    #[expect(
        clippy::too_many_lines,
        reason = "one loop without calls between its steps is what makes it fast"
    )]
    fn run<const WATCH: bool>(&mut self, bytes: &[u8], mut at: usize) -> usize {
        let mut step = match self.state {
            State::Between(step) => step,
            _ => match self.resume::<WATCH>(bytes, &mut at) {
                Some(step) => step,
                None => return bytes.len(),
            },
        };
        // The steps of an object's member follow each other, so that most of these tests are foregone
        // conclusions, and no table of jumps has to be guessed.
        loop {
            if step == Step::Key {
                at = self.skip_whitespace(bytes, at);
                match bytes.get(at) {
                    Some(b'"') => at += 1,
                    Some(_) => return self.fail(bytes),
                    None => break,
                }
                match string::walk(bytes, at, Inside::Plain, &mut self.has_lone_surrogates) {
                    Walk::Over(next) => {
                        if WATCH {
                            self.key(bytes.get(at..next - 1).unwrap_or_default());
                        }
                        at = next;
                        step = Step::Colon;
                    }
                    Walk::Cut(inside) => return self.cut::<WATCH>(bytes, at, State::Key(inside)),
                    Walk::Wrong => return self.fail(bytes),
                }
            }
            if step == Step::Colon {
                at = self.skip_whitespace(bytes, at);
                match bytes.get(at) {
                    Some(b':') => at += 1,
                    Some(_) => return self.fail(bytes),
                    None => break,
                }
                step = Step::Value;
            }
            if step == Step::Value {
                at = self.skip_whitespace(bytes, at);
                let Some(&byte) = bytes.get(at) else { break };
                match byte {
                    b'"' => match string::walk(
                        bytes,
                        at + 1,
                        Inside::Plain,
                        &mut self.has_lone_surrogates,
                    ) {
                        Walk::Over(next) => {
                            if WATCH {
                                self.string(bytes.get(at + 1..next - 1).unwrap_or_default());
                            }
                            at = next;
                            step = self.after::<WATCH>();
                        }
                        Walk::Cut(inside) => {
                            return self.cut::<WATCH>(bytes, at + 1, State::String(inside));
                        }
                        Walk::Wrong => return self.fail(bytes),
                    },
                    b'-' | b'0'..=b'9' => {
                        match number::begin(bytes, at, byte, &mut self.has_exponent) {
                            Walk::Over(next) => {
                                self.number::<WATCH>(bytes.get(at..next).unwrap_or_default());
                                at = next;
                                step = self.after::<WATCH>();
                            }
                            Walk::Cut(part) => {
                                return self.cut::<WATCH>(bytes, at, State::Number(part));
                            }
                            Walk::Wrong => return self.fail(bytes),
                        }
                    }
                    b'{' | b'[' => {
                        at += 1;
                        let is_object = byte == b'{';
                        let depth = self.stack.depth();
                        if !self.stack.push(is_object) {
                            return self.fail(bytes);
                        }
                        self.deepest = self.deepest.max(depth + 1);
                        self.heaviest = self.heaviest.max(self.stack.weight());
                        step = if is_object {
                            Step::FirstKey
                        } else {
                            Step::FirstValue
                        };
                        if WATCH && self.open(depth, is_object) == Interest::Skip {
                            self.skipping = Some(depth);
                            break;
                        }
                    }
                    _ => {
                        self.state = match byte {
                            b't' => State::Literal(b"true", Scalar::Bool(true)),
                            b'f' => State::Literal(b"false", Scalar::Bool(false)),
                            b'n' => State::Literal(b"null", Scalar::Null),
                            _ => return self.fail(bytes),
                        };
                        match self.resume::<WATCH>(bytes, &mut at) {
                            Some(next) => step = next,
                            None => return bytes.len(),
                        }
                    }
                }
            }
            if step == Step::After {
                at = self.skip_whitespace(bytes, at);
                let Some(&byte) = bytes.get(at) else { break };
                at += 1;
                match (byte, self.stack.in_object()) {
                    (b',', true) => step = Step::Key,
                    (b',', false) => step = Step::Value,
                    (b'}', true) | (b']', false) => {
                        step = self.close::<WATCH>();
                        if !WATCH && self.skipping.is_none() {
                            break;
                        }
                    }
                    _ => return self.fail(bytes),
                }
            }
            if matches!(step, Step::FirstKey | Step::FirstValue) {
                at = self.skip_whitespace(bytes, at);
                let (end, otherwise) = if step == Step::FirstKey {
                    (b'}', Step::Key)
                } else {
                    (b']', Step::Value)
                };
                match bytes.get(at) {
                    Some(&byte) if byte == end => {
                        at += 1;
                        step = self.close::<WATCH>();
                        if !WATCH && self.skipping.is_none() {
                            break;
                        }
                    }
                    Some(_) => step = otherwise,
                    None => break,
                }
            }
            if step == Step::Done {
                let next = self.skip_whitespace(bytes, at);
                self.has_outer_whitespace |= next > at;
                if next < bytes.len() {
                    return self.fail(bytes);
                }
                at = next;
                break;
            }
        }
        self.state = State::Between(step);
        at
    }

    /// A whole number was walked over. Most are short and have no exponent: those are modest.
    #[inline]
    pub(crate) fn weigh(&mut self, written: &[u8]) {
        if self.has_exponent || written.len() > number::MODEST_BYTES {
            self.has_immodest_numbers |= !number::is_modest(written);
            self.has_exponent = false;
        }
    }

    #[cold]
    pub(crate) fn fail(&mut self, bytes: &[u8]) -> usize {
        self.failed = true;
        bytes.len()
    }

    #[inline]
    pub(crate) fn skip_whitespace(&mut self, bytes: &[u8], mut at: usize) -> usize {
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' => {}
                b'\n' | b'\r' => self.has_line_breaks = true,
                _ => break,
            }
            at += 1;
        }
        at
    }

    /// Step after a member. While skipping, the container that is skipped is still open.
    #[inline]
    pub(crate) fn after<const WATCH: bool>(&self) -> Step {
        if WATCH && self.stack.depth() == 0 {
            Step::Done
        } else {
            Step::After
        }
    }

    #[inline]
    fn close<const WATCH: bool>(&mut self) -> Step {
        self.stack.pop();
        let depth = self.stack.depth();
        if WATCH {
            self.visitor.close(depth);
        } else if self.skipping == Some(depth) {
            self.skipping = None;
        }
        if depth == 0 { Step::Done } else { Step::After }
    }

    fn open(&mut self, depth: u32, is_object: bool) -> Interest {
        self.visitor.open(
            depth,
            if is_object {
                Container::Object
            } else {
                Container::Array
            },
        )
    }
}
