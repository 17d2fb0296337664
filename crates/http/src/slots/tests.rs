use super::client_network::ClientNetwork;
use super::table::{SlotState, SlotTable};
use crate::connection::Activity;
use crate::options::ServeOptions;
use std::net::{IpAddr, Ipv4Addr};

/// Two slots, of which one address gets one. Nobody idles here: nothing has asked for bytes yet.
fn table() -> SlotTable {
    let options = ServeOptions::default()
        .with_max_connections(2)
        .with_max_connections_per_address(Some(1));
    SlotTable::new(&options)
}

fn enter(table: &mut SlotTable, last: u8) -> u64 {
    let address = IpAddr::from(Ipv4Addr::new(192, 0, 2, last));
    table.enter(ClientNetwork::from(address), Activity::new())
}

const LOOKS: (SlotState, bool) = (SlotState::Waiting, true);
const IS_TOLD: (SlotState, bool) = (SlotState::Waiting, false);
const SERVED: (SlotState, bool) = (SlotState::Served, false);

#[test]
fn of_those_that_wait_for_their_address_the_first_looks() {
    let mut table = table();
    let served = enter(&mut table, 1);
    assert_eq!(table.admit(served), SERVED);
    let waiting: Vec<u64> = (0..700).map(|_| enter(&mut table, 1)).collect();
    for _ in 0..2 {
        for id in &waiting {
            let expected = if *id == waiting[0] { LOOKS } else { IS_TOLD };
            assert_eq!(table.admit(*id), expected, "{id}");
        }
    }
    table.leave(waiting[0]);
    assert_eq!(table.admit(waiting[2]), IS_TOLD);
    assert_eq!(table.admit(waiting[1]), LOOKS);
    table.leave(served);
    assert_eq!(table.admit(waiting[1]), SERVED);
    assert_eq!(table.admit(waiting[2]), LOOKS);
}

#[test]
fn one_that_waited_for_its_address_has_its_turn_among_all() {
    let mut table = table();
    let served = enter(&mut table, 1);
    assert_eq!(table.admit(served), SERVED);
    let waited = enter(&mut table, 1);
    assert_eq!(table.admit(waited), LOOKS);
    table.leave(served);
    for other in [2, 3] {
        let id = enter(&mut table, other);
        assert_eq!(table.admit(id), SERVED);
    }
    assert_eq!(table.admit(waited), LOOKS, "for any slot now");
    let later = enter(&mut table, 4);
    assert_eq!(table.admit(later), IS_TOLD);
}
