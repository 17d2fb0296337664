//! `cargo xtask bench`: whole servers in one run, with one load generator, on this machine.
//!
//! Figures of different machines or different runs say little; the ratios of one run are the result.

#[cfg(feature = "load")]
mod archive;
#[cfg(feature = "load")]
mod bench_folder;
#[cfg(feature = "load")]
mod ceiling;
#[cfg(feature = "load")]
mod connection;
#[cfg(feature = "load")]
mod deliveries;
#[cfg(feature = "load")]
mod figures;
#[cfg(feature = "load")]
mod functions;
#[cfg(feature = "load")]
mod growth;
#[cfg(feature = "load")]
mod histogram;
#[cfg(feature = "load")]
mod lambda;
#[cfg(feature = "load")]
mod large;
#[cfg(feature = "load")]
mod load;
#[cfg(feature = "load")]
mod memory;
#[cfg(feature = "load")]
mod onlooker;
#[cfg(feature = "load")]
mod options;
#[cfg(feature = "load")]
mod outage;
#[cfg(feature = "load")]
mod pair;
#[cfg(feature = "load")]
mod plan;
#[cfg(feature = "load")]
mod processor_time;
#[cfg(feature = "load")]
mod record;
#[cfg(feature = "load")]
mod report;
#[cfg(feature = "load")]
mod response;
#[cfg(feature = "load")]
mod samples;
#[cfg(feature = "load")]
mod servers;
#[cfg(feature = "load")]
mod short;
#[cfg(feature = "load")]
mod telemetry;

#[cfg(feature = "load")]
pub(crate) use ceiling::run as ceiling;
#[cfg(feature = "load")]
pub(crate) use load::by_hand as load;

/// Measures servers; with `--short` what a delivery costs; as `bench growth` how that grows; as `bench pair` two of ours; as
/// `bench large` one large body; as `bench outage` answers without a queue; as `bench record` the record of deliveries; as
/// `bench archive` the archive; as `bench telemetry` OpenTelemetry; as `bench lambda` and `bench functions` the functions.
#[cfg(feature = "load")]
pub(crate) fn run(args: &[String]) -> crate::Outcome {
    match args.split_first() {
        Some((first, rest)) if first == "archive" => archive::run(rest),
        Some((first, rest)) if first == "lambda" => lambda::run(rest),
        Some((first, rest)) if first == "growth" => growth::run(rest),
        Some((first, rest)) if first == "large" => large::run(rest),
        Some((first, rest)) if first == "functions" => functions::run(rest),
        Some((first, rest)) if first == "outage" => outage::run(rest),
        Some((first, rest)) if first == "pair" => pair::run(rest),
        Some((first, rest)) if first == "record" => record::run(rest),
        Some((first, rest)) if first == "telemetry" => telemetry::run(rest),
        Some((first, rest)) if first == "--short" => short::run(rest),
        _ => plan::run(args),
    }
}

/// Builds this program again, optimised and with the load generator, and hands over to it.
#[cfg(not(feature = "load"))]
pub(crate) fn run(args: &[String]) -> crate::Outcome {
    if let Some((first, rest)) = args.split_first()
        && first == "reconcile"
    {
        return crate::e2e::bench_reconcile(rest);
    }
    if args.first().is_some_and(|first| first == "postgres") {
        let mut throughput =
            crate::step::cargo("run --release --package labelrelay-postgres --example throughput");
        return crate::step::status(throughput.envs(crate::tools::postgres()?));
    }
    if args.first().is_some_and(|first| first == "nats") {
        let mut throughput =
            crate::step::cargo("run --release --package labelrelay-nats --example nats_throughput");
        return crate::step::status(throughput.envs(crate::tools::nats()?));
    }
    let mut cargo = crate::step::cargo("run --release --package xtask --features load -- bench");
    cargo.args(args);
    if args.first().is_some_and(|first| first == "functions") {
        cargo.envs(crate::tools::google()?);
        cargo.envs(crate::tools::azure()?);
    }
    if args.first().is_some_and(|first| first == "telemetry") {
        cargo.envs(crate::tools::collector()?);
    }
    if args.first().is_some_and(|first| first == "growth") {
        cargo = with_all_descriptors(&cargo);
    }
    crate::step::status(&mut cargo)
}

/// The same command with as many file descriptors as this machine gives: ten thousand connections need them.
#[cfg(not(feature = "load"))]
fn with_all_descriptors(command: &std::process::Command) -> std::process::Command {
    let mut raised = std::process::Command::new("sh");
    raised
        .args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec "$0" "$@""#])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(crate::paths::root());
    crate::step::as_by_hand(&mut raised);
    raised
}
