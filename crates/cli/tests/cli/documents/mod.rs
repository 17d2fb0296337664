//! The documents: every link leads somewhere, and the README is short.

mod links;
mod pages;

/// A reader has five minutes.
const README_BYTES: usize = 12 * 1024;

#[test]
fn every_link_leads_somewhere() {
    let wrong: Vec<String> = pages::all().iter().flat_map(links::broken).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_is_short() {
    let pages = pages::all();
    let readme = pages.iter().find(|page| page.name == "README.md").unwrap();
    let bytes = readme.text.len();
    assert!(bytes <= README_BYTES, "README.md has {bytes} bytes");
}
