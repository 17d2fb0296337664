//! The modules of a crate, as their files declare them: the file of each, and its re-exports.

use crate::Outcome;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use syn::{Item, ItemMod, UseTree, Visibility};

/// Path of a module or an item below the crate's root.
pub(super) type Segments = Vec<String>;

/// The modules of one crate by their paths; the root's is empty.
#[derive(Default)]
pub(super) struct Modules(BTreeMap<Segments, Module>);

/// One module that has a file of its own.
pub(super) struct Module {
    pub(super) syntax: syn::File,
    /// Re-exports by `pub use`: the name, and the path in the source text.
    handed_on: BTreeMap<String, Segments>,
}

impl Modules {
    /// Modules of the crate whose root is `root`: `src/lib.rs` or `src/main.rs`. Tests are left out.
    pub(super) fn of(root: &Path) -> Outcome<Self> {
        let mut modules = Self::default();
        let folder = root.parent().unwrap_or(root).to_owned();
        modules.read(&[], root, &folder)?;
        Ok(modules)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Segments, &Module)> {
        self.0.iter()
    }

    pub(super) fn has(&self, path: &[String]) -> bool {
        self.0.contains_key(path)
    }

    fn read(&mut self, path: &[String], file: &Path, folder: &Path) -> Outcome {
        let text = fs::read_to_string(file)?;
        let parsed = syn::parse_file(&text);
        let syntax = parsed.map_err(|error| format!("{}: {error}", file.display()))?;
        let mut handed_on = BTreeMap::new();
        let mut children = Vec::new();
        for item in &syntax.items {
            match item {
                Item::Use(item) if !matches!(item.vis, Visibility::Inherited) => {
                    let mut hand_on = |name: &str, path: Segments| {
                        handed_on.insert(name.to_owned(), path);
                    };
                    leaves(&item.tree, &mut Vec::new(), &mut hand_on);
                }
                Item::Mod(item) if item.content.is_none() && !is_test(item) => {
                    children.push(item.ident.to_string());
                }
                _ => {}
            }
        }
        let module = Module { syntax, handed_on };
        self.0.insert(path.to_vec(), module);
        for child in children {
            let flat = folder.join(format!("{child}.rs"));
            let below = folder.join(&child);
            let file = if flat.is_file() {
                flat
            } else {
                below.join("mod.rs")
            };
            let mut path = path.to_vec();
            path.push(child);
            self.read(&path, &file, &below)?;
        }
        Ok(())
    }

    /// The module that the item at `path`, as it is written in the module `from`, is defined in; `None` for what
    /// another crate defines, and for a module as such.
    pub(super) fn definition(&self, from: &[String], path: &[String]) -> Option<Segments> {
        self.follow(from, path, 0)
    }

    fn follow(&self, from: &[String], path: &[String], hops: u32) -> Option<Segments> {
        // A name may be handed on a few times; more is a circle of names.
        if hops > 8 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest),
            "self" => (from.to_vec(), rest),
            "super" => (from.split_last()?.1.to_vec(), rest),
            _ => (from.to_vec(), path),
        };
        while let Some((next, after)) = rest.split_first() {
            if next == "super" {
                at.pop();
            } else {
                at.push(next.clone());
                if !self.has(&at) {
                    at.pop();
                    let module = self.0.get(&at)?;
                    return match module.handed_on.get(next) {
                        Some(source) => {
                            let whole: Segments = source.iter().chain(after).cloned().collect();
                            self.follow(&at, &whole, hops + 1)
                        }
                        None => Some(at),
                    };
                }
            }
            rest = after;
        }
        None
    }
}

/// Tells `each` leaf of a `use`: its name here, and its path.
pub(super) fn leaves(tree: &UseTree, before: &mut Segments, each: &mut impl FnMut(&str, Segments)) {
    let whole = |before: &Segments, last: String| -> Segments {
        before.iter().cloned().chain([last]).collect()
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, each);
            before.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, each);
            }
        }
        UseTree::Name(name) if name.ident == "self" => {
            if let Some(last) = before.last().cloned() {
                each(&last, before.clone());
            }
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            each(&name, whole(before, name.clone()));
        }
        UseTree::Rename(rename) => {
            each(
                &rename.rename.to_string(),
                whole(before, rename.ident.to_string()),
            );
        }
        UseTree::Glob(_) => each("*", whole(before, "*".to_owned())),
    }
}

/// Tells whether a module is one of tests.
fn is_test(item: &ItemMod) -> bool {
    item.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}
