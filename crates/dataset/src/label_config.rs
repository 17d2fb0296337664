//! A project's labeling configuration of Label Studio: which member of a task holds what a control is about.

use roxmltree::Document;
use std::collections::{HashMap, HashSet};

/// Places of the media, as a configuration says them.
#[derive(Debug, Default)]
pub(crate) struct LabelConfig {
    /// Members of the task's data, by the name of the object tag.
    members: HashMap<String, String>,
    /// The member of the first image, else of the first object tag.
    first: Option<String>,
    /// Labels that a region can have.
    pub(crate) labels: HashSet<String>,
    /// More labels are in the data of each task.
    pub(crate) has_others: bool,
}

impl LabelConfig {
    /// Reads a configuration. One that is no XML says nothing.
    pub(crate) fn parse(xml: &str) -> Self {
        Self::read(xml).unwrap_or_default()
    }

    /// The same; `None` if it is no XML.
    pub(crate) fn read(xml: &str) -> Option<Self> {
        let document = Document::parse(xml).ok()?;
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
        for tag in document.descendants().filter(roxmltree::Node::is_element) {
            config.note_labels(tag);
        }
        Some(config)
    }

    fn note_labels(&mut self, tag: roxmltree::Node<'_, '_>) {
        let kind = tag.tag_name().name().to_ascii_lowercase();
        if kind == "label" {
            // With an alias, that is what results have.
            let names = [tag.attribute("value"), tag.attribute("alias")];
            self.labels
                .extend(names.into_iter().flatten().map(str::to_owned));
        } else if kind.ends_with("labels") {
            let value = tag.attribute("value").unwrap_or_default();
            self.has_others |= value.starts_with('$');
        }
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
        assert!(config.labels.contains("car") && config.labels.len() == 1);
        assert!(!config.has_others);
        assert_eq!(LabelConfig::parse("<View>").member(None), None);
        let several = LabelConfig::parse(r#"<View><Image name="i" valueList="$pages"/></View>"#);
        assert_eq!(several.member(Some("i")), Some("pages"));
        let of_tasks = r#"<View><BrushLabels name="b" toName="i" value="$labels"/></View>"#;
        assert!(LabelConfig::parse(of_tasks).has_others);
        assert!(LabelConfig::read("<View>").is_none());
    }
}
