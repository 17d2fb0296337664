//! Commands of `labelrelay` in a document: in its blocks of shell, and in its sentences.

/// The words of each command, without the program's name.
pub(super) fn of(text: &str) -> Vec<Vec<String>> {
    let (mut fence, mut code) = (None, String::new());
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = fence.is_none().then(|| language.to_owned());
        } else if fence.as_deref() == Some("sh") {
            // A command may go on in the next line.
            match line.strip_suffix('\\') {
                Some(part) => code.push_str(part),
                None => code.extend([line, "\n"]),
            }
        } else if fence.is_none() {
            for span in line.split('`').skip(1).step_by(2) {
                code.extend([span, "\n"]);
            }
        }
    }
    code.lines().flat_map(in_line).collect()
}

const PROGRAM: &str = "labelrelay ";

fn in_line(line: &str) -> Vec<Vec<String>> {
    line.match_indices(PROGRAM)
        .filter(|(at, _)| !line[..*at].ends_with(|before| !" (".contains(before)))
        .map(|(at, _)| words(&line[at + PROGRAM.len()..]))
        // Else it is a name: of a stack, an image, a folder.
        .filter(|words| words.first().is_some_and(|word| is_verb(word)))
        .collect()
}

fn is_verb(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Words up to the end of the command, as a shell reads them.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in text.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '<' | ';' | '&' | ')') => break,
            (None, '#') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[test]
fn commands_are_found() {
    let text = "Say `labelrelay status`.\n```sh\nA=… labelrelay pull x --every 5m # now\ndocker run labelrelay \\\n  serve | jq .\n```\n`docker build --tag labelrelay .`";
    assert_eq!(
        of(text),
        [&["status"][..], &["pull", "x", "--every", "5m"], &["serve"]]
    );
    assert_eq!(words("a 'b c' \"$D\" ''"), ["a", "b c", "$D", ""]);
}
