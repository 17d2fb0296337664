//! `cargo xtask campaign`: what runs for minutes or hours, and of which `cargo xtask test` runs a sample.
//!
//! Another campaign is a line of [`ALL`] and a function that says what it needs and what is run. Each ends with one
//! line that says how it went. With `--minutes N` it ends by then, whatever is left to do.

use crate::campaign_limit;
use crate::e2e::TestSetup;
use crate::step::{self, cargo, status};
use crate::tools::{self, ToolPaths};
use crate::{Outcome, e2e, fuzz, lab, release};
use std::time::Instant;

/// A long run of what the tests sample.
struct Campaign {
    /// Name on the command line.
    name: &'static str,
    /// Work when nothing more is said.
    what: &'static str,
    /// Runs it with the rest of the command line.
    run: fn(&[String]) -> Outcome,
}

const ALL: &[Campaign] = &[
    Campaign {
        name: "archive-function",
        what: "100,000 events (or as many as said) through the function for Lambda into a queue, behind which an archive is written by a program that is killed at 20 moments: [EVENTS]",
        run: archive_function,
    },
    Campaign {
        name: "archive-kills",
        what: "100,000 events (or as many as said) with captured bodies into `serve`, which archives them and is killed at 20 moments: [EVENTS]",
        run: archive_kills,
    },
    Campaign {
        name: "archive-search",
        what: "a search for one label in an archive of a month with 1,000,000 events (or as many as said): [EVENTS]",
        run: archive_search,
    },
    Campaign {
        name: "changes",
        what: "1,000,000 mutated messages (or as many as said) to the Rust and the Python reader of changes: [MESSAGES [SEED]]",
        run: |args| {
            let run = "run --release --package labelrelay-tests --example changes --";
            run_with(Vec::new(), run, args)
        },
    },
    Campaign {
        name: "consumer",
        what: "2,000 random edits (or as many as said, such as 10000) of a real Label Studio, and the copies of it that consumers in Python and in Rust keep: [EDITS [python|rust]]",
        run: consumer,
    },
    Campaign {
        name: "dataset",
        what: "2,000 random changes (or as many as said) of a real Label Studio, and the dataset beside it: [CHANGES]",
        run: |args| changes_of_label_studio("dataset::", args),
    },
    Campaign {
        name: "dataset-edits",
        what: "2,000 random edits (or as many as said, such as 10000) of a real Label Studio, shuffled by eight and a fifth of them twice, and the dataset beside it: [EDITS]",
        run: |args| edits_of_label_studio("dataset_edits::", args),
    },
    Campaign {
        name: "dataset-speed",
        what: "1,000,000 events (or as many as said) folded beside bare upserts, snapshots of them, and a minute of `sync --follow`; from 1,000,000 on, it fails where an aim is missed: [EVENTS]",
        run: dataset_speed,
    },
    Campaign {
        name: "dataset-ultralytics",
        what: "as the campaign dataset, with 200 changes (or as many as said), and Ultralytics reads the YOLO files; it installs gigabytes: [CHANGES]",
        run: dataset_ultralytics,
    },
    Campaign {
        name: "derived",
        what: "2,000 random changes (or as many as said) of a real Label Studio, and what is derived: [CHANGES]",
        run: |args| changes_of_label_studio("derived::", args),
    },
    Campaign {
        name: "derived-cost",
        what: "the cost of a commit with the ledger of derived events, beside one without: fails above 1.10 for one event, 1.5 for 64",
        run: derived_cost,
    },
    Campaign {
        name: "lab",
        what: "the fault laboratory: 500 seeds of 2,000 deliveries; options as for `cargo xtask lab`",
        run: lab::run,
    },
    Campaign {
        name: "lab-postgres",
        what: "the fault laboratory with three replicas over Postgres: 500 seeds, or what of them is begun within 45 minutes; or as many as said: [SEEDS]",
        run: lab::over_postgres,
    },
    Campaign {
        name: "fuzz",
        what: "2,000,000 executions of each fuzz target; options as for `cargo xtask fuzz`",
        run: fuzz::long,
    },
    Campaign {
        name: "readers",
        what: "1,000,000 bodies (or as many as said) to the parsers and SDKs that read envelopes: [BODIES [SEED]]",
        run: |args| {
            let run = "run --release --package labelrelay-tests --example readers --";
            run_with(Vec::new(), run, args)
        },
    },
    Campaign {
        name: "images",
        what: "the Dockerfile's programs as they are released: whether they run there, and what they weigh",
        run: images,
    },
    Campaign {
        name: "function",
        what: "the function for Lambda as it is released: what it weighs, and the tests of AWS with it",
        run: function,
    },
    Campaign {
        name: "large-project",
        what: "pulls from a real Label Studio with 200,000 tasks (or as many as said): [TASKS]",
        run: large_project,
    },
    Campaign {
        name: "million-things",
        what: "the memory of pulls from a stand-in with 1,000,000 tasks and annotations: beside a queue file, and with a stored ledger",
        run: million_things,
    },
    Campaign {
        name: "older-label-studios",
        what: "`connect`, push, and an upgrade to the newest with Label Studio 1.20.0 and 1.22.0 as they come",
        run: older_label_studios,
    },
    Campaign {
        name: "page",
        what: "the page in a browser, of a `serve` as it is released: what it shows, and how quick it is",
        run: page,
    },
    Campaign {
        name: "record-kills",
        what: "`serve` is killed at 20 moments: no delivery that was answered a second before is missing in the record",
        run: record_kills,
    },
    Campaign {
        name: "release",
        what: "the files of a release, built as for a release and each tried in a root without Rust",
        run: |_| release::run(&["--dry-run".to_owned()]),
    },
    Campaign {
        name: "stock-label-studio",
        what: "`connect` to the first event within a minute, and 200 random changes (or as many as said), with Label Studio 1.23.2 as it comes: [CHANGES]",
        run: stock_label_studio,
    },
    Campaign {
        name: "stranger",
        what: "5,000 connections of each kind that brings nothing, a minute each, beside valid deliveries",
        run: stranger,
    },
];

fn images(args: &[String]) -> Outcome {
    let mut setup = TestSetup::released()?;
    setup.prepare_infra()?;
    let mut tests = setup.infra_tests();
    tests.env("LABELRELAY_TEST_IMAGES", "released");
    status(tests.arg("container::").args(args))
}

fn function(names: &[String]) -> Outcome {
    let mut setup = TestSetup::released()?;
    setup.prepare_aws()?;
    e2e::all(setup.aws_tests(names))
}

fn archive_function(args: &[String]) -> Outcome {
    let mut setup = TestSetup::released()?;
    setup.prepare_aws()?;
    let events = args.first().map_or("100000", String::as_str);
    let [_, mut tests, _] = setup.aws_tests(&["the_archive_has".to_owned()]);
    status(tests.env("LABELRELAY_TEST_FUNCTION_EVENTS", events))
}

fn archive_kills(args: &[String]) -> Outcome {
    let setup = TestSetup::released()?;
    let events = args.first().map_or("100000", String::as_str);
    let mut tests = setup.tests();
    tests.env("LABELRELAY_TEST_ARCHIVED_EVENTS", events);
    status(tests.args(["archive_kills::captured", "--nocapture"]))
}

fn archive_search(args: &[String]) -> Outcome {
    let mut tests = cargo("test --release --package labelrelay --test cli --");
    if let Some(events) = args.first() {
        tests.env("LABELRELAY_TEST_ARCHIVE_EVENTS", events);
    }
    status(tests.args(["--ignored", "--nocapture", "archive_speed::"]))
}

fn consumer(args: &[String]) -> Outcome {
    let language = args.get(1).map_or("", String::as_str);
    // Of another language there would be no test, and that would pass.
    if !matches!(language, "" | "python" | "rust") {
        return Err(format!("there are no consumers in {language}: write python or rust").into());
    }
    edits_of_label_studio(&format!("{language}_consumer::a_copy_of_a_real"), args)
}

/// Runs tests with as many edits as `args` begin with.
fn edits_of_label_studio(tests_of: &str, args: &[String]) -> Outcome {
    let setup = TestSetup::released()?;
    let edits = args.first().map_or("2000", String::as_str);
    let mut tests = setup.tests();
    tests.env("LABELRELAY_TEST_EDITS", edits);
    status(tests.args([tests_of, "--nocapture"]))
}

fn changes_of_label_studio(tests_of: &str, args: &[String]) -> Outcome {
    random_changes(&TestSetup::released()?, tests_of, "2000", args)
}

/// Runs tests with as many random changes as `args` say, or else the `usual` number of them.
fn random_changes(setup: &TestSetup, tests_of: &str, usual: &str, args: &[String]) -> Outcome {
    let mut tests = setup.tests();
    let changes = args.first().map_or(usual, String::as_str);
    tests.env("LABELRELAY_TEST_CHANGES", changes);
    status(tests.args([tests_of, "--nocapture"]))
}

fn dataset_ultralytics(args: &[String]) -> Outcome {
    let mut setup = TestSetup::released()?;
    setup.add(tools::ultralytics()?);
    random_changes(&setup, "dataset::", "200", args)
}

fn stock_label_studio(args: &[String]) -> Outcome {
    let tests_of = "serve_pulls::what_connect_sets_up";
    random_changes(&TestSetup::released()?, tests_of, "200", args)
}

fn derived_cost(_: &[String]) -> Outcome {
    let mut bench = cargo("bench --package labelrelay-local --bench derive");
    bench.env("LABELRELAY_BENCH_AIMS", "1");
    status(&mut bench)
}

fn dataset_speed(args: &[String]) -> Outcome {
    let events = args.first().map_or("1000000", String::as_str);
    let mut bench = cargo("bench --package labelrelay-dataset --bench fold -- --events");
    bench.arg(events);
    bench.env("LABELRELAY_TEST_DATASET_PYTHON", tools::dataset_python()?);
    status(&mut bench)?;
    let mut tests = cargo("test --release --package labelrelay --test cli --");
    tests.args(["--ignored", "--nocapture", "dataset_speed::"]);
    status(&mut tests)
}

fn large_project(args: &[String]) -> Outcome {
    let setup = TestSetup::released()?;
    let tasks = args.first().map_or("200000", String::as_str);
    let mut tests = setup.tests();
    tests.env("LABELRELAY_TEST_LARGE_TASKS", tasks);
    status(tests.args(["reconcile::large::", "--nocapture"]))
}

fn million_things(args: &[String]) -> Outcome {
    let mut tests = cargo("test --release --package labelrelay --test cli --");
    tests.args(["--ignored", "--nocapture", "pull_memory::a_million"]);
    status(tests.args(args))
}

fn page(_: &[String]) -> Outcome {
    let setup = TestSetup::released()?;
    let mut tests = setup.tests();
    status(tests.args(["page::", "--nocapture"]))
}

fn record_kills(_: &[String]) -> Outcome {
    let mut tests = cargo("test --release --package labelrelay --test cli --");
    tests.env("LABELRELAY_TEST_RECORD_DUE_MS", "1000");
    status(tests.args(["--nocapture", "record::a_kill"]))
}

fn older_label_studios(args: &[String]) -> Outcome {
    let mut setup = TestSetup::released()?;
    setup.add(tools::older_label_studios()?);
    let mut tests = setup.older_label_studio_tests();
    status(tests.args(args))
}

fn stranger(args: &[String]) -> Outcome {
    let setup = TestSetup::released()?;
    let mut tests = cargo("test --workspace --features xtask/load --test stranger -- --nocapture");
    tests.env("LABELRELAY_STRANGER_SECONDS", "60");
    status(setup.tell(tests.args(args)))
}

/// Runs the campaign that `args` begin with; without arguments, says which there are.
pub(crate) fn run(args: &[String]) -> Outcome {
    let (args, minutes) = campaign_limit::taken_from(args)?;
    let Some((name, rest)) = args.split_first() else {
        print!("{}", list());
        return Ok(());
    };
    let Some(campaign) = ALL.iter().find(|campaign| campaign.name == name) else {
        return Err(format!("there is no campaign {name}; there are:\n{}", list()).into());
    };
    let begun = Instant::now();
    if let Some(minutes) = minutes {
        step::end_by(begun + minutes);
    }
    let outcome = (campaign.run)(rest);
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    match &outcome {
        Ok(()) => println!("campaign {name}: passed, {minutes:.1} min"),
        Err(error) => println!("campaign {name}: FAILED, {minutes:.1} min: {error}"),
    }
    outcome
}

fn list() -> String {
    let line = |campaign: &Campaign| format!("  {:<20} {}\n", campaign.name, campaign.what);
    ALL.iter().map(line).collect()
}

/// Runs `cargo <arguments> <args>` with a release build of `labelrelay`, the same programs and variables as
/// the end-to-end tests have, and `tools` besides: variables with the paths of what the campaign alone needs.
///
/// `arguments` are split at blanks, such as `run --release --package labelrelay-tests --example NAME --`.
fn run_with(tools: ToolPaths, arguments: &str, args: &[String]) -> Outcome {
    let mut setup = TestSetup::released()?;
    setup.add(tools);
    status(setup.tell(cargo(arguments).args(args)))
}
