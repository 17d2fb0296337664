//! Every command that a document prints, run as printed: the blocks of a page one after the other, in one shell.
//!
//! `labelrelay`, jq, curl, Python, Label Studio and the stand-in for Labelbox answer for themselves. `programs.sh`
//! answers for what no machine of ours has: the command lines of clouds, containers, tunnels.

mod code_blocks;
mod output_shape;
mod reader_machine;

use code_blocks::Block;
use output_shape::shape;
use reader_machine::Machine;
use std::path::{Path, PathBuf};

#[test]
#[ignore = "needs Label Studio, jq and curl: run it with `cargo xtask e2e documents`"]
fn every_command_runs_as_printed() {
    let _machine = crate::beside_others();
    let machine = Machine::start();
    let (mut run, mut wrong) = (0, Vec::new());
    for path in pages() {
        let blocks = code_blocks::of(&std::fs::read_to_string(root().join(&path)).unwrap());
        if blocks.iter().all(|block| block.shell().is_none()) {
            continue;
        }
        let ran = machine.run(&path, &blocks);
        run += ran.outputs.len();
        if let Some(error) = &ran.error {
            wrong.push(format!("{}:{}: {error}", path.display(), ran.last()));
            continue;
        }
        for (before, block) in blocks.iter().zip(&blocks[1..]) {
            if block.is_output() && shape(&block.text) != shape(&ran.outputs[&before.line]) {
                let printed = &ran.outputs[&before.line];
                wrong.push(format!(
                    "{}:{}: it prints\n{printed}",
                    path.display(),
                    block.line
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(run > 40, "{run} blocks only");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Documents with commands for users, below the root.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = [
        "README.md",
        "CONTRIBUTING.md",
        "fuzz/README.md",
        "infra/azure/README.md",
        "infra/google/README.md",
    ]
    .map(PathBuf::from)
    .into();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = PathBuf::from(entry.unwrap().file_name());
        if name.extension().is_some_and(|found| found == "md") {
            pages.push(Path::new("docs").join(name));
        }
    }
    pages.sort();
    pages
}
