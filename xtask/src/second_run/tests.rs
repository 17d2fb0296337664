use super::*;

const A_RUN: &str = include_str!("a_run.txt");
const FAILED: &str = "model::a_copy_of_two_processes_ends_where_the_platform_is";

/// What one program of one test writes that passes.
const PASSED: &str =
    "\nrunning 1 test\ntest x ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";

/// Which program was ended by a signal.
const BROKEN_OFF: &str = "\nrunning 7 tests\ntest x ... ok\n";

/// A place with two transcripts: of a first run, and of a second one.
fn place(first: &str, second: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("first"), first).unwrap();
    std::fs::write(place.path().join("second"), second).unwrap();
    place
}

/// Stands for cargo: writes the first transcript and fails, then writes the second one and ends with `status`. It
/// leaves behind with which arguments it was run then.
fn cargo(place: &tempfile::TempDir, status: i32) -> Command {
    let mut command = Command::new("sh");
    let script = format!(
        "if [ -e begun ]; then echo \"$@\" > arguments; cat second; exit {status}; fi; : > begun; cat first; exit 101"
    );
    command
        .args(["-c", &script, "cargo", "test", "--", "--test-threads=2"])
        .current_dir(place.path());
    command
}

fn judged(first: &str, second: &str, status: i32) -> (Outcome, Option<Then>) {
    let place = place(first, second);
    let runs = SecondRuns::writing_to(std::io::sink());
    let outcome = runs.tests(&mut cargo(&place, status));
    let then = runs.failed.borrow().first().map(|failed| failed.then);
    (outcome, then)
}

#[test]
fn the_second_run_has_the_same_settings_and_those_tests_alone() {
    let mut first = Command::new("cargo");
    first
        .args([
            "test",
            "--",
            "--test-threads=2",
            "--ignored",
            "clouds::azure::",
        ])
        .env("A", "1")
        .env_remove("B");
    let again = only(&first, &["clouds::azure::x".to_owned()]);
    let arguments: Vec<_> = again.get_args().collect();
    assert_eq!(
        arguments,
        [
            "test",
            "--",
            "--ignored",
            "clouds::azure::",
            "--test-threads=1",
            "--exact",
            "clouds::azure::x"
        ]
    );
    assert_eq!(again.get_envs().count(), 2);
}

#[test]
fn a_failing_test_that_passes_the_second_time_passes() {
    let place = place(A_RUN, PASSED);
    let runs = SecondRuns::writing_to(std::io::sink());
    runs.tests(&mut cargo(&place, 0)).unwrap();
    let arguments = std::fs::read_to_string(place.path().join("arguments")).unwrap();
    let expected = format!("test -- --test-threads=1 --exact {FAILED}");
    assert_eq!(arguments.trim_end(), expected);
    let failed = runs.failed.borrow();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (failed[0].name.as_str(), failed[0].then),
        (FAILED, Then::Passed)
    );
    assert!(failed[0].wrote.iter().any(|line| line == "5 things"));
}

#[test]
fn what_was_run_already_is_judged_by_a_second_run_too() {
    let place = place("", PASSED);
    std::fs::write(place.path().join("begun"), "").unwrap();
    let runs = SecondRuns::writing_to(std::io::sink());
    let failed = || -> Outcome { Err("it failed".into()) };
    runs.after(&cargo(&place, 0), failed(), A_RUN.as_bytes())
        .unwrap();
    runs.after(&cargo(&place, 0), failed(), b"no test")
        .unwrap_err();
    runs.after(&cargo(&place, 0), Ok(()), b"").unwrap();
}

#[test]
fn a_test_that_fails_twice_fails_the_run_and_is_named() {
    let (outcome, then) = judged(A_RUN, A_RUN, 101);
    assert_eq!(then, Some(Then::Failed));
    let told = outcome.unwrap_err().to_string();
    assert!(told.ends_with(&format!("failed twice: {FAILED}")), "{told}");
}

#[test]
fn what_no_second_run_can_tell_fails_the_run_and_is_named() {
    let many: String = (0..=AT_MOST)
        .map(|at| A_RUN.replace(FAILED, &format!("test_{at}")))
        .collect();
    let broken_off = format!("{A_RUN}{BROKEN_OFF}");
    let nothing = PASSED.replace("ok. 1", "ok. 0");
    for (first, second, status, why) in [
        (
            broken_off.as_str(),
            PASSED,
            0,
            "no second run: of 6 programs, 5",
        ),
        (
            many.as_str(),
            PASSED,
            0,
            "no second run: 11 are more than 10",
        ),
        (A_RUN, nothing.as_str(), 0, "found 0 of 1"),
        (A_RUN, BROKEN_OFF, 101, "the second run: of 1 programs, 0"),
        (A_RUN, PASSED, 101, "the second run: `sh"),
    ] {
        let (outcome, then) = judged(first, second, status);
        assert_eq!(then, Some(Then::Unknown), "{why}");
        let told = outcome.unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
        assert!(told.contains("; failed: "), "{told}");
    }
}
