//! A page of `ListObjectsV2`.

use labelrelay_core::BlobError;
use percent_encoding::percent_decode_str;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page {
    /// In S3's order: sorted by the keys' bytes.
    pub(super) keys: Vec<String>,
    /// Token that asks for the next page; `None` on the last one. The number of keys does not tell: folders count in
    /// a page, and do not show among its keys.
    pub(super) next: Option<String>,
}

/// Reads an answer's body.
pub(super) fn page(body: &[u8]) -> Result<Page, BlobError> {
    let document = document(body)?;
    let root = document.root_element();
    let named =
        |name: &'static str| move |node: &roxmltree::Node<'_, '_>| node.tag_name().name() == name;
    let text_of = |name: &'static str| {
        let node = root.children().find(named(name))?;
        node.text()
    };
    let next = match text_of("IsTruncated") {
        Some("true") => Some(
            text_of("NextContinuationToken")
                .ok_or_else(garbled)?
                .to_owned(),
        ),
        _ => None,
    };
    let encoded = text_of("EncodingType") == Some("url");
    let keys = root
        .children()
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
        .collect::<Result<_, _>>()?;
    Ok(Page { keys, next })
}

/// Checks that an answer's body is a list, whatever is in it. It is the answer to a request for no keys. S3 says that
/// such a list is not truncated. Some servers that speak as S3 does say that it is, and give no token.
pub(super) fn check(body: &[u8]) -> Result<(), BlobError> {
    document(body).map(drop)
}

fn document(body: &[u8]) -> Result<roxmltree::Document<'_>, BlobError> {
    let text = std::str::from_utf8(body).map_err(|_| garbled())?;
    let document = roxmltree::Document::parse(text).map_err(|error| garbled().caused_by(error))?;
    if document.root_element().tag_name().name() != "ListBucketResult" {
        return Err(garbled());
    }
    Ok(document)
}

fn garbled() -> BlobError {
    BlobError::transient("the list of objects is not one of S3")
}

#[cfg(test)]
mod tests {
    use super::{check, page};

    #[test]
    fn a_page_is_parsed_and_garbage_is_an_error() {
        let listed = br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
            <EncodingType>url</EncodingType><Contents><Key>a/b%3Ac</Key><Size>1</Size></Contents>
            <Contents><Key>d&amp;e</Key></Contents></ListBucketResult>"#;
        let last = page(listed).expect("a page");
        assert_eq!(last.keys, ["a/b:c", "d&e"]);
        assert_eq!(last.next, None);
        let first = b"<ListBucketResult><IsTruncated>true</IsTruncated>
            <NextContinuationToken>1/a+b==</NextContinuationToken></ListBucketResult>";
        let first = page(first).expect("a page");
        assert_eq!(first.next.as_deref(), Some("1/a+b=="));
        assert!(first.keys.is_empty(), "folders alone");
        let without_token = b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert!(check(without_token).is_ok() && page(without_token).is_err());
        for garbage in [&b"<html></html>"[..], b"", b"<ListBucketResult>", b"\xff"] {
            assert!(page(garbage).is_err() && check(garbage).is_err());
        }
    }
}
