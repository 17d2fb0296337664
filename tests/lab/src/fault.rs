//! Kinds of faults: the rows of the summary.

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    Killed,
    KilledBetween,
    Frozen,
    QueueRefusing,
    QueueHanging,
    QueueSlow,
    QueueLying,
    QueueLocked,
    DiskFull,
    QueueDisplaced,
    Stopped,
    FallbackDown,
    BlobsDown,
    ClockJump,
    SecretsRotated,
    SecretsDown,
    DatabaseDown,
    StandbyDown,
    Promoted,
    Severed,
    CutOff,
    HungUp,
    InPieces,
    AtOnce,
    Again,
    Twin,
    Forged,
}

/// Component that has the fault: no two faults of one component are active at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    Process,
    Queue,
    Fallback,
    Blobs,
    Clock,
    Secrets,
    Database,
    Network,
    Sender,
}

impl Fault {
    pub(crate) const ALL: [Self; 27] = [
        Self::Killed,
        Self::KilledBetween,
        Self::Frozen,
        Self::QueueRefusing,
        Self::QueueHanging,
        Self::QueueSlow,
        Self::QueueLying,
        Self::QueueLocked,
        Self::DiskFull,
        Self::QueueDisplaced,
        Self::Stopped,
        Self::FallbackDown,
        Self::BlobsDown,
        Self::ClockJump,
        Self::SecretsRotated,
        Self::SecretsDown,
        Self::DatabaseDown,
        Self::StandbyDown,
        Self::Promoted,
        Self::Severed,
        Self::CutOff,
        Self::HungUp,
        Self::InPieces,
        Self::AtOnce,
        Self::Again,
        Self::Twin,
        Self::Forged,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Killed => "process killed (kill -9)",
            Self::KilledBetween => "process killed between upload and send",
            Self::Frozen => "process stopped for a while",
            Self::QueueRefusing => "queue refusing",
            Self::QueueHanging => "queue hanging",
            Self::QueueSlow => "queue slow",
            Self::QueueLying => "queue fails after it has the event",
            Self::QueueLocked => "queue file locked by another program",
            Self::DiskFull => "disk full",
            Self::QueueDisplaced => "queue file removed, replaced or cut off",
            Self::Stopped => "asked to stop, requests in its buffers",
            Self::FallbackDown => "fallback down",
            Self::BlobsDown => "blob store down",
            Self::ClockJump => "clock jump",
            Self::SecretsRotated => "secret rotated under load",
            Self::SecretsDown => "secret store down",
            Self::DatabaseDown => "database stopped, crashed or hung, and started again",
            Self::StandbyDown => "standby down, for which commits wait",
            Self::Promoted => "database gone, its standby promoted",
            Self::Severed => "a replica cut off from the database",
            Self::CutOff => "connection reset in mid-body",
            Self::HungUp => "sender hangs up after the last byte",
            Self::InPieces => "body in slow pieces, chunked or not",
            Self::AtOnce => "duplicates at once",
            Self::Again => "sent again later",
            Self::Twin => "equal bodies that are two events",
            Self::Forged => "forged",
        }
    }

    pub(crate) const fn component(self) -> Component {
        match self {
            Self::Killed | Self::Frozen | Self::Stopped => Component::Process,
            Self::QueueRefusing
            | Self::QueueHanging
            | Self::QueueSlow
            | Self::QueueLying
            | Self::QueueLocked
            | Self::DiskFull
            | Self::QueueDisplaced => Component::Queue,
            Self::FallbackDown => Component::Fallback,
            Self::BlobsDown | Self::KilledBetween => Component::Blobs,
            Self::ClockJump => Component::Clock,
            Self::SecretsRotated | Self::SecretsDown => Component::Secrets,
            Self::DatabaseDown | Self::StandbyDown | Self::Promoted => Component::Database,
            Self::Severed => Component::Network,
            Self::CutOff
            | Self::HungUp
            | Self::InPieces
            | Self::AtOnce
            | Self::Again
            | Self::Twin
            | Self::Forged => Component::Sender,
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of faults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults(pub(crate) u32);

impl Faults {
    pub(crate) const fn of(fault: Fault) -> Self {
        Self(fault.bit())
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, fault: Fault) -> Self {
        Self(self.0 & !fault.bit())
    }

    pub(crate) const fn contains(self, fault: Fault) -> bool {
        self.0 & fault.bit() != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
