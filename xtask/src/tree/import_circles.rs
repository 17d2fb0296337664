//! No modules of a crate import each other in a circle: whoever reads one file from the ground up can read the next.

use super::module_files::{Modules, Segments};
use super::{architecture_table, imports};
use crate::{Outcome, paths};
use std::collections::{BTreeMap, BTreeSet};

/// Circles that stay, each with its reason.
const KNOWN: [(&str, &str, &str); 1] = [(
    "cli",
    "completions",
    "completions are made of the command line that they are part of",
)];

/// In these crates a face may define what the modules below it take back: a verb's arguments are declared for
/// clap in its face, and its parts read them.
const FACES: [&str; 1] = ["cli"];

type Arrows = BTreeMap<Segments, BTreeMap<Segments, String>>;

pub(super) fn check() -> Outcome {
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in architecture_table::crates()? {
        let source = paths::root().join("crates").join(&name).join("src");
        for root in ["lib.rs", "main.rs"] {
            let root = source.join(root);
            if !root.is_file() {
                continue;
            }
            let modules = Modules::of(&root)?;
            let mut arrows = Arrows::new();
            for (path, module) in modules.iter() {
                let mut taken = imports::taken(&modules, path, module);
                if FACES.contains(&name.as_str()) {
                    taken.retain(|to, _| !path.starts_with(to));
                }
                arrows.insert(path.clone(), taken);
            }
            count += arrows.len();
            wrong.extend(circles(&arrows).into_iter().filter_map(|circle| {
                let is_known = |(krate, module, _): &(&str, &str, &str)| {
                    *krate == name && circle.iter().any(|path| path.join("::") == *module)
                };
                (!KNOWN.iter().any(is_known)).then(|| described(&name, &circle, &arrows))
            }));
        }
    }
    if wrong.is_empty() {
        println!(
            "{count} modules: none imports another in a circle, but for {}",
            KNOWN.len()
        );
        return Ok(());
    }
    Err(format!(
        "modules import each other in circles:\n{}",
        wrong.join("\n")
    )
    .into())
}

/// A circle in words: who takes what from whom.
fn described(krate: &str, circle: &BTreeSet<Segments>, arrows: &Arrows) -> String {
    let mut lines = Vec::new();
    for from in circle {
        for (to, name) in arrows.get(from).into_iter().flatten() {
            if circle.contains(to) {
                let (from, to) = (from.join("::"), to.join("::"));
                lines.push(format!("  {krate}: `{from}` takes `{name}` from `{to}`"));
            }
        }
    }
    lines.join("\n")
}

/// The groups of modules that reach each other.
fn circles(arrows: &Arrows) -> Vec<BTreeSet<Segments>> {
    let reached: BTreeMap<_, _> = arrows
        .keys()
        .map(|from| (from, reach(from, arrows)))
        .collect();
    let mut circles: Vec<BTreeSet<Segments>> = Vec::new();
    for (from, there) in &reached {
        let circle: BTreeSet<Segments> = there
            .iter()
            .filter(|to| reached.get(to).is_some_and(|back| back.contains(*from)))
            .cloned()
            .collect();
        if !circle.is_empty() && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// Everything that `from` needs, directly or through others; itself only if it is in a circle.
fn reach(from: &Segments, arrows: &Arrows) -> BTreeSet<Segments> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for to in arrows.get(at).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(to.clone()) {
                open.push(to);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(pairs: &[(&str, &str)]) -> Arrows {
        let mut arrows = Arrows::new();
        for (from, to) in pairs {
            arrows.entry(vec![(*to).to_owned()]).or_default();
            arrows
                .entry(vec![(*from).to_owned()])
                .or_default()
                .insert(vec![(*to).to_owned()], String::new());
        }
        arrows
    }

    #[test]
    fn a_circle_is_found_once_and_a_chain_is_none() {
        assert!(circles(&arrows(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
        let found = circles(&arrows(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].len(), 3);
    }
}
