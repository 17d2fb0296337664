//! The Dockerfile's stages, each with its instructions.

use crate::tool::root;

pub(crate) struct Stage {
    name: String,
    instructions: Vec<(String, String)>,
}

impl Stage {
    pub(crate) fn all(&self, instruction: &str) -> impl Iterator<Item = &str> {
        let wanted = instruction.to_owned();
        let found = self.instructions.iter();
        found
            .filter(move |(name, _)| *name == wanted)
            .map(|(_, rest)| rest.as_str())
    }
}

pub(crate) fn stage<'a>(stages: &'a [Stage], name: &str) -> &'a Stage {
    stages.iter().find(|stage| stage.name == name).unwrap()
}

/// The Dockerfile's stages.
pub(crate) fn stages() -> Vec<Stage> {
    let text = std::fs::read_to_string(root().join("Dockerfile")).unwrap();
    let mut stages: Vec<Stage> = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let (instruction, rest) = line.split_once(' ').unwrap();
        if instruction == "FROM" {
            let name = rest.split(" AS ").nth(1).unwrap().to_owned();
            let instructions = Vec::new();
            stages.push(Stage { name, instructions });
        } else {
            let stage = stages.last_mut().unwrap();
            let rest = rest.trim().to_owned();
            stage.instructions.push((instruction.to_owned(), rest));
        }
    }
    stages
}
