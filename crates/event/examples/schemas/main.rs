//! Writes the contract as files: a JSON Schema of the envelope and of each shape of data, and an `AsyncAPI` document.
//!
//! `schemas FOLDER` writes them, `schemas FOLDER --check` fails if one of them is not what it would write.

mod asyncapi;
mod data;
mod envelope;
mod text;

use serde_json::Value;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// The dialect of all schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A file's name, and what it holds.
type File = (String, Value);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] => write(Path::new(folder)),
        [folder, "--check"] => check(Path::new(folder)),
        _ => Err("usage: schemas FOLDER [--check]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn files() -> Vec<File> {
    let mut files = vec![envelope::file()];
    files.extend(data::files());
    files.push(asyncapi::file());
    for (_, value) in &mut files {
        text::without_links(value);
    }
    files
}

fn written(value: &Value) -> Result<String, Box<dyn Error>> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    for (name, value) in files() {
        std::fs::write(folder.join(name), written(&value)?)?;
    }
    Ok(())
}

fn check(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (name, value) in files() {
        let path = folder.join(&name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&*written(&value)?) {
            return Err(format!(
                "{} is not what the types say: run `cargo xtask schemas`",
                path.display()
            )
            .into());
        }
    }
    Ok(())
}
