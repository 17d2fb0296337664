//! Trace that a request belongs to, so that Cloud Logging shows its lines beside the platform's own.

use http::HeaderMap;
use std::fmt;

/// The name of a trace in Cloud Logging: `projects/P/traces/T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace(String);

impl Trace {
    /// Trace that the head of a request names: `traceparent`, else `X-Cloud-Trace-Context`. Both come from outside,
    /// so that nothing but 32 hexadecimal digits of them is taken over.
    pub fn of(headers: &HeaderMap, project: &str) -> Option<Self> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let id = text("traceparent")
            .and_then(|text| text.split('-').nth(1))
            .filter(|id| is_id(id))
            .or_else(|| text("x-cloud-trace-context")?.split(['/', ';']).next())
            .filter(|id| is_id(id))?;
        Some(Self(format!(
            "projects/{project}/traces/{}",
            id.to_ascii_lowercase()
        )))
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 32
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    fn of(lines: &[(&'static str, &str)]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(*name, value.parse().unwrap());
        }
        Trace::of(&headers, "proj").map(|trace| trace.to_string())
    }

    #[test]
    fn from_either_header_and_nothing_else() {
        let expected = Some(format!("projects/proj/traces/{ID}"));
        let parent = format!("00-{ID}-b7ad6b7169203331-01");
        let cloud = format!("{ID}/67667974448284343;o=1");
        assert_eq!(of(&[("traceparent", &parent)]), expected);
        assert_eq!(of(&[("x-cloud-trace-context", &cloud)]), expected);
        assert_eq!(of(&[("x-cloud-trace-context", ID)]), expected);
        assert_eq!(
            of(&[
                ("traceparent", "00-x-y-01"),
                ("x-cloud-trace-context", &cloud)
            ]),
            expected
        );
        let zeros = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        for bad in ["", "00", "00-abc-1-1", "\",\"severity\":\"", &zeros] {
            assert_eq!(of(&[("traceparent", bad)]), None, "{bad}");
        }
        assert_eq!(of(&[]), None);
    }
}
