//! Starts: from making a process to its first poll, and what the first invocation costs after it.

use super::aws_calls_process::Bare;
use super::event::Events;
use super::function::{Environment, Function};
use super::function_environment::{StartKind, Surroundings};
use super::invocations::accepted;
use super::programs::Programs;
use super::stand_in::Counts;
use crate::Outcome;
use crate::bench::figures::Figures;
use crate::bench::samples::Samples;
use std::path::Path;
use std::time::Duration;

/// Distance of a service, when its effect is to show: the time of a handshake, and of each answer.
const AWAY: Duration = Duration::from_millis(20);

/// Factor by which a full start may take longer than the calls: as much as one run differs from the next.
const MORE: f64 = 1.1;

/// Invocations after the first, of which the middle one counts as warm.
const WARM: usize = 20;

#[derive(Default)]
struct Times {
    start: Samples,
    cpu: Samples,
    first: Samples,
    warm: Samples,
}

/// All that is started, and what it took.
#[derive(Default)]
struct Starts {
    hello: Times,
    /// The secret in a variable, no connection opened ahead.
    lean: Times,
    full: Times,
    /// The same with services that are [`AWAY`].
    away: Times,
    bare: Samples,
    minimal_start: Samples,
    /// Load of each full start on the queue and on the secret store.
    cost: Vec<(Counts, Counts)>,
}

/// Starts everything `rounds` times, in turns, so that a slow second of the machine hits all of them.
pub(super) fn measure(
    rounds: usize,
    programs: &Programs,
    surroundings: &Surroundings,
    folder: &Path,
    figures: &mut Figures,
) -> Outcome {
    let mut starts = Starts::default();
    // The first round reads the programs from the disk and is not counted.
    Starts::default().round(programs, surroundings, folder)?;
    for _ in 0..rounds {
        starts.round(programs, surroundings, folder)?;
    }
    starts.report(figures);
    starts.report_extra(figures);
    starts.report_first(figures);
    Ok(())
}

impl Starts {
    fn round(
        &mut self,
        programs: &Programs,
        surroundings: &Surroundings,
        folder: &Path,
    ) -> Outcome {
        let (lean, full) = (
            surroundings.environment(StartKind::Lean),
            surroundings.environment(StartKind::Full),
        );
        self.hello.take(&programs.hello, folder, &Vec::new())?;
        self.lean.take(&programs.relay, folder, &lean)?;
        let before = (surroundings.sqs.counts(), surroundings.secrets.counts());
        drop(Function::start(&programs.relay, folder, &full)?);
        let after = (surroundings.sqs.counts(), surroundings.secrets.counts());
        self.cost
            .push((since(before.0, after.0), since(before.1, after.1)));
        self.full.take(&programs.relay, folder, &full)?;

        surroundings.set_delay(AWAY);
        self.away.take(&programs.relay, folder, &full)?;
        let bare = Bare::start(&programs.bare, &full)?;
        self.bare.add_ms(bare.opened_ms);
        self.minimal_start.add(surroundings.opening()?);
        surroundings.set_delay(Duration::ZERO);
        Ok(())
    }

    fn report(&self, figures: &mut Figures) {
        for (what, times) in [
            ("hello world", &self.hello),
            ("secret in a variable, warming off", &self.lean),
            ("secret from Secrets Manager, warming on", &self.full),
        ] {
            figures.times(format!("start to first poll: {what}"), &times.start);
            figures.times(format!("processor time of the start: {what}"), &times.cpu);
        }
        figures.goal(
            "start to first poll / hello world, secret in a variable, warming off",
            self.lean.start.median() / self.hello.start.median(),
            "x",
            1.3,
        );
        figures.note(
            "the same by processor time",
            self.lean.cpu.median() / self.hello.cpu.median(),
            "x",
        );
    }

    /// Reports the time of a full start over a lean one, and the time that it has to take.
    fn report_extra(&self, figures: &mut Figures) {
        let away = format!("services {} ms away", AWAY.as_millis());
        let extra = self.away.start.median() - self.lean.start.median();
        figures.times(
            format!("start to first poll: secret from Secrets Manager, warming on, {away}"),
            &self.away.start,
        );
        for (whose, calls) in [
            ("the function's own clients", &self.bare),
            (
                "a TLS library alone, its roots read before",
                &self.minimal_start,
            ),
        ] {
            let what = "one secret call and one handshake with the queue, side by side";
            figures.times(format!("{what}, {away}, by {whose}"), calls);
            figures.goal(
                format!("extra time of a full start / {what}, by {whose}"),
                extra / calls.median(),
                "x",
                MORE,
            );
        }
        let most = |of: fn(&(Counts, Counts)) -> u64| {
            let most = self.cost.iter().map(of).max().unwrap_or(0);
            f64::from(u32::try_from(most).unwrap_or(u32::MAX))
        };
        let full = "in a full start";
        figures.goal(
            format!("handshakes with the queue {full}"),
            most(|(sqs, _)| sqs.handshakes),
            "",
            1.0,
        );
        figures.goal(
            format!("handshakes with the secret store {full}"),
            most(|(_, secrets)| secrets.handshakes),
            "",
            1.0,
        );
        figures.goal(
            format!("calls to the secret store {full}"),
            most(|(_, secrets)| secrets.calls),
            "",
            1.0,
        );
    }

    fn report_first(&self, figures: &mut Figures) {
        let away = format!("services {} ms away", AWAY.as_millis());
        for (what, times) in [
            ("hello world", &self.hello),
            ("connection not opened ahead", &self.lean),
            ("connection opened ahead", &self.full),
            (&away, &self.away),
        ] {
            figures.times(format!("first invocation: {what}"), &times.first);
            figures.times(format!("warm invocations after it: {what}"), &times.warm);
        }
        for (what, times) in [("services no way away", &self.full), (&away, &self.away)] {
            figures.goal(
                format!("first invocation / warm one, {what}"),
                times.first.median() / times.warm.median(),
                "x",
                1.5,
            );
        }
    }
}

impl Times {
    /// Starts one environment and has it handle a first event and some more.
    fn take(&mut self, program: &Path, folder: &Path, environment: &Environment) -> Outcome {
        let events = Events::new(1024);
        let mut function = Function::start(program, folder, environment)?;
        let first = function.invoke(events.next()?)?;
        accepted(&first)?;
        let mut warm = Samples::default();
        for _ in 0..WARM {
            let invocation = function.invoke(events.next()?)?;
            accepted(&invocation)?;
            warm.add(invocation.took);
        }
        self.start.add(function.start);
        self.cpu.add(function.start_cpu);
        self.first.add(first.took);
        self.warm.add_ms(warm.median());
        Ok(())
    }
}

fn since(before: Counts, after: Counts) -> Counts {
    Counts {
        handshakes: after.handshakes - before.handshakes,
        calls: after.calls - before.calls,
    }
}
