//! A real Label Studio, whose events go through a load balancer to two replicas while each is restarted in turn.

use super::SCHEMA;
use crate::support::{Place, Serving};
use labelrelay_testkit::adapter_suite::{CONFIG, SECRET};
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::Postgres;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Fewest annotations that are made meanwhile.
const ANNOTATIONS: usize = 40;

/// Where each replica listens, if connections go to it.
type Behind = [Mutex<Option<SocketAddr>>; 2];

/// Starts a load balancer: each connection goes to one of the two, or to the other one if that takes none. It goes there with
/// its first bytes: a replica that is stopped closes a connection on which nothing has come.
fn balance(behind: &Arc<Behind>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let behind = Arc::clone(behind);
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let Ok(client) = client else {
                continue;
            };
            let behind = Arc::clone(&behind);
            thread::spawn(move || {
                let mut first = [0; 4096];
                let read = (&client).read(&mut first).unwrap_or(0);
                if let Some(server) = connect(&behind, number, &first[..read]) {
                    pass_on(&client, &server);
                }
            });
        }
    });
    address
}

fn connect(behind: &Behind, number: usize, first: &[u8]) -> Option<TcpStream> {
    let begun = Instant::now();
    let mut replica = number % 2;
    while begun.elapsed() < Duration::from_secs(60) {
        // Held until the bytes are there: so none are under way to a replica that was taken out.
        let address = behind[replica].lock().unwrap();
        if let Some(address) = *address
            && let Ok(mut server) = TcpStream::connect(address)
            && server.write_all(first).is_ok()
        {
            return Some(server);
        }
        drop(address);
        replica = 1 - replica;
    }
    None
}

/// Carries bytes both ways until both sides have ended.
fn pass_on(client: &TcpStream, server: &TcpStream) {
    let carry = |mut from: &TcpStream, mut to: &TcpStream| {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    thread::scope(|scope| {
        scope.spawn(|| carry(client, server));
        scope.spawn(|| carry(server, client));
    });
}

fn start(place: &Place, address: &Mutex<Option<SocketAddr>>) -> Serving {
    let serving = place.serve(&[]);
    *address.lock().unwrap() = Some(serving.address.parse().unwrap());
    serving
}

#[test]
#[ignore = "needs PostgreSQL and Label Studio: cargo xtask test"]
fn what_label_studio_delivers_is_consumed_though_replicas_restart() {
    let server = Postgres::start();
    let url = server.url(SCHEMA);
    let place = || {
        let place = Place::new();
        place.write("labelrelay.toml", CONFIG);
        let place = place
            .with("SECRET", SECRET)
            .with("LABELRELAY_QUEUE", &url)
            .with("LABELRELAY_DEADLINE_MS", super::super::LONG);
        let variables = server.environment().into_iter();
        variables.fold(place, |place, (name, value)| place.with(&name, &value))
    };
    let places = [place(), place()];
    let behind: Arc<Behind> = Arc::default();
    let mut serving = [0, 1].map(|replica| Some(start(&places[replica], &behind[replica])));
    let balancer = balance(&behind);

    let mut label_studio = LabelStudio::start();
    let project = label_studio.project("replicas");
    label_studio.import(project, 1, false);
    let tasks = label_studio.rows("select id from task");
    let task = tasks[0][0].as_u64().unwrap();
    label_studio.webhook(project, &format!("http://{balancer}/label-studio"), SECRET);
    let mut made = BTreeSet::new();
    thread::scope(|scope| {
        let restarts = scope.spawn(|| {
            for round in 0..4 {
                let replica = round % 2;
                let stopped = serving[replica].take().unwrap();
                *behind[replica].lock().unwrap() = None;
                assert_eq!(stopped.stop(), 0);
                serving[replica] = Some(start(&places[replica], &behind[replica]));
            }
        });
        while !restarts.is_finished() || made.len() < ANNOTATIONS {
            let path = format!("/api/tasks/{task}/annotations/");
            let annotation = label_studio.call("POST", &path, &json!({"result": choice("a")}));
            made.insert(annotation["id"].as_u64().unwrap());
        }
        restarts.join().unwrap();
    });
    let created = "SELECT count(*) FROM events.events WHERE type LIKE '%.annotation.created'";
    let all = made.len().to_string();
    eventually("every delivery has arrived", || {
        (server.sql(created) == all).then_some(())
    });

    let command = r#"case "$CE_TYPE" in *.annotation.created) echo "$CE_SUBJECT" >> done ;; esac"#;
    let ran = places[0].run(&["consume", &url, "--exec", command, "--until-idle", "5s"]);
    ran.good();
    let done = places[0].read("done");
    let consumed: Vec<_> = done.lines().collect();
    assert_eq!(consumed.len(), made.len(), "none twice");
    let consumed: BTreeSet<_> = consumed.into_iter().map(str::to_owned).collect();
    let made = made.iter().map(|id| format!("annotation/{id}"));
    assert_eq!(consumed, made.collect::<BTreeSet<_>>());
}
