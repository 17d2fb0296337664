//! Links within the repository, and the headings that they point at.

use super::pages::Page;
use std::path::Path;

/// Links of the page that lead nowhere.
pub(super) fn broken(page: &Page) -> Vec<String> {
    links(&page.text)
        .filter(|link| !link.contains("://") && !leads(page, link))
        .map(|link| format!("{}: {link} leads nowhere", page.name))
        .collect()
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
}

fn leads(page: &Page, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let path = if file.is_empty() {
        page.path.clone()
    } else {
        page.path.parent().unwrap().join(file)
    };
    path.exists() && (heading.is_empty() || has_heading(&path, heading))
}

fn has_heading(path: &Path, heading: &str) -> bool {
    let text = std::fs::read_to_string(path).unwrap();
    let named = format!("<a name=\"{heading}\">");
    prose(&text).any(|line| {
        line.contains(&named)
            || line.starts_with('#') && anchor(line.trim_start_matches('#').trim()) == heading
    })
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|&c| c.is_alphanumeric() || " -_".contains(c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Lines outside blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(anchor("A 401, and why"), "a-401-and-why");
    assert_eq!(anchor("`[[source]]`"), "source");
}
