//! The files of the page: a document, scripts as modules, and a style sheet. Nothing builds them.

pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

pub(crate) static INDEX: Asset = Asset {
    name: "index.html",
    media_type: "text/html; charset=utf-8",
    bytes: include_bytes!("../assets/index.html"),
};

const SCRIPT: &str = "text/javascript; charset=utf-8";

static FILES: [Asset; 9] = [
    Asset {
        name: "page.css",
        media_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../assets/page.css"),
    },
    Asset {
        name: "icon.svg",
        media_type: "image/svg+xml",
        bytes: include_bytes!("../assets/icon.svg"),
    },
    Asset {
        name: "page.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../assets/page.js"),
    },
    Asset {
        name: "list.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../assets/list.js"),
    },
    Asset {
        name: "selection.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../assets/selection.js"),
    },
    Asset {
        name: "detail.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../assets/detail.js"),
    },
    Asset {
        name: "draw.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../assets/draw.js"),
    },
    Asset {
        name: "media.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../assets/media.js"),
    },
    Asset {
        name: "dom.js",
        media_type: SCRIPT,
        bytes: include_bytes!("../assets/dom.js"),
    },
];

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    FILES.iter().find(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Upper bound of what the page weighs, before any compression.
    const MAX_BYTES: usize = 60 * 1024;

    fn text(asset: &Asset) -> &str {
        std::str::from_utf8(asset.bytes).unwrap()
    }

    #[test]
    fn the_page_is_small() {
        let files = FILES.iter().map(|file| file.bytes.len()).sum::<usize>();
        let all = files + INDEX.bytes.len();
        assert!(all <= MAX_BYTES, "{all} bytes");
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        let index = text(&INDEX);
        for inline in ["<style", " style=", " onclick=", " onload=", "javascript:"] {
            assert!(!index.contains(inline), "{inline}");
        }
        for script in index.split("<script").skip(1) {
            let (tag, _) = script.split_once('>').unwrap();
            assert!(tag.contains(" src=\"/assets/"), "{tag}");
            assert!(script.contains("></script>"), "{script}");
        }
        for file in FILES.iter().chain([&INDEX]) {
            let without_namespace = text(file).replace("http://www.w3.org/2000/svg", "");
            for elsewhere in ["http://", "https://", "//cdn", "@import"] {
                assert!(
                    !without_namespace.contains(elsewhere),
                    "{}: {elsewhere}",
                    file.name
                );
            }
        }
    }

    #[test]
    fn no_script_makes_markup_or_links_of_text() {
        let sinks = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "new Function",
            ".href",
            "'href'",
            "\"href\"",
            "srcdoc",
        ];
        let mut links = Vec::new();
        for file in FILES.iter().filter(|file| file.media_type == SCRIPT) {
            for sink in sinks {
                assert!(!text(file).contains(sink), "{}: {sink}", file.name);
            }
            links.extend(text(file).matches("href:").map(|_| file.name));
        }
        // The address of bytes that the page saves, which the browser makes up.
        assert_eq!(links, ["dom.js"]);
    }

    #[test]
    fn every_file_that_the_page_asks_for_is_here() {
        let mut asked = 0;
        for file in FILES.iter().chain([&INDEX]) {
            for part in text(file).split("\"/assets/").skip(1) {
                let (name, _) = part.split_once('"').unwrap();
                assert!(find(name).is_some(), "{}: {name}", file.name);
                asked += 1;
            }
            for part in text(file).split("from './").skip(1) {
                let (name, _) = part.split_once('\'').unwrap();
                assert!(find(name).is_some(), "{}: {name}", file.name);
                asked += 1;
            }
        }
        assert!(asked > FILES.len(), "{asked}");
    }
}
