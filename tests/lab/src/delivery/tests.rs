use super::*;

#[test]
fn a_number_is_one_delivery_and_forgeries_have_bodies_of_their_own() {
    let plan = Plan::of(7, 2000);
    let mut genuine = std::collections::HashSet::new();
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

#[test]
fn chunks_are_whole() {
    assert_eq!(
        chunks(b"abcdef"),
        b"2\r\nab\r\n2\r\ncd\r\n2\r\nef\r\n0\r\n\r\n"
    );
    assert_eq!(chunks(b"ab"), b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
}
