//! Invocations of one environment: their time over the bare call's, memory, processor time.

use super::aws_calls_process::Bare;
use super::event::{self, Events};
use super::function::Function;
use super::function_environment::{StartKind, Surroundings};
use super::programs::Programs;
use super::runtime_api::Invocation;
use crate::Outcome;
use crate::bench::figures::Figures;
use crate::bench::samples::Samples;
use std::path::Path;
use std::time::Duration;

/// Turns that function, hello world and bare calls take.
const TURNS: usize = 20;

/// Large events, after all else.
const LARGE: u64 = 10;

pub(super) fn measure(
    count: usize,
    programs: &Programs,
    surroundings: &Surroundings,
    folder: &Path,
    figures: &mut Figures,
) -> Outcome {
    let setting = surroundings.environment(StartKind::Full);
    let mut hello = Function::start(&programs.hello, folder, &Vec::new())?;
    let mut relay = Function::start(&programs.relay, folder, &setting)?;
    let mut bare = Bare::start(&programs.bare, &setting)?;
    let events = Events::new(1024);
    let message = folder.join("message.json");
    let started = relay.cpu()?;
    let (mut relays, mut hellos, mut bares) =
        (Samples::default(), Samples::default(), Samples::default());
    let each = count.div_ceil(TURNS);
    for _ in 0..TURNS {
        for _ in 0..each {
            let invocation = relay.invoke(events.next()?)?;
            accepted(&invocation)?;
            relays.add(invocation.took);
        }
        for _ in 0..each {
            hellos.add(hello.invoke(events.next()?)?.took);
        }
        // The same message as the function's, so that the two calls differ in nothing.
        std::fs::write(&message, surroundings.sqs.last_message())?;
        for ms in bare.send(each, &message)? {
            bares.add_ms(ms);
        }
    }
    let cpu = relay.cpu()?.saturating_sub(started) / u32::try_from(relays.count())?;
    let memory = relay.memory()?;

    figures.times("warm invocation, 1 KB", &relays);
    figures.times("warm invocation, 1 KB: hello world", &hellos);
    figures.times("bare call with the same message", &bares);
    figures.note("processor time of a warm invocation, 1 KB", ms(cpu), "ms");
    figures.goal(
        "warm invocation, 1 KB, over the bare call",
        relays.median() - bares.median(),
        "ms",
        0.3,
    );
    figures.goal(
        format!("resident after {} invocations", relays.count()),
        mib(memory.now),
        "MiB",
        20.0,
    );
    figures.note(
        "the most that was ever resident by then",
        mib(memory.peak),
        "MiB",
    );
    figures.note("resident: hello world", mib(hello.memory()?.now), "MiB");
    large(&mut relay, figures)
}

/// Events that are as large as the platform lets them be, which go to the blob store.
fn large(relay: &mut Function, figures: &mut Figures) -> Outcome {
    let before = relay.cpu()?;
    let mut times = Samples::default();
    for number in 0..LARGE {
        let invocation = relay.invoke(event::large(number)?)?;
        accepted(&invocation)?;
        times.add(invocation.took);
    }
    let cpu = relay.cpu()?.saturating_sub(before) / u32::try_from(LARGE)?;
    let memory = relay.memory()?;
    figures.times("warm invocation, 5 MB, object stored", &times);
    figures.note("processor time of a warm invocation, 5 MB", ms(cpu), "ms");
    figures.note(
        "the most that was ever resident after 5 MB",
        mib(memory.peak),
        "MiB",
    );
    figures.note("resident after 5 MB", mib(memory.now), "MiB");
    Ok(())
}

/// Fails unless the relay accepted; figures of refusals would flatter.
pub(super) fn accepted(invocation: &Invocation) -> Outcome {
    let answer: serde_json::Value = serde_json::from_slice(&invocation.answer)?;
    if answer.get("statusCode").is_some_and(|status| status == 200) {
        Ok(())
    } else {
        Err(format!("the function did not accept an event, but answered {answer}").into())
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "kilobytes of memory are far below 2^52"
)]
fn mib(kilobytes: u64) -> f64 {
    kilobytes as f64 / 1024.0
}
