//! A project's labeling configuration of Label Studio: which member of a task holds what a control is about.

use roxmltree::Document;
use std::collections::HashMap;

/// Places of the media, as a configuration says them.
#[derive(Debug, Default)]
pub(crate) struct LabelConfig {
    /// Members of the task's data, by the name of the object tag.
    members: HashMap<String, String>,
    /// The member of the first image, else of the first object tag.
    first: Option<String>,
}

impl LabelConfig {
    /// Reads a configuration. One that is no XML says nothing.
    pub(crate) fn parse(xml: &str) -> Self {
        let Ok(document) = Document::parse(xml) else {
            return Self::default();
        };
        let mut config = Self::default();
        let mut first_image = None;
        for tag in document.descendants().filter(roxmltree::Node::is_element) {
            let (Some(name), Some(value)) = (
                tag.attribute("name"),
                tag.attribute("value").or(tag.attribute("valueList")),
            ) else {
                continue;
            };
            let Some(member) = value.strip_prefix('$') else {
                continue;
            };
            if first_image.is_none() && tag.tag_name().name().eq_ignore_ascii_case("image") {
                first_image = Some(member.to_owned());
            }
            config.first.get_or_insert_with(|| member.to_owned());
            config.members.insert(name.to_owned(), member.to_owned());
        }
        config.first = first_image.or(config.first);
        config
    }

    /// The member that holds the object of this name, or what the project is about.
    pub(crate) fn member(&self, object: Option<&str>) -> Option<&str> {
        let named = object.and_then(|object| self.members.get(object));
        named.or(self.first.as_ref()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_found_among_other_objects() {
        let config = LabelConfig::parse(
            r#"<View><Header value="$title"/><Text name="text" value="$caption"/>
            <Image name="photo" value="$picture" zoom="true"/><RectangleLabels name="box" toName="photo">
            <Label value="car"/></RectangleLabels></View>"#,
        );
        assert_eq!(config.member(None), Some("picture"));
        assert_eq!(config.member(Some("text")), Some("caption"));
        assert_eq!(config.member(Some("gone")), Some("picture"));
        assert_eq!(LabelConfig::parse("<View>").member(None), None);
        let several = LabelConfig::parse(r#"<View><Image name="i" valueList="$pages"/></View>"#);
        assert_eq!(several.member(Some("i")), Some("pages"));
    }
}
