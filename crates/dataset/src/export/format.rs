//! Formats and their names.

/// A format of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// COCO: boxes, polygons, masks as run lengths, keypoints. One file for each part of the dataset.
    Coco,
    /// YOLO: one text file for each image.
    Yolo(YoloTask),
    /// One JSON object a line for each image, with all that is known of it.
    Jsonl,
    /// Tables for SQL, whatever is chosen for the other formats.
    Parquet,
}

/// Kind of object that a YOLO model learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum YoloTask {
    /// Upright boxes.
    Detect,
    /// Polygons.
    Segment,
    /// Boxes that are turned.
    Oriented,
}

impl Format {
    /// The name: `yolo-obb`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Yolo(YoloTask::Detect) => "yolo",
            Self::Yolo(YoloTask::Segment) => "yolo-seg",
            Self::Yolo(YoloTask::Oriented) => "yolo-obb",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Coco,
        Self::Yolo(YoloTask::Detect),
        Self::Yolo(YoloTask::Segment),
        Self::Yolo(YoloTask::Oriented),
        Self::Jsonl,
        Self::Parquet,
    ];
}
