//! The example of a training run that begins by itself, on pictures of real handwriting, beside a real Label Studio.

use labelrelay_tests::label_studio::LabelStudio;
use labelrelay_tests::program;
use labelrelay_tests::relay::{SECRET, Site, eventually, secrets};
use labelrelay_tests::servers::installed;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Pictures, each of which is annotated.
const PICTURES: usize = 200;

const CONFIG: &str = r#"<View><Image name="image" value="$image"/><Choices name="digit" toName="image"><Choice value="0"/><Choice value="1"/><Choice value="2"/><Choice value="3"/><Choice value="4"/><Choice value="5"/><Choice value="6"/><Choice value="7"/><Choice value="8"/><Choice value="9"/></Choices></View>"#;

/// New annotations that a training run waits for.
const AFTER: usize = 90;

fn python() -> Command {
    let mut python = Command::new(installed("LABELRELAY_TEST_DATASET_PYTHON"));
    python.arg("-B");
    python
}

/// Pictures in a directory; the digit that each one shows.
fn digits(folder: &Path) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/dataset/digits.py");
    let made = python()
        .arg(script)
        .arg(folder)
        .arg(PICTURES.to_string())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    serde_json::from_slice(&made.stdout).unwrap()
}

/// `dataset sync --follow`, and the example that reads what it prints.
fn follow(site: &Site) -> (Child, Child) {
    let mut sync = program::command()
        .args(["dataset", "sync", "digits", "--format", "jsonl", "--json"])
        .args(["--media", "https://example.org/digits=images"])
        .args(["--follow", "--every", "300ms", "--config"])
        .arg(site.config())
        .envs(secrets())
        .env("LABELRELAY_QUEUE", site.queue_url())
        .current_dir(site.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let example =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/training/train_on_snapshots.py");
    let training = python()
        .arg(example)
        .arg("digits")
        .env("TRAIN_AFTER", AFTER.to_string())
        .current_dir(site.folder())
        .stdin(sync.stdout.take().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    (sync, training)
}

/// Results of the training runs so far, the first one first.
fn results(dataset: &Path) -> Vec<Value> {
    let Ok(models) = std::fs::read_dir(dataset.join("models")) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = models.map(|it| it.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "json"));
    paths.sort();
    let texts = paths.iter().map(|path| std::fs::read(path).unwrap());
    // One that is being written is none yet.
    texts
        .filter_map(|text| serde_json::from_slice(&text).ok())
        .collect()
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e dataset_training`"]
fn a_training_run_begins_by_itself_and_names_its_snapshot() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start_for(Duration::from_secs(1800));
    let site = Site::new();
    let relay = site.serve();
    let digits = digits(&site.folder().join("images"));
    let made = json!({"title": "digits", "label_config": CONFIG});
    let project = label_studio.call("POST", "/api/projects/", &made)["id"]
        .as_u64()
        .unwrap();
    let url = format!("http://{}/label-studio", relay.address);
    label_studio.webhook(project, &url, SECRET);
    let tasks: Vec<Value> = (0..PICTURES)
        .map(|n| json!({"data": {"image": format!("https://example.org/digits/{n}.png")}}))
        .collect();
    label_studio.call(
        "POST",
        &format!("/api/projects/{project}/import"),
        &tasks.into(),
    );
    let tasks = label_studio.rows("select id, json_extract(data, '$.image') from task order by id");

    let (sync, training) = follow(&site);
    let dataset = site.folder().join("digits");
    for (place, task) in tasks.iter().enumerate() {
        let name = task[1].as_str().unwrap().rsplit('/').next().unwrap();
        let number: usize = name.strip_suffix(".png").unwrap().parse().unwrap();
        let answer = json!({
            "id": "r1", "type": "choices", "from_name": "digit", "to_name": "image",
            "value": {"choices": [digits[number]]},
        });
        let made = json!({"result": [answer]});
        let path = format!("/api/tasks/{}/annotations/", task[0]);
        label_studio.call("POST", &path, &made);
        if place + 1 == PICTURES / 2 {
            eventually("the first training run is done", || {
                (results(&dataset).len() == 1).then_some(())
            });
        }
    }
    let results = eventually("the second training run is done", || {
        let results = results(&dataset);
        (results.len() == 2).then_some(results)
    });
    let asked = Command::new("kill").arg(sync.id().to_string()).status();
    assert!(asked.unwrap().success());
    let (sync, training) = (
        sync.wait_with_output().unwrap(),
        training.wait_with_output().unwrap(),
    );
    assert!(sync.status.success(), "{sync:?}");
    assert!(training.status.success(), "{training:?}");
    let printed = String::from_utf8(training.stdout).unwrap();
    let printed: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(printed, results);

    // The first one begins as soon as there are enough, so the second has more of them.
    let seen = |result: &Value| {
        result["trained_on"].as_u64().unwrap() + result["tested_on"].as_u64().unwrap()
    };
    assert!(seen(&results[0]) >= AFTER as u64, "{results:?}");
    assert!(seen(&results[1]) >= 2 * AFTER as u64, "{results:?}");
    // A guess would be right once in ten times.
    assert!(
        results[1]["accuracy"].as_f64().unwrap() > 0.7,
        "{results:?}"
    );
    for result in &results {
        assert_eq!(result["digest"].as_str().unwrap().len(), 64, "{result}");
    }
    println!("trained: {results:?}");
}
