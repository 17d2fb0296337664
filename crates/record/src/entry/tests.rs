use super::*;

fn whole() -> Entry<'static> {
    Entry {
        arrived_ms: 1_790_000_000_000,
        status: 503,
        flags: 15,
        outcome: "unavailable",
        source: Some("labelbox"),
        head: Some(""),
        reason: Some("é"),
        verified_by: Some("env:SECRET"),
        body_bytes: i64::MAX,
        body_sha256: Some(BodySha::Digest(Digest::of(b"x"))),
        elapsed_us: -1,
        queue_us: Some(0),
        body_start: Some(&[0, 255]),
        ..Entry::default()
    }
}

#[test]
fn what_was_written_is_read() {
    let text = Entry {
        body_sha256: Some(BodySha::Text("of a row")),
        ..whole()
    };
    let all = [whole(), Entry::default(), text];
    let mut bytes = Vec::new();
    for entry in &all {
        entry.encode(&mut bytes);
    }
    let read: Vec<_> = entries(&bytes).map(Entry::decode).collect();
    assert_eq!(read, all.map(Some));
    assert_eq!(Entry::of(&text.row()).bytes(), text.bytes());
    // The digest of a row is text.
    assert_eq!(Entry::of(&whole().row()).bytes(), whole().bytes());
    assert_eq!(whole().row().body_sha256, Some(Digest::of(b"x").to_hex()));
}

#[test]
fn other_bytes_are_no_entry_and_stop_nobody() {
    let mut bytes = Vec::new();
    whole().encode(&mut bytes);
    for length in 0..bytes.len() {
        assert_eq!(entries(&bytes[..length]).count(), 0);
        if let Some(cut_off) = bytes.get(4..length) {
            assert_eq!(Entry::decode(cut_off), None);
        }
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0xff;
        // Whatever they are by now.
        for entry in entries(&changed) {
            let _ = Entry::decode(entry);
        }
    }
    assert_eq!(Entry::decode(&[0xff; 64]), None);
}
