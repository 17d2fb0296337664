//! Frequent tasks of this repository, in Rust: nothing else to install, the same everywhere.

mod bench;
mod cache_folder;
mod campaign;
mod campaign_limit;
mod cpu_time;
mod debian;
mod e2e;
mod fuzz;
mod lab;
mod left_out_tests;
mod npm;
mod paths;
mod preinstall;
mod python;
mod python_package;
mod release;
mod runtimes;
mod second_run;
mod snapshots;
mod step;
mod test;
mod tools;
mod tree;

use std::process::ExitCode;

/// Result of a verb; the error says what was missing and what to do.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const HELP: &str = "\
Usage: cargo xtask <verb>

  test [--quick]       all checks and tests; --quick: those that need only Rust and a C compiler
                         exit code 3: nothing failed, but some suites could not run on this machine
  e2e [NAME…]          the end-to-end tests alone, against a release build; NAME filters them
  aws [NAME…]          the tests of AWS alone, against local servers that stand in for it
  google [NAME…]       the tests of Google Cloud alone, against its Pub/Sub emulator and a stand-in for its storage
  azure [NAME…]        the tests of Azure alone, against Azurite and a stand-in for the Functions host
  postgres [NAME…]     the tests of Postgres as a queue alone, against a real one
  nats [NAME…]         the tests of NATS as a queue alone, against a real server
  infra [NAME…]        the tests of Terraform, Bicep, Dockerfile and documented consumers alone
  python [ARGUMENTS]   the tests of the Python package, mypy and pyright; with arguments, pytest alone with these
  lab [OPTIONS]        the fault laboratory: faults drawn from seeds, every answer held to its word
                         --seeds A..B     these seeds (default 0..500), or --seed S
                         --deliveries N   deliveries of each seed (default 2000)
                         --jobs J         seeds that run at once (default 2)
                         --only WHICH     serve or laboratory: seeds of this program alone
                         --sabotage MODE  break the laboratory's own server, to see that it is noticed
                         --replicas       three replicas over Postgres instead
                         --keep           keep the folders of seeds that failed
  fuzz [OPTIONS] [TARGET…]
                       all fuzz targets, or those that are named; failures end it
                         --seconds N      length of each target's run (default 60)
                         --runs N         executions of each target instead
                         --keep           run nothing: add to fuzz/corpus what earlier runs found
  bench [OPTIONS]      whole servers under load, then the pipeline's own benchmarks
                         --json FILE      write the figures to FILE as well
                         --prefill N      events in the queue before measuring (default 1000000)
                         --seconds N      length of each measured window (default 8)
                         --rounds N       how often each server is measured (default 2)
                         --no-pipeline    leave out `cargo bench -p labelrelay-core`
  bench --short [--keep]
                       the processor time of a delivery in five scenarios, of that in a bare server that verifies:
                       two minutes. It fails where a ratio is more than 1.15 times that in docs/processor-time.csv
                         --keep           write that file instead
  bench pair [OPTIONS] `serve` beside another one, or with other settings, in turns: the ratios of requests/s, p99
                       and processor time
                         --against PROGRAM
                                          a `labelrelay` that was built elsewhere (default: the same program)
                         --set NAME=VALUE a variable of this one alone; may be repeated
                         --seconds N      length of each measured window (default 5)
                         --rounds N       how often each is measured (default 6, even)
                         --least RATIO    requests/s to be reached (default 0.95)
                         --p99 RATIO      bound of the 99th percentile (default 1.25)
  bench growth [OPTIONS]
                       what a delivery costs as the events in the file, the connections, the bodies or the sources grow
                         --seconds N      length of each measured window (default 5)
                         --minutes N      of each of the four, none is measured after this time (default 20)
                         --events N       events in the file at most (default 10000000, which take 30 GB)
                         --keep           write docs/growth.csv, docs/images/growth.svg and the section of docs/figures.md
  bench large [OPTIONS]
                       one body of a gibibyte, against OpenSSL's two hashes and a synced copy of it
                         --mib N          its size (default 1024)
                         --rounds N       how often it is delivered (default 5)
  bench outage         how long answers take while the queue is dead and the fallback takes the events
  bench record         `serve` with its record of deliveries on and its page open, beside off
  bench archive        `serve` with its archive on, beside off, and whether that has every event once
  bench telemetry      `serve` that sends spans and metrics to a real collector, beside one that sends none
  bench lambda [OPTIONS]
                       the function's starts, invocations, memory and size, beside hello world
                         --json FILE      write the figures to FILE as well
                         --starts N       how often each program is started (default 20)
                         --invocations N  invocations of one environment (default 1000)
                         --no-large       leave out the benchmark of a 5 MB event
                         --profiles       build in every way worth a try, and compare those instead
                         --also NAME=PROGRAM
                                          compare a function built in some other way, such as an earlier one, with it
                         --memory         give it the processor time of several sizes of memory instead (root)
  bench reconcile [N [ROUNDS]]
                       fetching N annotations (default 10000) of a real Label Studio, beside paging through its
                       API, so many times (default 3)
  bench postgres       events a second that Postgres has durably through the queue, beside a bare loop of the same
                       inserts, one event a commit, svix-bridge's way and pgmq's
  bench nats           events a second that a stream of NATS has durably through the queue, beside the bare client
  bench functions [OPTIONS]
                       the service for Cloud Run and the handler for Azure Functions: starts and memory beside
                       a hello world, requests beside publishing alone, with the emulators as queues
                         --json FILE      write the figures to FILE as well
                         --starts N       how often each program is started (default 20)
                         --seconds N      length of each measured window (default 8)
                         --rounds N       how often each window is measured, in turns (default 6, even)
                         --earlier FILE   only the starts for Cloud Run, beside an earlier program in FILE
  campaign [NAME [OPTIONS]]
                       what runs for long, and of which the tests run a sample; without a name, the list
                         --minutes N      end by then: what makes random changes makes as many as there is time for
                                          and checks those, anything else is stopped and counts as failed
  release --dry-run    the files of a release, as far as this machine can make them, each tried in a root without Rust
  release --packed     the same around the program that is built for tests: what `test` runs, in a minute
  release STEP…        some of them, as the workflow has them made; `release help` lists the steps
  schemas              write the folder `schemas` as the types of labelrelay-event say it
  tree                 prove what core, event and the clouds' programs do not link, and that no modules import each other in a circle
";

/// The test that compares the files writes them first.
fn schemas() -> Outcome {
    let mut write = step::cargo("test --package labelrelay-tests --test schemas");
    step::status(write.env("LABELRELAY_TEST_WRITE_SCHEMAS", "1"))
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let verb = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let outcome = match verb.as_str() {
        "test" => test::run(&rest),
        "e2e" => e2e::run(&rest),
        "aws" => e2e::aws(&rest),
        "google" => e2e::google(&rest),
        "azure" => e2e::azure(&rest),
        "postgres" => e2e::postgres(&rest),
        "nats" => e2e::nats(&rest),
        "infra" => e2e::infra(&rest),
        "python" => python_package::run(&rest),
        "lab" => lab::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "bench" => bench::run(&rest),
        "campaign" => campaign::run(&rest),
        "release" => release::run(&rest),
        "schemas" => schemas(),
        "tree" => tree::run(),
        #[cfg(feature = "load")]
        "load" => bench::load(&rest),
        #[cfg(feature = "load")]
        "ceiling" => bench::ceiling(&rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<left_out_tests::Incomplete>() => {
            eprintln!("\nINCOMPLETE: {error}");
            ExitCode::from(left_out_tests::EXIT_CODE)
        }
        Err(error) => {
            eprintln!("\nFAILED: {error}");
            ExitCode::FAILURE
        }
    }
}
