//! YOLO, as [Ultralytics' documents](https://docs.ultralytics.com/datasets/) have it: a text file for each image, one
//! object a line, coordinates as parts of the image's width and height.

use super::format::{Format, YoloTask};
use super::rejects::Rejects;
use super::writer::{Writer, Written};
use crate::DatasetError;
use crate::class_list::ClassList;
use crate::geometry::Geometry;
use crate::output::{Output, hex, private_dir};
use crate::selection::Sample;
use crate::split::Split;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub(crate) struct Yolo<'c> {
    dir: PathBuf,
    task: YoloTask,
    classes: &'c ClassList,
    numbers: HashMap<&'c str, usize>,
    images: Output,
    /// Over the names and digests of all label files, of which there may be a million.
    labels: Sha256,
}

impl<'c> Yolo<'c> {
    pub(crate) fn begin(
        dir: &Path,
        task: YoloTask,
        classes: &'c ClassList,
    ) -> Result<Self, DatasetError> {
        Ok(Self {
            images: Output::create(&dir.join("images.jsonl"))?,
            dir: dir.to_owned(),
            task,
            classes,
            numbers: classes.numbers(),
            labels: Sha256::new(),
        })
    }

    fn format(&self) -> &'static str {
        Format::Yolo(self.task).as_str()
    }
}

impl Writer for Yolo<'_> {
    fn sample(&mut self, sample: &Sample, rejects: &mut Rejects) -> Result<(), DatasetError> {
        let mut lines = String::new();
        let mut rejected = false;
        for annotation in &sample.annotations {
            for region in &annotation.regions {
                let reason = match line(&region.geometry, sample.size, self.task) {
                    Ok(_) if region.labels.is_empty() => "it has no label",
                    Ok(coordinates) => {
                        for label in &region.labels {
                            if let Some(class) = self.numbers.get(label.as_str()) {
                                // Writing to a string never fails.
                                let _ = writeln!(lines, "{class}{coordinates}");
                            }
                        }
                        continue;
                    }
                    Err(reason) => reason,
                };
                rejected = true;
                let kind = &region.geometry.kind;
                rejects.add(
                    self.format(),
                    sample,
                    annotation,
                    region.id.as_deref(),
                    kind,
                    reason,
                )?;
            }
        }
        // An empty file says that there is nothing on the image: that is learned.
        if rejected && lines.is_empty() {
            return Ok(());
        }
        let name = sample.file_name();
        let split = sample.split.as_str();
        let path = self
            .dir
            .join("labels")
            .join(split)
            .join(format!("{name}.txt"));
        let mut file = Output::create(&path)?;
        file.write(&lines)?;
        let digest = file.end()?;
        self.labels
            .update(format!("{digest}  {split}/{name}.txt\n"));
        self.images.line(&json!({
            "name": name, "split": split, "media": sample.media, "source": sample.source,
            "project": sample.project, "task": sample.task, "item": sample.item,
        }))
    }

    fn end(self: Box<Self>) -> Result<Vec<Written>, DatasetError> {
        let format = self.format();
        // Without a `path`, trainers look beside this file.
        let mut yaml = String::new();
        for split in Split::ALL {
            let split = split.as_str();
            let _ = writeln!(yaml, "{split}: images/{split}");
            let labels = self.dir.join("labels").join(split);
            private_dir(&labels)?;
        }
        yaml.push_str("names:\n");
        for (number, name) in self.classes.0.iter().enumerate() {
            // A string of JSON is one of YAML, whatever is in it.
            let _ = writeln!(yaml, "  {number}: {}", json!(name));
        }
        let mut file = Output::create(&self.dir.join("data.yaml"))?;
        file.write(&yaml)?;
        Ok(vec![
            (format!("{format}/labels"), hex(&self.labels.finalize())),
            (format!("{format}/data.yaml"), file.end()?),
            (format!("{format}/images.jsonl"), self.images.end()?),
        ])
    }
}

/// The coordinates of an object, each with a space before it; or why there are none.
fn line(
    geometry: &Geometry,
    size: Option<(u32, u32)>,
    task: YoloTask,
) -> Result<String, &'static str> {
    geometry.must_fit(size)?;
    let (width, height) = size.ok_or("the size of its image is not known")?;
    let pixels = || {
        geometry
            .in_pixels(size)
            .ok_or("the size of its image is not known")
    };
    let points: Vec<[f64; 2]> = match (geometry.kind.as_str(), task) {
        ("box", YoloTask::Detect) => {
            if !geometry.is_upright() {
                return Err("it is turned: yolo-obb has turned boxes");
            }
            return upright(&pixels()?, (f64::from(width), f64::from(height)));
        }
        ("box", _) | ("polygon", YoloTask::Segment) => pixels()?.outline()?,
        _ => return Err("YOLO has no such region for this task"),
    };
    let mut line = String::new();
    for [x, y] in points {
        let (x, y) = (
            inside(x / f64::from(width))?,
            inside(y / f64::from(height))?,
        );
        let _ = write!(line, " {x} {y}");
    }
    Ok(line)
}

fn upright(pixels: &Geometry, (width, height): (f64, f64)) -> Result<String, &'static str> {
    let (x, y) = pixels.x.zip(pixels.y).ok_or("it has no place")?;
    let (wide, high) = pixels.width.zip(pixels.height).ok_or("it has no place")?;
    for (part, whole) in [
        (x, width),
        (y, height),
        (x + wide, width),
        (y + high, height),
    ] {
        inside(part / whole)?;
    }
    pixels.outline()?;
    let mut line = String::new();
    for part in [
        (x + wide / 2.0) / width,
        (y + high / 2.0) / height,
        // A negative size goes to the other side of its place: the centre above is right already.
        wide.abs() / width,
        high.abs() / height,
    ] {
        let part = part.clamp(0.0, 1.0);
        let _ = write!(line, " {part}");
    }
    Ok(line)
}

/// A part of the image's width or height. Trainers stop at what is beyond the image, but a hair's breadth is rounding.
fn inside(part: f64) -> Result<f64, &'static str> {
    const HAIR: f64 = 1e-6;
    if !part.is_finite() {
        return Err("its coordinates are not finite");
    }
    if !(-HAIR..=1.0 + HAIR).contains(&part) {
        return Err("it reaches beyond its image");
    }
    Ok(part.clamp(0.0, 1.0))
}
