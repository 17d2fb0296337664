//! Copies of the media that the user has.

use crate::support::{Dataset, lines, rectangle, there};
use labelrelay_dataset::{Format, MediaList, Options, Snapshot};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The head of a PNG of this size.
pub(crate) fn png(path: &Path, width: u32, height: u32) {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 2, 0, 0, 0]);
    fs::write(path, file).unwrap();
}

fn images(dataset: &Dataset, snapshot: &Snapshot) -> Vec<Value> {
    let dir = dataset.dir.path().join(&snapshot.path).join("coco");
    let mut images = Vec::new();
    for part in ["train", "val", "test"] {
        let text = fs::read_to_string(dir.join(format!("instances_{part}.json"))).unwrap();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        images.append(file["images"].as_array_mut().unwrap());
    }
    images
}

/// A box of no known image: the platform says percent, and no size.
fn without_size() -> Value {
    let mut region = rectangle("r", "car", [50.0, 50.0, 10.0, 10.0], 0.0);
    let members = region.as_object_mut().unwrap();
    members.remove("original_width");
    members.remove("original_height");
    json!([region])
}

/// Red if the head of a file is not read, if a file that contradicts the platform is believed or ignored, or if a file that
/// comes later makes no new snapshot.
#[test]
fn copies_say_sizes_and_contradict_them() {
    let mut dataset = Dataset::new();
    let copies = tempfile::tempdir().unwrap();
    let mut options = Options::of(Format::Coco);
    options.media = vec![
        format!("s3://cars={}", copies.path().display())
            .parse()
            .unwrap(),
    ];
    let of_200_x_100 = json!([rectangle("r", "car", [50.0, 50.0, 10.0, 10.0], 0.0)]);
    // The images lie at s3://cars/1.jpg and so on.
    dataset.fold(&[
        there(1, 1, 1, &without_size()),
        there(2, 2, 2, &of_200_x_100),
        there(3, 3, 3, &of_200_x_100),
    ]);
    png(&copies.path().join("2.jpg"), 200, 100);
    png(&copies.path().join("3.jpg"), 200, 101);
    let before = dataset.write(&options);
    assert_eq!(before.counts.media_missing, 1);
    // The image without a size, and the region that was drawn on another image.
    assert_eq!(before.counts.rejected, 2);
    assert_eq!(dataset.write(&options), before);

    png(&copies.path().join("1.jpg"), 400, 300);
    let after = dataset.write(&options);
    assert_eq!((after.number, after.counts.media_missing), (2, 0));
    assert_eq!(after.counts.rejected, 1);
    let images = images(&dataset, &after);
    let found: Vec<_> = images
        .iter()
        .map(|image| (&image["file_name"], &image["width"], &image["height"]))
        .collect();
    let path = |name: &str| json!(copies.path().join(name).to_string_lossy());
    // Nothing is left on the third one.
    assert_eq!(found.len(), 2, "{found:?}");
    for (name, width, height) in [("1.jpg", 400, 300), ("2.jpg", 200, 100)] {
        let expected = (&path(name), &json!(width), &json!(height));
        assert!(found.contains(&expected), "{found:?}");
    }
    let rejects = lines(&dataset.dir.path().join(&after.path).join("rejects.jsonl"));
    assert_eq!(rejects[0]["task"], "3", "{rejects:?}");
    let reason = rejects[0]["reason"].as_str().unwrap();
    assert!(reason.contains("another size"), "{reason}");
}

/// Red if a task's medium is left out, or if whoever lists them keeps others from the dataset.
#[test]
fn media_of_all_tasks_are_listed_while_the_dataset_is_open() {
    let mut dataset = Dataset::new();
    let messages: Vec<String> = (1..=600)
        .map(|id| there(id, id, 1, &without_size()))
        .collect();
    dataset.fold(&messages);
    let listed: Vec<Vec<String>> = MediaList::open(dataset.dir.path())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(listed.len() > 1, "some at a time");
    let mut listed = listed.concat();
    listed.sort();
    // With what is behind a `?`: whoever fetches needs it.
    let mut expected: Vec<String> = (1..=600)
        .map(|id| format!("s3://cars/{id}.jpg?token=secret"))
        .collect();
    expected.sort();
    assert!(
        listed == expected,
        "{} listed, such as {:?}",
        listed.len(),
        listed.first()
    );
}
