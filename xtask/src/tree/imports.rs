//! The names that a module takes from others of its crate.

use super::module_files::{Module, Modules, Segments, leaves};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};
use syn::{ItemMod, ItemUse, Path, Visibility};

/// The modules that `module`, at `path`, takes names from, each with one of the names.
pub(super) fn taken(
    modules: &Modules,
    path: &[String],
    module: &Module,
) -> BTreeMap<Segments, String> {
    let mut names = Names::default();
    names.visit_file(&module.syntax);
    let mut taken = BTreeMap::new();
    let written = names.paths.iter().map(|written| {
        // A name that a `use` brought stands for its path.
        let first = written.first().and_then(|first| names.imports.get(first));
        match (first, written.split_first()) {
            (Some(import), Some((_, rest))) => import.iter().chain(rest).cloned().collect(),
            _ => written.clone(),
        }
    });
    for whole in written.chain(names.imports.values().cloned()) {
        if let Some(definition) = modules.definition(path, &whole)
            && definition != path
        {
            taken.entry(definition).or_insert_with(|| whole.join("::"));
        }
    }
    taken
}

#[derive(Default)]
struct Names {
    /// Names that a `use` brings, with their paths.
    imports: BTreeMap<String, Segments>,
    /// Paths of several segments, and those that begin at a child module.
    paths: BTreeSet<Segments>,
}

impl<'ast> Visit<'ast> for Names {
    /// Modules within a file are its own affair, and most are tests.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // A module that only re-exports what is below it does not itself need it.
        if matches!(item.vis, Visibility::Inherited) {
            leaves(&item.tree, &mut Vec::new(), &mut |name, path| {
                self.imports.insert(name.to_owned(), path);
            });
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.segments.len() > 1 {
            let segments = path.segments.iter();
            self.paths
                .insert(segments.map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}
