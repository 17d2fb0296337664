//! The documents: the program understands every command in them, and every link leads somewhere. The end-to-end
//! tests run the commands.

mod commands;
mod links;
mod monitoring;
mod pages;

use crate::support::Place;

/// A reader has five minutes.
const README_BYTES: usize = 12 * 1024;

#[test]
fn every_command_is_understood() {
    let place = Place::new();
    let (mut understood, mut wrong) = (0, Vec::new());
    for page in pages::all() {
        for command in commands::of(&page.text) {
            // Words that are wrong are refused before the help is printed.
            let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
            words.push("--help");
            let ran = place.run(&words);
            if ran.code == 0 {
                understood += 1;
            } else {
                wrong.push(format!("{}: {command:?}: {}", page.name, ran.stderr));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(understood > 50, "{understood} commands only");
}

#[test]
fn the_printed_configuration_is_good() {
    let place = Place::new()
        .with("OLD_SECRET", "an old secret of 27 bytes..")
        .with(
            "LABEL_STUDIO_WEBHOOK_SECRET",
            "secret0of0more0than0sixteen0bytes",
        );
    place.write("labelbox.secret", "a secret of Labelbox, 27 bytes");
    let pages = pages::all();
    let page = pages
        .iter()
        .find(|page| page.name == "docs/configuration.md")
        .unwrap();
    std::fs::create_dir(place.path("claims")).unwrap();
    let here = format!("{}/", place.directory.path().display());
    place.write("labelrelay.toml", page.toml().replace("/var/", &here));
    place.run(&["status"]).good();
}

#[test]
fn every_link_leads_somewhere() {
    let wrong: Vec<String> = pages::all().iter().flat_map(links::broken).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Red if a merge left both versions of a paragraph in a page, with its marks around them.
#[test]
fn no_page_says_something_in_two_versions() {
    let marked = |page: &pages::Page| {
        let mut lines = page.text.lines();
        lines.any(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "))
    };
    let pages = pages::all();
    let wrong: Vec<&str> = pages
        .iter()
        .filter(|page| marked(page))
        .map(|page| page.name.as_str())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_readme_is_short() {
    let pages = pages::all();
    let readme = pages.iter().find(|page| page.name == "README.md").unwrap();
    let bytes = readme.text.len();
    assert!(bytes <= README_BYTES, "README.md has {bytes} bytes");
}
