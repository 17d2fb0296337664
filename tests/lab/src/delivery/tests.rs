use super::*;
use std::collections::HashSet;

#[test]
fn a_number_is_one_delivery_and_forgeries_have_bodies_of_their_own() {
    let plan = Plan::of(7, 2000);
    let mut genuine = HashSet::new();
    let mut forged = Vec::new();
    for number in 0..2000 {
        let delivery = Delivery::of(&plan, number);
        assert_eq!(
            delivery.request(&plan),
            Delivery::of(&plan, number).request(&plan)
        );
        match delivery.credential {
            Credential::Of(_) => _ = genuine.insert(delivery.body),
            _ => forged.push(delivery.body),
        }
    }
    assert!(forged.len() > 20);
    for body in forged {
        assert!(!genuine.contains(&body));
    }
}

/// Red if a seed tells of so little that nothing follows, or if what two deliveries tell has the same bytes.
#[test]
fn deliveries_tell_of_tasks_where_more_is_derived() {
    let told = |seed| {
        let plan = Plan::of(seed, 2000);
        let deliveries = (0..2000).map(|number| Delivery::of(&plan, number));
        let fresh = deliveries.filter(|it| it.told.is_some() && !it.is_again);
        fresh.collect::<Vec<_>>()
    };
    assert!(told(3).is_empty());
    let told = told(4);
    let bodies: HashSet<&[u8]> = told.iter().map(|it| it.body.as_slice()).collect();
    assert_eq!(bodies.len(), told.len());
    let count = |is: fn(&Told) -> bool| {
        let which = told.iter().filter_map(|it| it.told.as_ref());
        which.filter(|told| is(told)).count()
    };
    assert!(count(|told| matches!(told, Told::Task { .. })) > 30);
    assert!(count(|told| matches!(told, Told::Annotation { .. })) > 200);
    assert!(count(|told| matches!(told, Told::AnnotationsGone(ids) if ids.len() > 1)) > 30);
    assert!(count(|told| matches!(told, Told::TasksGone(_))) > 15);
}

#[test]
fn chunks_are_whole() {
    assert_eq!(
        chunks(b"abcdef"),
        b"2\r\nab\r\n2\r\ncd\r\n2\r\nef\r\n0\r\n\r\n"
    );
    assert_eq!(chunks(b"ab"), b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
}
