//! Finds the end of a request in the bytes of an HTTP/1 connection. The server reads ahead and cannot be asked how
//! much of the next request it holds already, so the bytes are followed on their way to it.

/// Follows the bytes of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boundary {
    /// Before the blank line that ends a head.
    Head {
        /// `true` if a part of it has come.
        begun: bool,
        /// `true` if nothing but a carriage return has come since the last line feed.
        line_is_empty: bool,
    },
    /// Behind that line: so many bytes have come since.
    Behind(u64),
    /// Lost count: a body of unknown length, or bytes of a next request that were not looked at.
    Unknown,
}

impl Boundary {
    pub(super) const START: Self = Self::Head {
        begun: false,
        line_is_empty: true,
    };

    /// Follows the bytes that came next.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Unknown => {}
            Self::Behind(count) => *count += bytes.len() as u64,
            Self::Head {
                begun,
                line_is_empty,
            } => {
                for (index, byte) in bytes.iter().enumerate() {
                    match byte {
                        // Line breaks before a request belong to none.
                        b'\n' if *line_is_empty && *begun => {
                            *self = Self::Behind((bytes.len() - index - 1) as u64);
                            return;
                        }
                        b'\n' => *line_is_empty = true,
                        b'\r' => {}
                        _ => (*begun, *line_is_empty) = (true, false),
                    }
                }
            }
        }
    }

    /// Tells whether a request has begun to come, but not all of its head.
    pub(super) fn is_in_head(&self) -> bool {
        matches!(self, Self::Head { begun: true, .. })
    }

    /// The request whose head ended last was answered. Its body has this length, if that is known. Whether
    /// it is certain that nothing has come of another one.
    pub(super) fn answered(&mut self, length: Option<u64>) -> bool {
        let alone =
            matches!((&*self, length), (Self::Behind(count), Some(length)) if *count <= length);
        let whole =
            matches!((&*self, length), (Self::Behind(count), Some(length)) if *count == length);
        *self = if whole { Self::START } else { Self::Unknown };
        alone
    }

    /// The server has used up what it had, and asks for more, while no request is under way.
    pub(super) fn used_up(&mut self) {
        if matches!(self, Self::Unknown | Self::Behind(_)) {
            *self = Self::START;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pieces: &[&[u8]]) -> Boundary {
        let mut boundary = Boundary::START;
        for piece in pieces {
            boundary.feed(piece);
        }
        boundary
    }

    #[test]
    fn a_head_ends_with_its_blank_line_wherever_it_is_cut() {
        let whole = b"\r\n\nPOST / HTTP/1.1\r\nA: b\r\n\r\nbody";
        for cut in 0..=whole.len() {
            let (first, second) = whole.split_at(cut);
            assert_eq!(after(&[first, second]), Boundary::Behind(4), "{cut}");
        }
        assert_eq!(after(&[b"GET / HTTP/1.1\n\n"]), Boundary::Behind(0));
        assert!(after(&[b"GET / HTTP/1.1\r\n\r"]).is_in_head());
        assert!(!after(&[b"\r\n\r\n\r\n"]).is_in_head());
    }

    #[test]
    fn bytes_after_a_body_are_another_request() {
        let head: &[u8] = b"POST / HTTP/1.1\r\n\r\n";
        for (more, length, alone) in [
            (&b"body"[..], Some(4), true),
            // Answered before all of it has come.
            (b"bo", Some(4), true),
            (b"bodyG", Some(4), false),
            (b"4\r\nbody\r\n0\r\n\r\n", None, false),
        ] {
            let mut boundary = after(&[head, more]);
            assert_eq!(boundary.answered(length), alone, "{more:?}");
        }
        let mut next = after(&[head]);
        assert!(next.answered(Some(0)));
        next.feed(b"GE");
        assert!(next.is_in_head());
        let mut lost = after(&[head, b"GET"]);
        assert!(!lost.answered(Some(0)));
        lost.feed(b" / HTTP/1.1\r\n\r\n");
        assert!(!lost.answered(Some(0)), "it could be part of the next one");
        lost.used_up();
        assert_eq!(lost, Boundary::START);
    }
}
