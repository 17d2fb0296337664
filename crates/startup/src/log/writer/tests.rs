use super::*;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

const PATIENCE: Duration = Duration::from_secs(60);

/// A reader that takes what is written only when it is asked to: a pipe that is full.
struct Pipe(SyncSender<Vec<u8>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.send(bytes.to_vec());
        sent.map_err(|_| ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A writer whose other end blocks until somebody receives.
fn stalled() -> (LogWriter, Receiver<Vec<u8>>, Receiver<u64>) {
    let (pipe, reader) = sync_channel(0);
    let (telling, told) = channel();
    let tell = move |dropped| telling.send(dropped).unwrap();
    let writer = LogWriter::telling(Pipe(pipe), tell);
    (writer, reader, told)
}

#[test]
fn lines_over_the_buffer_are_dropped_and_counted_and_the_rest_is_in_order() {
    const LINES: u64 = 50_000;
    let line = |n: u64| format!("line {n:>95}\n");
    let (writer, reader, told) = stalled();
    writer.line(line(0).as_bytes());
    // Once the thread is stuck with that one, it takes no more: what is dropped is told once.
    while !writer.0.lines().under_way {
        thread::yield_now();
    }
    for n in 1..LINES {
        writer.line(line(n).as_bytes());
    }
    let dropped = writer.dropped();
    assert!(dropped > 0, "5 MB do not fit into 1 MiB");
    let mut log = Vec::new();
    while (log.len() / 101) as u64 + dropped < LINES {
        log.extend(reader.recv_timeout(PATIENCE).unwrap());
    }
    assert_eq!(told.recv_timeout(PATIENCE), Ok(dropped));
    assert_eq!(writer.dropped(), dropped);
    // Whole lines, the first ones, in order.
    let log = String::from_utf8(log).unwrap();
    for (found, n) in log.split_inclusive('\n').zip(0..) {
        assert_eq!(found, line(n));
    }
    // And now there is room.
    writer.line(b"again\n");
    assert_eq!(reader.recv_timeout(PATIENCE).unwrap(), b"again\n");
}

#[test]
fn the_thread_begins_with_the_first_line() {
    let (writer, reader, _told) = stalled();
    assert!(!writer.0.lines().has_thread && writer.0.out().is_some());
    writer.line(b"first\n");
    assert!(writer.0.lines().has_thread);
    assert_eq!(reader.recv_timeout(PATIENCE).unwrap(), b"first\n");
    assert!(writer.0.out().is_none());
}

#[test]
fn without_a_thread_whoever_brings_a_line_writes_it() {
    let (writer, reader, _told) = stalled();
    writer.0.lines().waiting.extend_from_slice(b"line\n");
    let read = thread::spawn(move || reader.recv().unwrap());
    writer.0.write_at_once();
    assert_eq!(read.join().unwrap(), b"line\n");
}

#[test]
fn the_last_lines_are_written_before_the_end() {
    let (writer, reader, _told) = stalled();
    let read = thread::spawn(move || reader.recv().unwrap());
    writer.line(b"stopped\n");
    writer.flush_within(PATIENCE);
    assert_eq!(read.join().unwrap(), b"stopped\n");
}

#[test]
fn shutdown_does_not_wait_for_a_stuck_reader() {
    let (writer, reader, _told) = stalled();
    writer.line(b"stopped\n");
    let (done, ended) = sync_channel(1);
    thread::spawn(move || {
        writer.flush_within(Duration::from_millis(10));
        done.send(()).unwrap();
    });
    assert_eq!(ended.recv_timeout(PATIENCE), Ok(()));
    drop(reader);
}

#[test]
fn a_closed_reader_loses_only_its_own_lines() {
    let (writer, reader, _told) = stalled();
    drop(reader);
    for _ in 0..3 {
        writer.line(b"one\ntwo\n");
        writer.flush_within(PATIENCE);
    }
    assert_eq!(writer.dropped(), 6);
}
