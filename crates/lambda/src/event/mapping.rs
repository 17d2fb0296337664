//! Paths behind a custom domain, which may stand below a base path there.

/// The end of `path` that the API's own route, `resource`, has matched. A custom domain leaves its base path in front
/// of it, and where the mapping names no stage, the stage's name too. `None` where the route does not tell, and where
/// it has matched nothing: then the base path itself may be what names a source.
///
/// Segments are counted and not compared: the platform decodes the `parameter` of a route, and not the path.
pub(super) fn below<'a>(
    path: &'a str,
    resource: &str,
    parameter: impl Fn(&str) -> Option<String>,
) -> Option<&'a str> {
    // The route `$default` has no path of its own.
    if !resource.starts_with('/') {
        return None;
    }
    let mut matched = 0;
    for segment in segments(resource) {
        let greedy = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix("+}"));
        matched += match greedy {
            Some(name) => segments(&parameter(name)?).count(),
            None => 1,
        };
    }
    let in_front = segments(path).count().checked_sub(matched)?;
    (matched > 0).then(|| after(path, in_front))
}

/// `path` without its first `count` segments.
fn after(path: &str, count: usize) -> &str {
    let mut rest = path;
    for _ in 0..count {
        let begin = rest.trim_start_matches('/');
        rest = begin
            .find('/')
            .and_then(|at| begin.get(at..))
            .unwrap_or("/");
    }
    rest
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_front_of_the_route_is_no_part_of_the_path() {
        for (path, resource, parameter, expected) in [
            ("/labelbox", "/{proxy+}", "labelbox", Some("/labelbox")),
            (
                "/hooks/labelbox",
                "/{proxy+}",
                "labelbox",
                Some("/labelbox"),
            ),
            // A mapping that names no stage leaves the stage in the path as well.
            (
                "/hooks/prod/labelbox",
                "/{proxy+}",
                "labelbox",
                Some("/labelbox"),
            ),
            (
                "/hooks/labelbox/",
                "/{proxy+}",
                "labelbox",
                Some("/labelbox/"),
            ),
            (
                "/hooks//labelbox",
                "/{proxy+}",
                "labelbox",
                Some("//labelbox"),
            ),
            ("/hooks/a/b%20c", "/{proxy+}", "a/b c", Some("/a/b%20c")),
            ("/hooks/a%2Fb", "/{proxy+}", "a/b", Some("/hooks/a%2Fb")),
            (
                "/hooks/in/labelbox",
                "/in/{proxy+}",
                "labelbox",
                Some("/in/labelbox"),
            ),
            ("/hooks/labelbox", "/labelbox", "", Some("/labelbox")),
            ("/hooks/labelbox", "/{source}", "", Some("/labelbox")),
            ("/contexts/", "/contexts", "", Some("/contexts/")),
            ("/", "/", "", None),
            ("/label-studio", "/", "", None),
            ("/label-studio/", "/", "", None),
            ("/hooks/-/ready", "/{proxy+}", "-/ready", Some("/-/ready")),
            ("labelbox", "/{proxy+}", "labelbox", Some("labelbox")),
            // The route has more segments than the path: it is another's.
            ("/labelbox", "/a/{proxy+}", "labelbox", None),
            ("/labelbox", "$default", "", None),
            ("/labelbox", "", "", None),
        ] {
            let found = below(path, resource, |name| {
                assert_eq!(name, "proxy");
                Some(parameter.to_owned())
            });
            assert_eq!(found, expected, "{path} by {resource}");
        }
        assert_eq!(below("/labelbox", "/{proxy+}", |_| None), None);
    }
}
