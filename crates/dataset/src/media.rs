//! Addresses of the media that a task is about. They are read here, never fetched.

use crate::label_config::LabelConfig;
use serde_json::Value;

/// Suffixes of files that show an image.
const IMAGES: [&str; 10] = [
    "jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff", "svg", "avif",
];

/// The address of a task's medium: the member that the configuration names; else the first that looks like an image;
/// else the only text.
pub(crate) fn address<'d>(
    data: &'d Value,
    config: &LabelConfig,
    item: Option<i64>,
) -> Option<&'d str> {
    text(medium(data, config, item)?, item)
}

/// The addresses of all media of a task: one, or those of a list in their order.
pub(crate) fn addresses<'d>(data: &'d Value, config: &LabelConfig) -> Vec<&'d str> {
    match medium(data, config, None) {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The member of a task's data that says the address.
fn medium<'d>(data: &'d Value, config: &LabelConfig, item: Option<i64>) -> Option<&'d Value> {
    let members = data.as_object()?;
    let named = config.member(None).and_then(|member| members.get(member));
    let looks_like_an_image = || {
        let mut texts = members
            .values()
            .filter(|it| text(it, item).is_some_and(is_image));
        texts.next()
    };
    let only = || {
        let mut texts = members.values().filter(|it| it.is_string());
        texts.next().filter(|_| texts.next().is_none())
    };
    named.or_else(looks_like_an_image).or_else(only)
}

/// A text, or the one of this number in a list.
fn text(value: &Value, item: Option<i64>) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(texts) => texts
            .get(usize::try_from(item.unwrap_or(0)).ok()?)
            .and_then(Value::as_str),
        _ => None,
    }
}

fn is_image(address: &str) -> bool {
    let address = without_secrets(address);
    let path = address.split('#').next().unwrap_or_default();
    let suffix = path.rsplit('.').next().unwrap_or_default();
    IMAGES
        .iter()
        .any(|image| suffix.eq_ignore_ascii_case(image))
}

/// The same address without its query, which may be a signature or a token, and without a name and a password before its
/// host. Label Studio's own paths name the file in their query, and keep that.
pub(crate) fn without_secrets(address: &str) -> String {
    let is_address = address.contains("://") || address.starts_with('/');
    if is_address {
        without_credentials(&without_query(address))
    } else {
        address.to_owned()
    }
}

fn without_query(address: &str) -> String {
    let Some((bare, query)) = address.split_once('?') else {
        return address.to_owned();
    };
    let file = if bare.ends_with("/data/local-files/") {
        "d="
    } else if bare.ends_with("/resolve/") || bare.ends_with("/presign/") {
        "fileuri="
    } else {
        return bare.to_owned();
    };
    let named = query.split('&').find(|it| it.starts_with(file));
    named.map_or_else(|| bare.to_owned(), |named| format!("{bare}?{named}"))
}

/// The same without what stands before a host, also where the address has others in it. Its query stays.
pub(crate) fn without_credentials(address: &str) -> String {
    let next = |rest: &str| rest.find("://").map(|at| at + "://".len());
    let mut whole = String::with_capacity(address.len());
    let mut rest = address;
    // The scheme may be left to the page that the address is on.
    let has_no_scheme = address.starts_with("//");
    let mut begin = has_no_scheme.then_some(2).or_else(|| next(address));
    while let Some(at) = begin {
        let (before, behind) = rest.split_at(at);
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (authority, path) = behind.split_at(end);
        whole.push_str(before);
        whole.push_str(authority.rsplit('@').next().unwrap_or_default());
        rest = path;
        begin = next(rest);
    }
    whole.push_str(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_is_found_and_shows_no_signature() {
        let config = LabelConfig::parse(r#"<View><Image name="i" value="$picture"/></View>"#);
        let of = |data: Value, config: &LabelConfig, item| {
            address(&data, config, item).map(without_secrets)
        };
        let data = json!({"text": "a car", "picture": "https://h/cars/7.jpg?X-Amz-Signature=1"});
        assert_eq!(
            of(data.clone(), &config, None).as_deref(),
            Some("https://h/cars/7.jpg")
        );
        let nothing = LabelConfig::default();
        assert_eq!(
            of(data, &nothing, None).as_deref(),
            Some("https://h/cars/7.jpg")
        );
        let pages = json!({"picture": ["s3://b/1.png", "s3://b/2.png"]});
        assert_eq!(
            of(pages.clone(), &config, Some(1)).as_deref(),
            Some("s3://b/2.png")
        );
        assert_eq!(addresses(&pages, &config), ["s3://b/1.png", "s3://b/2.png"]);
        assert_eq!(of(pages, &config, Some(2)), None);
        assert_eq!(addresses(&json!({"a": "x"}), &config), ["x"]);
        assert!(addresses(&json!({"a": "x", "b": "y"}), &config).is_empty());
        assert_eq!(
            of(json!({"q": "what? this"}), &nothing, None).as_deref(),
            Some("what? this")
        );
        assert_eq!(of(json!({"a": "x", "b": "y"}), &nothing, None), None);
        assert_eq!(of(json!([1]), &nothing, None), None);
        let guarded = json!({"a": "https://user:p@ss@h:8443/cars/7@2x.jpg?sig=1"});
        assert_eq!(
            of(guarded, &nothing, None).as_deref(),
            Some("https://h:8443/cars/7@2x.jpg")
        );
        let schemeless = json!({"a": "//user:pass@h/cars//7@2x.jpg"});
        assert_eq!(
            of(schemeless, &nothing, None).as_deref(),
            Some("//h/cars//7@2x.jpg")
        );
        let local = json!({"a": "x", "b": "/data/local-files/?d=cars/7.jpg&token=1"});
        assert_eq!(
            of(local, &nothing, None).as_deref(),
            Some("/data/local-files/?d=cars/7.jpg")
        );
    }
}
