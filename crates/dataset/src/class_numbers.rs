//! Numbers that classes have in a file of an earlier snapshot, for a dataset that is made anew.

use crate::class_list::{self, ClassList};
use crate::{DatasetError, Store};
use serde::Deserialize;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

impl Store {
    /// Gives classes the numbers that they have in a file of an earlier snapshot: `data.yaml` of YOLO, or one of COCO's
    /// `instances_….json`. Classes that are not in it come behind them.
    ///
    /// ```
    /// use labelrelay_dataset::Store;
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path();
    ///
    /// let file = dir.join("data.yaml");
    /// std::fs::write(&file, "train: images/train\nnames:\n  0: \"car\"\n  1: \"bus\"\n")?;
    /// Store::open(dir)?.take_class_numbers(&file)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DatasetError`] when the file is none of these, or when a class has another number here already. Nothing is changed
    /// then.
    pub fn take_class_numbers(&mut self, file: impl AsRef<Path>) -> Result<(), DatasetError> {
        let file = file.as_ref();
        let names = names_in(file)?;
        let failed = self.failed();
        let known = ClassList::read(&self.db).map_err(&failed)?.0;
        let mut both = names.iter().zip(&known).enumerate();
        if let Some((number, (there, here))) = both.find(|(_, (there, here))| there != here) {
            return Err(DatasetError::new(
                file,
                format!("number {number} is {there:?} there, and {here:?} in this dataset"),
                "make the dataset in a directory that has none yet",
            ));
        }
        let db = self.db.transaction().map_err(&failed)?;
        for name in names.iter().skip(known.len()) {
            class_list::note(&db, name, None, "").map_err(&failed)?;
        }
        db.commit().map_err(&failed)?;
        self.renew()
    }
}

/// Names of the classes in a file, in the order of their numbers.
fn names_in(file: &Path) -> Result<Vec<String>, DatasetError> {
    let failed = DatasetError::io(file);
    let is_json = file
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("json"));
    let numbered = if is_json {
        // It may be of gigabytes, and the classes are at its end.
        of_coco(BufReader::new(File::open(file).map_err(&failed)?))
    } else {
        of_yolo(&fs::read_to_string(file).map_err(&failed)?)
    };
    numbered.and_then(in_order).ok_or_else(|| {
        DatasetError::new(
            file,
            "names no classes with numbers as a snapshot does",
            "name the `data.yaml` or an `instances_train.json` of a snapshot",
        )
    })
}

fn of_coco(file: BufReader<File>) -> Option<Vec<(usize, String)>> {
    #[derive(Deserialize)]
    struct Coco {
        categories: Vec<Category>,
    }
    #[derive(Deserialize)]
    struct Category {
        id: usize,
        name: String,
    }
    let coco: Coco = serde_json::from_reader(file).ok()?;
    let categories = coco.categories.into_iter();
    categories
        .map(|it| Some((it.id.checked_sub(1)?, it.name)))
        .collect()
}

/// The lines of `data.yaml` behind `names:`, each with a number and a string of JSON.
fn of_yolo(text: &str) -> Option<Vec<(usize, String)>> {
    let (_, lines) = text.split_once("names:\n")?;
    let line = |line: &str| {
        let (number, name) = line.trim().split_once(": ")?;
        let (number, name) = (
            number.parse::<usize>(),
            serde_json::from_str::<String>(name),
        );
        number.ok().zip(name.ok())
    };
    lines.lines().map(line).collect()
}

/// Names by number, if each number from 0 on is there once, and no name is there twice.
fn in_order(mut numbered: Vec<(usize, String)>) -> Option<Vec<String>> {
    numbered.sort();
    let has_all = numbered
        .iter()
        .enumerate()
        .all(|(place, (number, _))| place == *number);
    let names: Vec<String> = numbered.into_iter().map(|(_, name)| name).collect();
    let is_each_once = names.iter().collect::<HashSet<_>>().len() == names.len();
    (has_all && is_each_once).then_some(names)
}
