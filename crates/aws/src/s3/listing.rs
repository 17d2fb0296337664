//! Keys in an answer of `ListObjectsV2`.

use labelrelay_core::BlobError;
use percent_encoding::percent_decode_str;

/// The keys, in S3's order, which is that of their bytes.
pub(super) fn keys(body: &[u8]) -> Result<Vec<String>, BlobError> {
    let garbled = || BlobError::transient("the list of objects is not one of S3");
    let text = std::str::from_utf8(body).map_err(|_| garbled())?;
    let document = roxmltree::Document::parse(text).map_err(|error| garbled().caused_by(error))?;
    let root = document.root_element();
    if root.tag_name().name() != "ListBucketResult" {
        return Err(garbled());
    }
    let named =
        |name: &'static str| move |node: &roxmltree::Node<'_, '_>| node.tag_name().name() == name;
    let encoded = root
        .children()
        .find(named("EncodingType"))
        .is_some_and(|node| node.text() == Some("url"));
    root.children()
        .filter(named("Contents"))
        .filter_map(|object| object.children().find(named("Key")))
        .map(|key| {
            let key = key.text().unwrap_or_default();
            if !encoded {
                return Ok(key.to_owned());
            }
            let decoded = percent_decode_str(key).decode_utf8();
            decoded.map(String::from).map_err(|_| garbled())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn a_list_of_keys_is_parsed_and_garbage_is_an_error() {
        let list = br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
            <EncodingType>url</EncodingType><Contents><Key>a/b%3Ac</Key><Size>1</Size></Contents>
            <Contents><Key>d&amp;e</Key></Contents></ListBucketResult>"#;
        assert_eq!(keys(list).expect("a list"), ["a/b:c", "d&e"]);
        for garbage in [&b"<html></html>"[..], b"", b"<ListBucketResult>", b"\xff"] {
            assert!(keys(garbage).is_err());
        }
    }
}
