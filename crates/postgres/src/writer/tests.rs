use super::*;
use labelrelay_testkit::queue_suite::message;

fn waiting(id: &str) -> (Waiting, oneshot::Receiver<Answer>) {
    let (answer, answered) = oneshot::channel();
    let message = message(id, b"{}");
    let key = id.to_owned();
    let waiting = Waiting {
        number: 0,
        key,
        message,
        answer,
    };
    (waiting, answered)
}

#[test]
fn copies_in_one_group_are_one_row_and_one_of_them_is_the_first() {
    let (group, answers): (Vec<_>, Vec<_>) = ["a", "b", "a", "c"].map(waiting).into_iter().unzip();
    assert_eq!(rows(&group).ids, ["a", "b", "c"]);
    let stored = Stored {
        fresh: [("a".to_owned(), 7), ("c".to_owned(), 8)].into(),
        known: [("b".to_owned(), 3)].into(),
    };
    answer(group, stored);
    let got: Vec<_> = answers
        .into_iter()
        .map(|mut answer| answer.try_recv().unwrap().unwrap())
        .map(|receipt| (receipt.message_id.unwrap(), receipt.repeat))
        .collect();
    let expected = [("7", false), ("3", true), ("7", true), ("8", false)];
    assert_eq!(
        got,
        expected.map(|(number, repeat)| (number.to_owned(), repeat))
    );
}

#[test]
fn a_group_has_no_event_that_nobody_waits_for_and_not_too_many() {
    let (gone, answered) = waiting("gone");
    drop(answered);
    let mut queue: VecDeque<_> = [gone].into();
    let mut answers = Vec::new();
    for n in 0..=EVENTS {
        let (next, answered) = waiting(&n.to_string());
        queue.push_back(next);
        answers.push(answered);
    }
    let group = take_group(&mut queue);
    assert_eq!((group.len(), queue.len()), (EVENTS, 1));
    assert_eq!(group[0].key, "0");
}

#[test]
fn whoever_gives_up_waits_no_more() {
    let mut state = State::default();
    let mut answers = Vec::new();
    for number in 0..4 {
        let (mut next, answered) = waiting(&number.to_string());
        next.number = number;
        state.waiting.push_back(next);
        answers.push(answered);
    }
    // The first one is in a group, and the third one gave up.
    state.waiting.pop_front();
    for number in [0, 2] {
        state.forget(number);
    }
    let keys: Vec<_> = state.waiting.iter().map(|waiting| &waiting.key).collect();
    assert_eq!(keys, ["1", "3"]);
}
