//! The edge cases of `tests/fixtures/edge`, each with its decided result; that directory's README
//! says the same in words.

use crate::fixtures::{describe, head, inspect, list, read};
use labelrelay_core::describe::{Description, Inspection};
use labelrelay_core::identity::Identity;
use labelrelay_core::provider::Provider;
use serde_json::value::RawValue;
use std::fmt::Write as _;

fn of(name: &str) -> Inspection {
    inspect(
        Provider::LabelStudio,
        &head(&[]),
        &read(&format!("edge/{name}.json")),
    )
}

#[test]
fn every_one() {
    let mut out = String::new();
    for name in list("edge", "json") {
        let body = read(&format!("edge/{name}"));
        let inspection = inspect(Provider::LabelStudio, &head(&[]), &body);
        assert_eq!(
            inspection.check.is_json,
            serde_json::from_slice::<&RawValue>(&body).is_ok(),
            "{name}"
        );
        let labelbox = inspect(
            Provider::Labelbox,
            &head(&[("x-labelbox-event", "LABEL_DELETED")]),
            &body,
        );
        assert_eq!(labelbox.check, inspection.check, "{name}");
        assert_eq!(
            labelbox.description,
            Description::unrecognized("com.labelbox.unrecognized".parse().unwrap()),
            "{name}"
        );
        let _ = write!(out, "{name}\n{}", describe(&inspection));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn text_that_is_no_json_is_not_understood() {
    for name in [
        "byte_order_mark",
        "not_utf8",
        "encoded_surrogate",
        "utf16",
        "cut_character",
        "empty",
        "whitespace_only",
        "cut_short",
        "two_values",
        "breaks_out",
        "trailing_comma",
        "single_quotes",
        "not_a_number",
        "raw_control_character",
    ] {
        let inspection = of(name);
        assert!(!inspection.check.is_json, "{name}");
        assert_eq!(
            inspection.description,
            Description::unrecognized("io.labelstud.unrecognized".parse().unwrap()),
            "{name}"
        );
    }
}

#[test]
fn odd_json_is_understood() {
    for name in [
        "lone_surrogate",
        "lone_surrogate_second_half",
        "lone_surrogate_key",
        "surrogate_pair",
        "nul_escape",
        "line_separator",
        "paragraph_separator",
        "next_line",
        "escaped_separators",
        "integer_of_308_digits",
        "integer_of_5000_digits",
        "number_beyond_double",
        "number_close_to_zero",
        "fraction_of_1200_digits",
        "nested_200",
        "nested_weight_250",
        "nested_weight_251",
        "nested_objects_125",
        "nested_objects_126",
        "nested_500",
        "nested_501",
        "nested_100000",
        "outer_whitespace",
        "line_breaks_inside",
        "raw_noncharacter",
        "escaped_noncharacter",
        "other_noncharacters",
        "escaped_keys",
    ] {
        let Inspection { check, description } = of(name);
        assert!(check.is_json, "{name}");
        assert_eq!(
            description.event_type.as_str(),
            "io.labelstud.task.created",
            "{name}"
        );
        assert_eq!(description.subject.as_deref(), Some("task/520"), "{name}");
        assert_eq!(description.project.as_deref(), Some("1"), "{name}");
        let Identity::Version {
            kind: "task", id, ..
        } = description.identity
        else {
            panic!("{name}")
        };
        assert_eq!(id, "520", "{name}");
        assert_eq!(
            check.has_outer_whitespace,
            name == "outer_whitespace",
            "{name}"
        );
        assert_eq!(
            check.has_noncharacters,
            name == "raw_noncharacter",
            "{name}"
        );
        assert_eq!(
            check.has_line_breaks,
            matches!(name, "outer_whitespace" | "line_breaks_inside"),
            "{name}"
        );
        assert_eq!(
            check.has_line_separators,
            matches!(
                name,
                "line_separator" | "paragraph_separator" | "next_line" | "other_noncharacters"
            ),
            "{name}"
        );
        assert_eq!(
            check.has_lone_surrogates,
            name.starts_with("lone_surrogate"),
            "{name}"
        );
        assert_eq!(
            check.has_immodest_numbers,
            name == "integer_of_5000_digits"
                || name.starts_with("number_")
                || name.starts_with("fraction_"),
            "{name}"
        );
    }
    for levels in [200, 500, 501, 100_000] {
        assert_eq!(of(&format!("nested_{levels}")).check.depth, levels);
    }
    for (name, weight) in [
        ("nested_weight_250", 250),
        ("nested_weight_251", 251),
        ("nested_objects_125", 249),
        ("nested_objects_126", 251),
    ] {
        assert_eq!(of(name).check.weight, weight, "{name}");
    }
}

#[test]
fn json_without_an_action_is_not_understood() {
    for name in [
        "null",
        "number",
        "string",
        "array_at_top",
        "empty_object",
        "action_in_data_only",
        "action_not_a_string",
    ] {
        let Inspection { check, description } = of(name);
        assert!(check.is_json, "{name}");
        assert_eq!(
            description,
            Description::unrecognized("io.labelstud.unrecognized".parse().unwrap()),
            "{name}"
        );
    }
}

#[test]
fn ids_of_all_sorts() {
    let hashed = format!(
        "annotation/sha256:{}",
        labelrelay_event::Digest::of(&[b'x'; 2000])
    );
    for (name, subject) in [
        (
            "integers_beyond_2_53",
            "annotation/123456789012345678901234567890",
        ),
        ("id_of_2000_bytes", &*hashed),
        ("id_of_5000_bytes", "task/7"),
        ("id_of_other_type", "task/7"),
        ("id_empty", "task/7"),
        ("lone_surrogate_id", r"annotation/\ud83d"),
    ] {
        let description = of(name).description;
        assert_eq!(description.subject.as_deref(), Some(subject), "{name}");
        assert_eq!(description.partition.as_deref(), Some("task/7"), "{name}");
    }
    for name in ["id_with_control_characters", "id_not_ascii"] {
        assert!(
            of(name)
                .description
                .subject
                .unwrap()
                .starts_with("annotation/sha256:"),
            "{name}"
        );
    }
}

#[test]
fn the_last_of_repeated_keys_wins() {
    let description = of("repeated_keys").description;
    assert_eq!(
        description.event_type.as_str(),
        "io.labelstud.annotation.created"
    );
    assert_eq!(description.subject.as_deref(), Some("annotation/2"));
    assert_eq!(description.partition.as_deref(), Some("task/5"));
    assert_eq!(description.project.as_deref(), Some("1"));
    assert_eq!(
        description.sequence.as_deref(),
        Some("20261121T094715.000000000Z")
    );
    let description = of("repeated_key_forgets").description;
    assert_eq!(
        (
            description.subject,
            description.partition,
            description.project,
            description.sequence
        ),
        (None, None, None, None)
    );
}

#[test]
fn a_body_that_says_nothing_is_never_a_repeat() {
    for (name, event_type) in [
        ("action_alone", "io.labelstud.annotation.created"),
        ("action_alone_unknown", "io.labelstud.unrecognized"),
        ("action_alone_twice", "io.labelstud.task.deleted"),
    ] {
        let description = of(name).description;
        assert_eq!(description.event_type.as_str(), event_type, "{name}");
        assert_eq!(description.identity, Identity::Delivery, "{name}");
    }
    let unknown = of("action_unknown").description;
    assert_eq!(unknown.identity, Identity::Delivery);
    assert_eq!(unknown.partition.as_deref(), Some("project/1"));
}

#[test]
fn a_time_that_is_none_is_no_version() {
    let description = of("time_not_rfc3339").description;
    assert_eq!(description.sequence, None);
    assert_eq!(description.identity, Identity::Delivery);
    assert_eq!(
        description.time.as_deref(),
        Some("2026-11-21T09:47:14.339741Z")
    );
}

#[test]
fn a_time_that_consumers_refuse_is_none() {
    for name in ["time_offset_of_25_hours", "time_leap_second", "time_year_0"] {
        let description = of(name).description;
        assert_eq!(description.subject.as_deref(), Some("annotation/1"));
        assert_eq!((description.time, description.sequence), (None, None));
    }
}
