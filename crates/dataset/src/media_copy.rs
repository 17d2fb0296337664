//! The user's own copies of media: their places, and the sizes of the images among them. Nothing is fetched.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// A directory that has copies of everything below an address of the platform.
///
/// ```
/// use labelrelay_dataset::MediaCopy;
///
/// let copy: MediaCopy = "s3://bucket/raw=./images".parse()?;
/// assert_eq!(copy.address, "s3://bucket/raw");
/// assert_eq!(copy.path, std::path::Path::new("./images"));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaCopy {
    /// How the addresses begin: `s3://bucket/raw`, or `/data/local-files/?d=raw`.
    pub address: String,
    /// The directory, or a file if the address is that of one medium.
    pub path: PathBuf,
}

impl FromStr for MediaCopy {
    type Err = String;

    /// Reads `ADDRESS=PATH`. An address may hold `=`, so the last one parts the two.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.rsplit_once('=') {
            Some((address, path)) if !address.is_empty() && !path.is_empty() => Ok(Self {
                address: address.to_owned(),
                path: path.into(),
            }),
            _ => Err("write ADDRESS=PATH, such as s3://bucket/raw=./images".to_owned()),
        }
    }
}

impl MediaCopy {
    /// The copy's place, if the address is this one or below it. An address that leads out of the directory has none.
    fn file(&self, address: &str) -> Option<PathBuf> {
        let rest = address.strip_prefix(&self.address)?;
        if rest.is_empty() {
            return Some(self.path.clone());
        }
        if !rest.starts_with('/') && !self.address.ends_with(['/', '=']) {
            return None;
        }
        let rest = rest.trim_start_matches('/');
        let as_written = self.below(rest);
        if as_written.as_deref().is_some_and(Path::is_file) {
            return as_written;
        }
        let decoded = percent_encoding::percent_decode_str(rest).decode_utf8();
        let decoded = decoded.ok().and_then(|rest| self.below(&rest));
        decoded.filter(|it| it.is_file()).or(as_written)
    }

    fn below(&self, rest: &str) -> Option<PathBuf> {
        let is_below = Path::new(rest)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        (is_below && !rest.contains('\0')).then(|| self.path.join(rest))
    }
}

/// Place of the copy of what is at this address. The longest address that fits decides.
pub(crate) fn find(copies: &[MediaCopy], address: &str) -> Option<PathBuf> {
    let fitting = copies
        .iter()
        .filter_map(|copy| Some((copy.address.len(), copy.file(address)?)));
    fitting.max_by_key(|(length, _)| *length).map(|(_, it)| it)
}

/// Size of an image by the head of its file: width and height, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImageSize {
    /// As it is shown. Browsers turn a photograph as its EXIF orientation says, so the annotator saw this one.
    pub(crate) shown: (u32, u32),
    /// As its pixels are stored. Who imports labels may have looked at these.
    pub(crate) stored: (u32, u32),
}

/// Size of the image in a file, `None` if it is no image.
pub(crate) fn image_size(path: &Path) -> Option<ImageSize> {
    // A FIFO would be waited for.
    if !path.is_file() {
        return None;
    }
    let mut file = BufReader::new(File::open(path).ok()?);
    let size = imagesize::reader_size(&mut file).ok()?;
    let stored = (
        u32::try_from(size.width).ok()?,
        u32::try_from(size.height).ok()?,
    );
    file.rewind().ok()?;
    let shown = if is_on_its_side(&mut file) {
        (stored.1, stored.0)
    } else {
        stored
    };
    Some(ImageSize { shown, stored })
}

/// Tells whether the EXIF orientation of a JPEG swaps width and height (5 to 8 in EXIF 2.32, 4.6.4).
fn is_on_its_side(file: &mut BufReader<File>) -> bool {
    if !matches!(
        imagesize::reader_type(&mut *file),
        Ok(imagesize::ImageType::Jpeg)
    ) {
        return false;
    }
    let exif = file
        .rewind()
        .ok()
        .and_then(|()| exif::Reader::new().read_from_container(file).ok());
    let orientation = exif.as_ref().and_then(|exif| {
        exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?
            .value
            .get_uint(0)
    });
    orientation.is_some_and(|it| (5..=8).contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(of: &[&str]) -> Vec<MediaCopy> {
        of.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn an_address_leads_to_its_copy_and_never_out_of_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a car.jpg"), b"").unwrap();
        let root = dir.path().display();
        let found = |address: &str| {
            let of = [
                format!("s3://b/raw={root}"),
                "s3://b/raw/new=other".to_owned(),
                "/data/local-files/?d=cars=local".to_owned(),
                "/data/local-files/?d==all".to_owned(),
                "https://h/one.png=1.png".to_owned(),
            ];
            let of: Vec<&str> = of.iter().map(String::as_str).collect();
            find(&copies(&of), address)
        };
        let below = |name: &str| Some(dir.path().join(name));
        assert_eq!(found("s3://b/raw/7.jpg"), below("7.jpg"));
        assert_eq!(found("s3://b/raw/2026/7.jpg"), below("2026/7.jpg"));
        assert_eq!(found("s3://b/raw/a%20car.jpg"), below("a car.jpg"));
        // No such file under either name: the one that is written.
        assert_eq!(found("s3://b/raw/b%20car.jpg"), below("b%20car.jpg"));
        assert_eq!(found("s3://b/raw/new/7.jpg"), Some("other/7.jpg".into()));
        assert_eq!(
            found("/data/local-files/?d=cars/7.jpg"),
            Some("local/7.jpg".into())
        );
        assert_eq!(
            found("/data/local-files/?d=x/7.jpg"),
            Some("all/x/7.jpg".into())
        );
        assert_eq!(found("https://h/one.png"), Some("1.png".into()));
        for out in [
            "s3://b/rawest/7.jpg",
            "s3://b/raw/../7.jpg",
            "s3://b/raw/%2e%2e/7.jpg/../..",
            "s3://c/raw/7.jpg",
            "https://h/one.png.exe",
        ] {
            assert_eq!(found(out), None, "{out}");
        }
        for wrong in ["", "s3://b", "=x", "s3://b="] {
            assert!(wrong.parse::<MediaCopy>().is_err(), "{wrong}");
        }
    }

    /// The head of a JPEG of 40 x 30 pixels, with this EXIF orientation.
    fn jpeg(orientation: u8) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8];
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
        // Tag 0x0112, one SHORT.
        exif.extend([1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
        exif.extend([0, 0, 0, 0]);
        file.extend([0xff, 0xe1, 0]);
        file.push(u8::try_from(exif.len() + 2).unwrap());
        file.extend(exif);
        // Frame: eight bits, height, width, one component.
        file.extend([
            0xff, 0xc0, 0, 11, 8, 0, 30, 0, 40, 1, 1, 0x11, 0, 0xff, 0xda, 0, 2, 0xff, 0xd9,
        ]);
        file
    }

    #[test]
    fn sizes_are_those_that_an_annotator_saw() {
        let dir = tempfile::tempdir().unwrap();
        let size = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            image_size(&path).map(|it| (it.shown, it.stored))
        };
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 100, 8, 2, 0, 0, 0]);
        assert_eq!(size("a.png", &png), Some(((256, 100), (256, 100))));
        assert_eq!(size("straight.jpg", &jpeg(1)), Some(((40, 30), (40, 30))));
        assert_eq!(
            size("upside-down.jpg", &jpeg(3)),
            Some(((40, 30), (40, 30)))
        );
        assert_eq!(
            size("on-its-side.jpg", &jpeg(6)),
            Some(((30, 40), (40, 30)))
        );
        assert_eq!(size("b.txt", b"no image"), None);
        assert_eq!(size("empty", b""), None);
        assert_eq!(image_size(dir.path()), None);
        assert_eq!(image_size(&dir.path().join("missing.png")), None);
    }
}
