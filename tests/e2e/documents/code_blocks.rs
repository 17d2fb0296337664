//! The blocks of code in a document.

pub(super) struct Block {
    /// Line of its first line.
    pub(super) line: usize,
    language: String,
    pub(super) text: String,
}

impl Block {
    /// Text that a shell runs for it; `None` when it is nothing to run.
    pub(super) fn shell(&self) -> Option<String> {
        match self.language.as_str() {
            "sh" => Some(self.text.clone()),
            // The consumers of the clouds' queues have tests of their own.
            "python" if !self.text.starts_with("# consumer.py") => {
                Some(format!("python3 - <<'END'\n{}END\n", self.text))
            }
            _ => None,
        }
    }

    /// Tells whether it shows what the block before it prints.
    pub(super) fn is_output(&self) -> bool {
        self.language == "text"
    }
}

pub(super) fn of(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = None::<Block>;
    for (index, line) in document.lines().enumerate() {
        let fence = line.strip_prefix("```");
        match (open.as_mut(), fence) {
            (None, Some(language)) => {
                open = Some(Block {
                    line: index + 2,
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    blocks
}
