//! Modes of a wrapper, and the switch that sets them.

use tokio::sync::watch;

/// Behaviour of a back end instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Fine,
    /// An error of this kind, and nothing done.
    Refusing(&'static str),
    /// Nothing done, and no answer until this mode ends; then an error.
    Hanging,
    /// The work is done, late.
    Slow,
    /// The work is done, and answered with an error.
    Lying,
    /// The work is done, and no answer comes until this mode ends; then an error.
    LyingLate,
    /// The work is done, and then the process is killed.
    Killing,
}

impl Mode {
    fn parse(text: &str) -> Self {
        match text {
            "fine" => Self::Fine,
            "refusing" | "unavailable" => Self::Refusing("unavailable"),
            "throttled" => Self::Refusing("throttled"),
            "full" => Self::Refusing("full"),
            "denied" => Self::Refusing("denied"),
            "hanging" => Self::Hanging,
            "slow" => Self::Slow,
            "lying" => Self::Lying,
            "lying-late" => Self::LyingLate,
            "killing" => Self::Killing,
            _ => panic!("no mode: {text}"),
        }
    }
}

/// One wrapper's mode, shared with whoever turns it.
#[derive(Clone)]
pub(super) struct Switch(watch::Sender<Mode>);

impl Switch {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Mode::Fine))
    }

    pub(super) fn switch_to(&self, mode: &str) {
        self.0.send_replace(Mode::parse(mode));
    }

    pub(super) fn mode(&self) -> Mode {
        *self.0.borrow()
    }

    /// Waits until the mode is another one.
    pub(super) async fn until_not(&self, mode: Mode) {
        let mut changes = self.0.subscribe();
        // Never an error: this holds a sender.
        let _ = changes.wait_for(|now| *now != mode).await;
    }
}

/// Ends this process as `kill -9` does.
pub(super) fn kill_ourselves() -> ! {
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
    loop {
        std::thread::park();
    }
}
