//! COCO, as [its documents](https://cocodataset.org/#format-data) have it: ids from 1, upright boxes, polygons as
//! `segmentation`, masks as run lengths column by column.

use super::format::Format;
use super::rejects::Rejects;
use super::writer::{Writer, Written};
use crate::DatasetError;
use crate::class_list::ClassList;
use crate::geometry::{Geometry, area, bounds};
use crate::mask::ColumnRuns;
use crate::output::Output;
use crate::selection::{Chosen, Region, Sample};
use crate::split::Split;
use labelrelay_event::changes::{Size, decode_brush};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A mask of more pixels is rejected: a short text can stand for gigabytes.
const MOST_PIXELS: u64 = 25_000_000;

/// The files of one part of the dataset.
struct Part {
    split: Split,
    images: Output,
    annotations: Output,
    annotations_path: PathBuf,
    image_count: u64,
    annotation_count: u64,
}

pub(crate) struct Coco<'c> {
    parts: Vec<Part>,
    classes: &'c ClassList,
    numbers: HashMap<&'c str, usize>,
}

/// A region as COCO has it.
struct Shape {
    bbox: [f64; 4],
    area: f64,
    /// Members that only some shapes have.
    members: Vec<(&'static str, Value)>,
}

impl<'c> Coco<'c> {
    pub(crate) fn begin(dir: &Path, classes: &'c ClassList) -> Result<Self, DatasetError> {
        let mut parts = Vec::new();
        for split in Split::ALL {
            // Annotations come after the images in the file, and both grow with the dataset.
            let annotations_path = dir.join(format!(".annotations-{}", split.as_str()));
            let mut images = Output::create(&dir.join(name(split)))?;
            images.write("{\"info\":{\"description\":\"written by labelrelay\"},\"images\":[")?;
            parts.push(Part {
                split,
                images,
                annotations: Output::create(&annotations_path)?,
                annotations_path,
                image_count: 0,
                annotation_count: 0,
            });
        }
        Ok(Self {
            parts,
            classes,
            numbers: classes.numbers(),
        })
    }
}

fn name(split: Split) -> String {
    format!("instances_{}.json", split.as_str())
}

impl Writer for Coco<'_> {
    fn sample(&mut self, sample: &Sample, rejects: &mut Rejects) -> Result<(), DatasetError> {
        let Some(part) = self.parts.iter_mut().find(|it| it.split == sample.split) else {
            return Ok(());
        };
        let Some((width, height)) = sample.size else {
            // Readers compute with it.
            return rejects.add_sample(
                Format::Coco.as_str(),
                sample,
                "the size of its image is not known",
            );
        };
        let image = part.image_count + 1;
        let before = (part.annotation_count, rejects.count);
        for annotation in &sample.annotations {
            for region in &annotation.regions {
                let shape = match shape(&region.geometry, sample.size) {
                    Ok(shape) => shape,
                    Err(reason) => {
                        reject(rejects, sample, annotation, region, reason)?;
                        continue;
                    }
                };
                if region.labels.is_empty() {
                    reject(rejects, sample, annotation, region, "it has no label")?;
                }
                for label in &region.labels {
                    let Some(class) = self.numbers.get(label.as_str()) else {
                        continue;
                    };
                    part.annotation_count += 1;
                    let mut entry = json!({
                        "id": part.annotation_count, "image_id": image, "category_id": class + 1,
                        "bbox": shape.bbox, "area": shape.area, "iscrowd": 0,
                        annotation.kind.as_str(): annotation.id, "region": region.id,
                    });
                    // Readers take an empty segmentation for a damaged one.
                    if let Value::Object(members) = &mut entry {
                        let more = shape.members.iter();
                        members
                            .extend(more.map(|(name, value)| ((*name).to_owned(), value.clone())));
                    }
                    part.annotations.write(separator(part.annotation_count))?;
                    part.annotations.write(&entry.to_string())?;
                }
            }
        }
        // An image without annotations says that there is nothing on it: that is learned.
        if part.annotation_count == before.0 && rejects.count > before.1 {
            return Ok(());
        }
        part.image_count = image;
        let file = sample.media.clone().unwrap_or_else(|| sample.file_name());
        let entry = json!({
            "id": image, "file_name": file, "width": width, "height": height,
            "source": sample.source, "project": sample.project, "task": sample.task, "item": sample.item,
        });
        part.images.write(separator(image))?;
        part.images.write(&entry.to_string())
    }

    fn end(self: Box<Self>) -> Result<Vec<Written>, DatasetError> {
        let categories: Vec<Value> = self
            .classes
            .0
            .iter()
            .enumerate()
            .map(|(number, name)| {
                json!({"id": number + 1, "name": name, "supercategory": "", "keypoints": [name], "skeleton": []})
            })
            .collect();
        let mut written = Vec::new();
        for part in self.parts {
            let mut file = part.images;
            file.write("\n],\"annotations\":[")?;
            part.annotations.end()?;
            file.append(&part.annotations_path)?;
            std::fs::remove_file(&part.annotations_path)
                .map_err(DatasetError::io(&part.annotations_path))?;
            file.write(&format!(
                "\n],\"categories\":{}}}\n",
                Value::from(categories.clone())
            ))?;
            written.push((format!("coco/{}", name(part.split)), file.end()?));
        }
        Ok(written)
    }
}

/// What stands before the entry of this number.
const fn separator(number: u64) -> &'static str {
    if number == 1 { "\n" } else { ",\n" }
}

fn reject(
    rejects: &mut Rejects,
    sample: &Sample,
    annotation: &Chosen,
    region: &Region,
    reason: &str,
) -> Result<(), DatasetError> {
    let kind = &region.geometry.kind;
    rejects.add(
        Format::Coco.as_str(),
        sample,
        annotation,
        region.id.as_deref(),
        kind,
        reason,
    )
}

/// The region in COCO's terms, or why there is none.
fn shape(geometry: &Geometry, size: Option<(u32, u32)>) -> Result<Shape, &'static str> {
    geometry.must_fit(size)?;
    if geometry.kind == "mask" {
        return mask(geometry);
    }
    if !matches!(geometry.kind.as_str(), "box" | "polygon" | "keypoint") {
        return Err("COCO has no such region");
    }
    let pixels = geometry
        .in_pixels(size)
        .ok_or("the size of its image is not known")?;
    match geometry.kind.as_str() {
        "box" | "polygon" => outlined(&pixels.outline()?),
        _ => {
            let (x, y) = pixels.x.zip(pixels.y).ok_or("it has no place")?;
            if !(x.is_finite() && y.is_finite()) {
                return Err("its coordinates are not finite");
            }
            Ok(Shape {
                bbox: [x, y, 0.0, 0.0],
                area: 0.0,
                // 2: labelled, and to be seen. Neither platform says whether it is.
                members: vec![("keypoints", json!([x, y, 2])), ("num_keypoints", json!(1))],
            })
        }
    }
}

/// What these points go round.
fn outlined(points: &[[f64; 2]]) -> Result<Shape, &'static str> {
    let bbox = bounds(points).ok_or("its coordinates are not finite")?;
    let area = area(points);
    // JSON has no such number, and readers compute with what stands in its place.
    if !(area.is_finite() && bbox.iter().all(|it| it.is_finite())) {
        return Err("its size or its area is more than a number can hold");
    }
    let flat: Vec<f64> = points.iter().flatten().copied().collect();
    Ok(Shape {
        bbox,
        area,
        members: vec![("segmentation", json!([flat]))],
    })
}

fn mask(geometry: &Geometry) -> Result<Shape, &'static str> {
    let Some(rle) = &geometry.rle else {
        return Err("its pixels are behind an address of the platform");
    };
    let (width, height) = geometry.size.ok_or("the size of its image is not known")?;
    let pixels = decode_brush(rle, Size { width, height }, MOST_PIXELS)
        .map_err(|_| "its run lengths are damaged, do not fit its image, or stand for more than 25,000,000 pixels")?;
    let runs = ColumnRuns::of(&pixels, width as usize, height as usize);
    let bounds = runs.bounds.ok_or("it marks nothing")?;
    #[expect(clippy::cast_precision_loss, reason = "pixels are below 2^53")]
    Ok(Shape {
        bbox: bounds.map(|it| it as f64),
        area: runs.area as f64,
        members: vec![(
            "segmentation",
            json!({"size": [height, width], "counts": runs.counts}),
        )],
    })
}
