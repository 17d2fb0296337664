use super::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// A message of the queue about annotation 5, with these items in its `result`.
fn message(result: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"action":"ANNOTATION_UPDATED","annotation":{{"id":5,"task":7,"updated_at":"2026-11-21T09:47:10.5Z","result":[{result}]}},"project":{{"id":1}}}}"#
    );
    let envelope = format!(
        r#"{{"specversion":"1.0","id":"1","source":"/ls","type":"io.labelstud.annotation.updated","datasha256":"00","receivedtime":"2026-11-21T09:47:12Z","data":{body}}}"#
    );
    envelope.into_bytes()
}

fn item(id: &str, kind: &str, value: &str) -> String {
    format!(
        r#"{{"id":"{id}","from_name":"label","to_name":"image","type":"{kind}","original_width":200,"original_height":100,"value":{value}}}"#
    )
}

fn drawn(now: &[u8], before: Option<&[u8]>) -> Value {
    let version = |message| Version {
        message: Some(message),
        body: None,
    };
    serde_json::to_value(of(version(now), before.map(version))).unwrap()
}

fn boat(x: u32) -> String {
    let value = format!(
        r#"{{"x":{x},"y":20,"width":30,"height":40,"rotation":30,"rectanglelabels":["Boat"]}}"#
    );
    item("box", "rectanglelabels", &value)
}

#[test]
fn every_form_stands_in_pixels_of_its_image() {
    let items = [
        boat(10),
        item(
            "poly",
            "polygonlabels",
            r#"{"points":[[0,0],[50,0],[50,25.5]],"closed":true,"polygonlabels":["Roof"]}"#,
        ),
        item(
            "oval",
            "ellipselabels",
            r#"{"x":50,"y":50,"radiusX":10,"radiusY":5,"rotation":15,"ellipselabels":["Eye"]}"#,
        ),
        item(
            "point",
            "keypointlabels",
            r#"{"x":25,"y":50,"width":0.5,"keypointlabels":["Nose"]}"#,
        ),
    ];
    let all = drawn(&message(&items.join(",")), None);
    let drawing = &all["drawings"][0];
    assert_eq!(drawing["thing"], "annotation 5");
    assert_eq!(drawing["compared"], false);
    let picture = &drawing["pictures"][0];
    assert_eq!(
        (&picture["width"], &picture["height"]),
        (&json!(200.0), &json!(100.0))
    );
    assert_eq!(picture["unit"], "px");
    assert_eq!(
        picture["shapes"],
        json!([
            {"id": "box", "name": "label", "labels": ["Boat"], "state": "plain",
             "form": "box", "x": 20.0, "y": 20.0, "width": 60.0, "height": 40.0, "rotation": 30.0},
            {"id": "poly", "name": "label", "labels": ["Roof"], "state": "plain",
             "form": "polygon", "points": "0.0,0.0 100.0,0.0 100.0,25.5", "closed": true},
            {"id": "oval", "name": "label", "labels": ["Eye"], "state": "plain",
             "form": "ellipse", "cx": 100.0, "cy": 50.0, "rx": 20.0, "ry": 5.0, "rotation": 15.0},
            {"id": "point", "name": "label", "labels": ["Nose"], "state": "plain",
             "form": "point", "x": 50.0, "y": 50.0},
        ])
    );
}

#[test]
fn corners_are_told_to_a_small_part_of_a_pixel() {
    let points =
        r#"{"points":[[14.56333333333333,0.00001],[33.333333333333336,7e-9]],"closed":false}"#;
    let all = drawn(&message(&item("poly", "polygon", points)), None);
    let shape = &all["drawings"][0]["pictures"][0]["shapes"][0];
    assert_eq!(shape["points"], "29.1267,0.0 66.6667,0.0");
}

#[test]
fn a_brush_becomes_runs_of_its_rows() {
    let brush = r#"{"id":"brush","from_name":"b","to_name":"image","type":"brushlabels","original_width":2,"original_height":2,"value":{"format":"rle","rle":[0,0,0,16,57,27,253,255,240],"brushlabels":["Sky"]}}"#;
    let all = drawn(&message(brush), None);
    let shape = &all["drawings"][0]["pictures"][0]["shapes"][0];
    assert_eq!(shape["form"], "mask");
    assert_eq!(shape["runs"], json!([0, 0, 2, 1, 0, 2]));
}

#[test]
fn a_mask_of_too_many_pixels_is_named_and_not_decoded() {
    // 4 words for each of 10^9 pixels, said in four bytes.
    let brush = r#"{"id":"brush","from_name":"b","to_name":"image","type":"brushlabels","original_width":32000,"original_height":32000,"value":{"format":"rle","rle":[244,36,0,0],"brushlabels":["Sky"]}}"#;
    let all = drawn(&message(brush), None);
    let drawing = &all["drawings"][0];
    assert_eq!(drawing["pictures"], json!([]));
    let words = drawing["named"][0]["words"].as_str().unwrap();
    assert!(words.contains("1024000000 pixels"), "{words}");
}

#[test]
fn a_mask_elsewhere_is_named_without_the_secrets_of_its_address() {
    for (address, shown) in [
        (
            "https://masks.example/m.png?X-Signature=abc",
            "https://masks.example/m.png",
        ),
        (
            "https://user:pass@masks.example/m@2x.png",
            "https://masks.example/m@2x.png",
        ),
        ("//user:p@ss@masks.example?sig=1", "//masks.example"),
        ("/data/upload/m.png?token=2", "/data/upload/m.png"),
    ] {
        let value = format!(r#"{{"imageDataURL":"{address}","brushlabels":["Sky"]}}"#);
        let all = drawn(&message(&item("brush", "brushlabels", &value)), None);
        let words = &all["drawings"][0]["named"][0]["words"];
        let expected =
            format!("A mask that the platform keeps at {shown}: nothing here fetches it.");
        assert_eq!(words, &expected);
    }
}

#[test]
fn the_version_before_lies_below() {
    let other = |id, x| {
        let value = format!(r#"{{"x":{x},"y":1,"width":1,"keypointlabels":["Nose"]}}"#);
        item(id, "keypointlabels", &value)
    };
    let before = message(&[boat(10), other("same", 1), other("gone", 2)].join(","));
    let now = message(&[boat(11), other("same", 1), other("new", 3)].join(","));
    let all = drawn(&now, Some(before.as_slice()));
    let drawing = &all["drawings"][0];
    assert_eq!(drawing["compared"], true);
    let shapes = drawing["pictures"][0]["shapes"].as_array().unwrap().iter();
    let states: Vec<_> = shapes
        .map(|shape| {
            (
                shape["id"].as_str().unwrap(),
                shape["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("box", "was"),
            ("gone", "gone"),
            ("box", "changed"),
            ("same", "same"),
            ("new", "new"),
        ]
    );
}

#[test]
fn numbers_that_nothing_can_be_drawn_with_are_named() {
    let far = item(
        "far",
        "rectanglelabels",
        r#"{"x":1e300,"y":0,"width":1,"height":1,"rectanglelabels":["Boat"]}"#,
    );
    let endless = item(
        "endless",
        "keypointlabels",
        r#"{"x":1e308,"y":1e308,"width":1,"keypointlabels":["Nose"]}"#,
    );
    let all = drawn(&message(&[far, endless].join(",")), None);
    let drawing = &all["drawings"][0];
    assert_eq!(drawing["pictures"], json!([]), "{drawing}");
    assert_eq!(drawing["named"].as_array().unwrap().len(), 2, "{drawing}");
}

#[test]
fn regions_beyond_ten_thousand_are_cut_and_counted() {
    let mut items = boat(1);
    for number in 0..20_000 {
        let id = format!("k{number}");
        let point = item(&id, "keypoint", r#"{"x":1,"y":1,"width":1}"#);
        write!(items, ",{point}").unwrap();
    }
    let all = drawn(&message(&items), None);
    let drawing = &all["drawings"][0];
    let shapes = drawing["pictures"][0]["shapes"].as_array().unwrap();
    assert_eq!(shapes.len(), 10_000);
    let words = drawing["left_out"][0].as_str().unwrap();
    assert!(words.starts_with("10001 regions"), "{words}");
}

#[test]
fn what_is_too_large_or_unreadable_says_so() {
    let large = vec![b' '; MAX_BYTES + 1];
    for (message, words) in [
        (&large[..], "16 MiB"),
        (&b"{}"[..], "."),
        (&b"not json"[..], "."),
    ] {
        let all = drawn(message, None);
        assert_eq!(all["drawings"], json!([]));
        let said = all["drawing_words"].as_str().unwrap();
        assert!(said.contains(words), "{said}");
    }
    let nothing = Version {
        message: None,
        body: None,
    };
    assert!(of(nothing, None).drawing_words.is_some());
}

#[test]
fn answers_texts_and_times_stand_beside() {
    let items = [
        item("q", "choices", r#"{"choices":["Sharp","Blurred"]}"#),
        item("s", "labels", r#"{"start":7,"end":12,"text":"lives","labels":["Verb"]}"#),
        r#"{"id":"a","from_name":"l","to_name":"audio","type":"labels","original_length":60.5,"value":{"start":1.5,"end":3,"channel":0,"labels":["Speech"]}}"#.to_owned(),
        item("t", "videorectangle", r#"{"sequence":[{"frame":1},{"frame":50}],"labels":["Car"]}"#),
        item("o", "cuboid", r#"{"x":1}"#),
    ];
    let before = item("q", "choices", r#"{"choices":["Dark"]}"#);
    let all = drawn(
        &message(&items.join(",")),
        Some(message(&before).as_slice()),
    );
    let drawing = &all["drawings"][0];
    assert_eq!(drawing["answers"][0]["values"], json!(["Sharp", "Blurred"]));
    assert_eq!(drawing["answers"][0]["was"], json!(["Dark"]));
    assert_eq!(drawing["spans"][0]["text"], "lives");
    assert_eq!(drawing["axes"][0]["unit"], "seconds");
    assert_eq!(drawing["axes"][0]["from"], 1.5);
    assert_eq!(drawing["axes"][1]["spans"][0]["marks"], json!([1.0, 50.0]));
    assert_eq!(drawing["named"][0]["id"], "o", "{drawing}");
}

#[test]
fn ranges_of_a_video_are_parts_of_one_line() {
    let ranges = |ranges: &str| {
        let value = format!(r#"{{"ranges":{ranges},"timelinelabels":["Day"]}}"#);
        item("t", "timelinelabels", &value)
    };
    let line = ranges(r#"[{"start":10,"end":30},{"start":60,"end":45.5}]"#);
    let all = drawn(&message(&line), None);
    let drawing = &all["drawings"][0];
    let axis = &drawing["axes"][0];
    assert_eq!(
        (&axis["unit"], &axis["from"], &axis["to"]),
        (&json!("frames"), &json!(10.0), &json!(60.0))
    );
    let parts = json!([[10.0, 30.0], [45.5, 60.0]]);
    assert_eq!(axis["spans"][0]["parts"], parts);
    assert_eq!(axis["spans"][0]["labels"], json!(["Day"]));
    // Nothing is guessed of others.
    for odd in ["[]", r#"[{"start":1}]"#, r#"[{"start":"1","end":2}]"#, "7"] {
        let all = drawn(&message(&ranges(odd)), None);
        assert_eq!(all["drawings"][0]["named"][0]["id"], "t", "{odd}");
    }
}

/// A browser takes long for an element for each.
#[test]
fn marks_on_lines_of_time_have_a_bound() {
    let frames: Vec<_> = (0..1_500).map(|n| format!(r#"{{"frame":{n}}}"#)).collect();
    let value = format!(r#"{{"sequence":[{}]}}"#, frames.join(","));
    let mut items: Vec<_> = (0..20)
        .map(|number| item(&format!("t{number}"), "videorectangle", &value))
        .collect();
    let ranges = r#"{"ranges":[{"start":1,"end":2},{"start":8,"end":9}]}"#;
    items.push(item("line", "timelinelabels", ranges));
    let all = drawn(&message(&items.join(",")), None);
    let drawing = &all["drawings"][0];
    let spans = drawing["axes"][0]["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 20);
    let marks = spans
        .iter()
        .map(|span| span["marks"].as_array().unwrap().len());
    assert_eq!(marks.sum::<usize>(), 10_000);
    let said = drawing["named"][19]["words"].as_str().unwrap();
    assert!(said.contains("1500 key frames: 0 of them"), "{said}");
    // Nor is it drawn as one, from its start to its end.
    let said = drawing["named"][20]["words"].as_str().unwrap();
    assert!(said.contains("2 ranges: 0 of them"), "{said}");
}

#[test]
fn a_region_without_a_size_joins_those_of_its_image() {
    let without = r#"{"id":"late","from_name":"label","to_name":"image","type":"rectanglelabels","value":{"x":10,"y":20,"width":30,"height":40,"rectanglelabels":["Boat"]}}"#;
    let together = drawn(&message(&format!("{without},{}", boat(1))), None);
    let pictures = together["drawings"][0]["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 1);
    let late = &pictures[0]["shapes"][1];
    assert_eq!(late["id"], "late");
    assert_eq!((&late["x"], &late["height"]), (&json!(20.0), &json!(40.0)));
    let alone = drawn(&message(without), None);
    let picture = &alone["drawings"][0]["pictures"][0];
    assert_eq!(
        (&picture["unit"], &picture["width"]),
        (&json!("percent"), &json!(100.0))
    );
    assert!(picture["words"].is_string());
}

#[test]
fn spans_are_marked_in_the_text_of_their_task() {
    let body = r#"{"action":"ANNOTATION_CREATED","task":{"id":7,"data":{"text":"Él lives here","n":1}},"annotation":{"id":5,"result":[
        {"id":"v","from_name":"l","to_name":"t","type":"labels","value":{"start":3,"end":8,"text":"lives","labels":["Verb"]}},
        {"id":"w","from_name":"l","to_name":"t","type":"labels","value":{"start":6,"end":13,"text":"es here","labels":["Odd"]}},
        {"id":"x","from_name":"l","to_name":"t","type":"labels","value":{"start":0,"end":5,"text":"lives","labels":["Wrong"]}}]}}"#;
    let message = format!(
        r#"{{"specversion":"1.0","id":"1","source":"/ls","type":"io.labelstud.annotation.created","datasha256":"00","receivedtime":"2026-11-21T09:47:12Z","data":{body}}}"#
    );
    let all = drawn(message.as_bytes(), None);
    let drawing = &all["drawings"][0];
    assert_eq!(drawing["spans"].as_array().unwrap().len(), 3);
    let pieces = json!([["Él ", []], ["liv", [0]], ["es", [0, 1]], [" here", [1]]]);
    assert_eq!(
        drawing["texts"],
        json!([{"name": "text", "pieces": pieces}])
    );
}

#[test]
fn spans_within_each_other_do_not_multiply() {
    let text = "x".repeat(200);
    let spans: Vec<_> = (0..100)
        .map(|n| {
            let (end, part) = (200 - n, &text[..200 - 2 * n]);
            format!(r#"{{"id":"s{n}","from_name":"l","to_name":"t","type":"labels","value":{{"start":{n},"end":{end},"text":"{part}","labels":["A"]}}}}"#)
        })
        .collect();
    let spans = spans.join(",");
    let body = format!(
        r#"{{"action":"ANNOTATION_CREATED","task":{{"id":7,"data":{{"text":"{text}"}}}},"annotation":{{"id":5,"result":[{spans}]}}}}"#
    );
    let message = format!(
        r#"{{"specversion":"1.0","id":"1","source":"/ls","type":"io.labelstud.annotation.created","datasha256":"00","receivedtime":"2026-11-21T09:47:12Z","data":{body}}}"#
    );
    let all = drawn(message.as_bytes(), None);
    let pieces = all["drawings"][0]["texts"][0]["pieces"].as_array().unwrap();
    assert!(pieces.len() > 100, "{}", pieces.len());
    let marks = pieces
        .iter()
        .map(|piece| piece[1].as_array().unwrap().len());
    assert_eq!(marks.max(), Some(8));
}

#[test]
fn what_stands_above_an_answer_is_named_in_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/changes");
    let fixture = std::fs::read_to_string(folder.join("lb_v2_created.json")).unwrap();
    let name = "n".repeat(150);
    let mut asked = r#"{"name":"leaf","text_answer":{"content":"x"}}"#.to_owned();
    for _ in 0..12 {
        asked = format!(
            r#"{{"name":"{name}","radio_answer":{{"name":"{name}","classifications":[{asked}]}}}}"#
        );
    }
    let nested = format!("\"classifications\": [{asked}]");
    let message = fixture.replace("\"classifications\": []", &nested);
    let all = drawn(message.as_bytes(), None);
    let drawings = all["drawings"].as_array().unwrap().iter();
    let mut answers = drawings.flat_map(|drawing| drawing["answers"].as_array().unwrap());
    let leaf = answers.find(|answer| answer["name"] == "leaf").unwrap();
    let parent = leaf["parent"].as_array().unwrap();
    assert_eq!((parent.len(), &parent[0]), (7, &json!("…")));
    for above in parent {
        assert!(above.as_str().unwrap().chars().count() <= 101, "{above}");
    }
}
