//! Starts: from making a process to its first poll, and what the first invocation costs after it.

use super::bare::Bare;
use super::event::Events;
use super::figures::Figures;
use super::function::{Environment, Function};
use super::invocations::accepted;
use super::programs::Programs;
use super::samples::Samples;
use super::site::{Setting, Site};
use super::stand_in::Counts;
use crate::Outcome;
use std::path::Path;
use std::time::Duration;

/// How long a service is away when the way to it is to show: a handshake, and each answer.
const AWAY: Duration = Duration::from_millis(20);

/// How much more than the calls a full start may take: what one run differs from the next.
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

/// Starts everything `rounds` times, in turns, so that a slow second of the machine hits all of them.
pub(super) fn measure(
    rounds: usize,
    programs: &Programs,
    site: &Site,
    folder: &Path,
    figures: &mut Figures,
) -> Outcome {
    let (lean_setting, full_setting) = (
        site.environment(Setting::Lean),
        site.environment(Setting::Full),
    );
    let (mut hello, mut lean, mut full, mut away) = (
        Times::default(),
        Times::default(),
        Times::default(),
        Times::default(),
    );
    let (mut bare, mut raw) = (Samples::default(), Samples::default());
    let mut cost = Vec::new();
    // The first round reads the programs from the disk and is not counted.
    for round in 0..=rounds {
        let count = round > 0;
        hello.take(count, &programs.hello, folder, &Vec::new())?;
        lean.take(count, &programs.relay, folder, &lean_setting)?;
        let before = (site.sqs.counts(), site.secrets.counts());
        let environment = Function::start(&programs.relay, folder, &full_setting)?;
        let after = (site.sqs.counts(), site.secrets.counts());
        drop(environment);
        cost.push((since(before.0, after.0), since(before.1, after.1)));
        full.take(count, &programs.relay, folder, &full_setting)?;

        site.set_delay(AWAY);
        away.take(count, &programs.relay, folder, &full_setting)?;
        let opened = Bare::start(&programs.bare, &full_setting)?.opened_ms;
        let opening = site.opening()?;
        site.set_delay(Duration::ZERO);
        if count {
            raw.add(opening);
            bare.add_ms(opened);
        }
    }

    figures.times("start to first poll: hello world", &hello.start);
    figures.times(
        "start to first poll: secret in a variable, warming off",
        &lean.start,
    );
    figures.times(
        "start to first poll: secret from Secrets Manager, warming on",
        &full.start,
    );
    figures.times("processor time of the start: hello world", &hello.cpu);
    figures.times("processor time of the start: lean", &lean.cpu);
    figures.times("processor time of the start: full", &full.cpu);
    figures.goal(
        "start to first poll / hello world, secret in a variable, warming off",
        lean.start.median() / hello.start.median(),
        "x",
        1.5,
    );

    let ms = AWAY.as_millis();
    figures.times(
        format!("start to first poll: full, services {ms} ms away"),
        &away.start,
    );
    figures.times(
        format!(
            "one secret call and one handshake with the queue, bare, side by side, {ms} ms away"
        ),
        &bare,
    );
    figures.times(
        format!("the same by a TLS library alone, its roots read before, {ms} ms away"),
        &raw,
    );
    let extra = away.start.median() - lean.start.median();
    figures.goal(
        "extra time of a full start / the same calls bare",
        extra / bare.median(),
        "x",
        MORE,
    );
    figures.goal(
        "extra time of a full start / one secret call and one handshake by a TLS library",
        extra / raw.median(),
        "x",
        MORE,
    );
    costs(&cost, figures);

    figures.times("first invocation, connection warmed", &full.first);
    figures.times("warm invocations after it", &full.warm);
    figures.times("first invocation, connection not warmed", &lean.first);
    figures.times(
        format!("first invocation, connection warmed, services {ms} ms away"),
        &away.first,
    );
    figures.times(
        format!("warm invocations after it, services {ms} ms away"),
        &away.warm,
    );
    figures.times("first invocation: hello world", &hello.first);
    figures.times("warm invocations after it: hello world", &hello.warm);
    figures.goal(
        "first invocation / warm invocation",
        full.first.median() / full.warm.median(),
        "x",
        1.5,
    );
    figures.goal(
        format!("first invocation / warm invocation, services {ms} ms away"),
        away.first.median() / away.warm.median(),
        "x",
        1.5,
    );
    Ok(())
}

impl Times {
    /// Starts one environment and has it handle a first event and some more.
    fn take(
        &mut self,
        count: bool,
        program: &Path,
        folder: &Path,
        environment: &Environment,
    ) -> Outcome {
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
        if count {
            self.start.add(function.start);
            self.cpu.add(function.start_cpu);
            self.first.add(first.took);
            self.warm.add_ms(warm.median());
        }
        Ok(())
    }
}

/// What a full start costs the services: the most of all rounds.
fn costs(cost: &[(Counts, Counts)], figures: &mut Figures) {
    let most = |of: fn(&(Counts, Counts)) -> u64| cost.iter().map(of).max().unwrap_or(0);
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    figures.goal(
        "handshakes with the queue in a full start",
        number(most(|(sqs, _)| sqs.handshakes)),
        "",
        1.0,
    );
    figures.goal(
        "handshakes with the secret store in a full start",
        number(most(|(_, secrets)| secrets.handshakes)),
        "",
        1.0,
    );
    figures.note(
        "calls to the secret store in a full start (current and previous)",
        number(most(|(_, secrets)| secrets.calls)),
        "",
    );
}

fn since(before: Counts, after: Counts) -> Counts {
    Counts {
        handshakes: after.handshakes - before.handshakes,
        calls: after.calls - before.calls,
    }
}
