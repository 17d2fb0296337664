//! Reads what Rust's test programs write: which tests failed, with what each wrote.

/// Lines of a failed test that are kept, the last ones.
const LINES: usize = 60;

/// Reads one line after the other.
#[derive(Default)]
pub(super) struct Reader {
    /// Programs that said how many tests they have.
    begun: usize,
    /// Programs that said how these went.
    over: usize,
    /// Tests that were run to their end.
    ran: usize,
    names: Vec<String>,
    blocks: Vec<(String, Vec<String>)>,
    place: Place,
}

#[derive(Default, PartialEq)]
enum Place {
    #[default]
    Elsewhere,
    /// In what failed tests wrote.
    Blocks,
    /// In the list of their names.
    Names,
}

/// What the programs of a run said.
pub(super) struct Read {
    /// Failed tests, with the last lines of what each wrote.
    pub(super) failed: Vec<(String, Vec<String>)>,
    /// Tests that were run to their end, whichever.
    pub(super) ran: usize,
    /// Programs that said how many tests they have, and programs that said how these went, when these differ: one
    /// ended in between.
    pub(super) broke_off: Option<(usize, usize)>,
}

impl Reader {
    pub(super) fn line(&mut self, line: &str) {
        if is_beginning(line) {
            self.begun += 1;
            self.place = Place::Elsewhere;
        } else if let Some(ran) = verdict(line) {
            self.over += 1;
            self.ran += ran;
            self.place = Place::Elsewhere;
        } else if line == "failures:" {
            // The first of two is followed by what the tests wrote, the second by their names.
            self.place = if self.place == Place::Blocks {
                Place::Names
            } else {
                Place::Blocks
            };
        } else {
            self.inside(line);
        }
    }

    fn inside(&mut self, line: &str) {
        match self.place {
            Place::Elsewhere => {}
            Place::Blocks => {
                let name = line
                    .strip_prefix("---- ")
                    .and_then(|rest| rest.strip_suffix(" stdout ----"));
                if let Some(name) = name {
                    self.blocks.push((name.to_owned(), Vec::new()));
                } else if let Some((_, wrote)) = self.blocks.last_mut() {
                    if wrote.len() == LINES {
                        wrote.remove(0);
                    }
                    wrote.push(line.to_owned());
                }
            }
            Place::Names => {
                if let Some(name) = line.strip_prefix("    ") {
                    self.names.push(name.to_owned());
                }
            }
        }
    }

    pub(super) fn end(self) -> Read {
        let Self { names, blocks, .. } = self;
        let wrote = |name: &String| {
            let block = blocks.iter().find(|(of, _)| of == name);
            block.map(|(_, lines)| lines.clone()).unwrap_or_default()
        };
        let mut failed: Vec<(String, Vec<String>)> = Vec::new();
        for name in names {
            // Two programs can have a test of one name; the second run then has both.
            if failed.iter().all(|(other, _)| *other != name) {
                let lines = wrote(&name);
                failed.push((name, lines));
            }
        }
        Read {
            failed,
            ran: self.ran,
            broke_off: (self.begun != self.over).then_some((self.begun, self.over)),
        }
    }
}

/// Whether a program says how many tests it has.
fn is_beginning(line: &str) -> bool {
    line.strip_prefix("running ")
        .and_then(|rest| rest.split_once(' '))
        .is_some_and(|(count, noun)| {
            count.parse::<usize>().is_ok() && matches!(noun, "test" | "tests")
        })
}

/// How many tests a program ran, in the line in which it says how they went. Whatever else is in the terminal writes
/// between its pieces, so the line need not begin with it. Behind the mark, a test tells what itself said elsewhere.
fn verdict(line: &str) -> Option<usize> {
    if line.starts_with("| ") {
        return None;
    }
    let (_, told) = line.split_once("test result: ")?;
    let counts = told
        .strip_prefix("ok. ")
        .or_else(|| told.strip_prefix("FAILED. "))?;
    let (passed, counts) = counts.split_once(" passed; ")?;
    let (failed, _) = counts.split_once(" failed; ")?;
    Some(passed.parse::<usize>().ok()? + failed.parse::<usize>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Read {
        let mut reader = Reader::default();
        lines.lines().for_each(|line| reader.line(line));
        reader.end()
    }

    fn names(read: &Read) -> Vec<&str> {
        read.failed.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn failed_tests_are_found_with_what_they_wrote() {
        let read = read(
            "running 3 tests\ntest a ... ok\ntest b::c ... FAILED\ntest d ... FAILED\n\nsuccesses:\n\n---- a stdout ----\nx\n\n\
             successes:\n    a\n\nfailures:\n\n---- b::c stdout ----\nbecause\n\n---- d stdout ----\nwhy\n\n\
             failures:\n    b::c\n    d\n\ntest result: FAILED. 1 passed; 2 failed; 0 ignored\n",
        );
        assert_eq!(read.broke_off, None);
        assert_eq!(read.ran, 3);
        assert_eq!(names(&read), ["b::c", "d"]);
        assert_eq!(read.failed[0].1, ["because", ""]);
    }

    /// As `cargo test --workspace --no-fail-fast` wrote it, shortened.
    #[test]
    fn a_whole_run_is_read() {
        let read = read(include_str!("a_run.txt"));
        assert_eq!(read.broke_off, None);
        assert_eq!(read.ran, 2 + 3 + 2 + 2);
        let name = "model::a_copy_of_two_processes_ends_where_the_platform_is";
        assert_eq!(names(&read), [name]);
        let wrote = &read.failed[0].1;
        assert!(wrote.contains(&"LABELRELAY_TEST_SEED=1796007298".to_owned()));
    }

    #[test]
    fn a_program_that_breaks_off_is_noticed() {
        let read = read(
            "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored\nrunning 2 tests\ntest a ... ok\n",
        );
        assert_eq!(read.broke_off, Some((2, 1)));
        assert!(read.failed.is_empty());
    }

    #[test]
    fn what_a_server_or_a_test_writes_is_no_program() {
        let read = read(
            "running 2 tests\nrunning late tests\nrunning a test\ntest a ... test result: ok. 2 passed; 0 failed; 0 ignored\n\
             test result: unknown\n| running 1 test\n| test result: FAILED. 0 passed; 1 failed; 0 ignored\n",
        );
        assert_eq!(read.broke_off, None);
        assert_eq!(read.ran, 2);
    }

    #[test]
    fn a_name_of_two_programs_is_one_name() {
        let program = "running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nb\n\nfailures:\n    a\n\n\
                       test result: FAILED. 0 passed; 1 failed; 0 ignored\n";
        assert_eq!(names(&read(&program.repeat(2))), ["a"]);
    }
}
