//! A queue on a network file system: `SQLite`'s locks and fsync are unreliable there.

use std::path::Path;

/// A warning when the queue's file is, or will be made, on a network file system.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn warning(queue: &Path) -> Option<String> {
    // A file that is not there yet is made in the nearest directory that is.
    let kind = queue
        .ancestors()
        .find_map(|place| rustix::fs::statfs(place).ok())
        .map(|about| about.f_type)?;
    let system = name(kind)?;
    Some(format!(
        "the queue {} is on a network file system ({system}): its locks and syncs cannot be relied upon, so the file may be damaged and events lost; put the queue on a disk of this machine",
        queue.display()
    ))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn warning(_queue: &Path) -> Option<String> {
    None
}

/// The name of a network file system, by the number that `statfs` tells (`linux/magic.h`, statfs(2)). FUSE is among
/// them: what it mounts on servers is sshfs, a bucket or the like.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn name(kind: impl TryInto<i64>) -> Option<&'static str> {
    let kind: i64 = kind.try_into().ok()?;
    match kind & 0xffff_ffff {
        0x6969 => Some("NFS"),
        0x517b => Some("SMB"),
        0xff53_4d42 => Some("CIFS"),
        0xfe53_4d42 => Some("SMB2"),
        0x0102_1997 => Some("9P"),
        0x00c3_6400 => Some("Ceph"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x564c => Some("NCP"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x4750_4653 => Some("GPFS"),
        0x1983_0326 => Some("BeeGFS"),
        0x6573_5546 => Some("FUSE"),
        0x786f_4256 => Some("a shared folder of VirtualBox"),
        _ => None,
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(name(0x6969_i64), Some("NFS"));
        assert_eq!(name(0xfe53_4d42_u32), Some("SMB2"));
        // 32-bit systems report it as a signed number.
        assert_eq!(name(0xff53_4d42_u32.cast_signed()), Some("CIFS"));
        for local in [
            0xef53_i64,
            0x0102_1994,
            0x9123_683e,
            0x5846_5342,
            0x794c_7630,
            0x2fc1_2fc1,
        ] {
            assert_eq!(name(local), None, "{local:x}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_yet_lies_where_it_will_be_made() {
        // Memory is not a network, whatever its file system is called.
        assert_eq!(warning(Path::new("/dev/shm/not/there/queue.db")), None);
    }
}
