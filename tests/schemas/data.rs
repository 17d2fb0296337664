//! The schemas of the data, one for each name that `dataschema` can have.

use crate::{DIALECT, File};
use labelrelay_event::payload::DataSchema;
use labelrelay_event::payload::{label_studio, labelbox};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

/// A type, and the members that each of its bodies was seen to have.
struct Form {
    schema: Value,
    required: &'static [&'static str],
}

pub(crate) fn files() -> Vec<File> {
    let files = DataSchema::ALL.map(|schema| (file_name(schema), one(schema)));
    files.into()
}

/// Name of the file: `urn:labelrelay:schema:labelbox-label:1` is in `labelbox-label-1.schema.json`.
pub(crate) fn file_name(schema: DataSchema) -> String {
    let name = schema.urn().trim_start_matches("urn:labelrelay:schema:");
    format!("{}.schema.json", name.replace(':', "-"))
}

pub(crate) fn title(schema: DataSchema) -> &'static str {
    match schema {
        DataSchema::LabelStudioProject => "Project of Label Studio",
        DataSchema::LabelStudioTask => "Tasks of Label Studio",
        DataSchema::LabelStudioAnnotation => "Annotations of Label Studio",
        DataSchema::LabelStudioLabelLink => "Links of labels of Label Studio",
        DataSchema::LabelStudioReview => "Reviews of Label Studio",
        DataSchema::LabelStudioTraining => "Label Studio's request to train",
        DataSchema::LabelStudioTaskCompleted => "Completion of a task of Label Studio",
        DataSchema::LabelboxLabel => "Label of Labelbox, first version of webhooks",
        DataSchema::LabelboxReview => "Review of Labelbox, first version of webhooks",
        DataSchema::LabelboxLabelV2 => {
            "Data row of Labelbox with its labels, second version of webhooks"
        }
        DataSchema::LabelboxWorkflow => "Step of Labelbox's workflow",
        DataSchema::LabelboxModelRun => "Labelbox's request to train a model",
        _ => unreachable!("each shape has a title"),
    }
}

fn one(schema: DataSchema) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let forms = forms(schema, &mut generator);
    let mut definitions = generator.take_definitions(true);
    for form in &forms {
        let name = form.schema["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next());
        let name = name.expect("a named type");
        definitions[name]["required"] = json!(form.required);
    }
    for definition in definitions.values_mut() {
        without_defaults(definition);
    }
    let mut forms: Vec<Value> = forms.into_iter().map(|form| form.schema).collect();
    let mut root = json!({
        "$schema": DIALECT,
        "$id": schema.urn(),
        "title": title(schema),
        "$defs": definitions,
    });
    if forms.len() == 1 {
        root["$ref"] = forms.remove(0)["$ref"].take();
    } else {
        root["anyOf"] = forms.into();
    }
    root
}

fn forms(schema: DataSchema, generator: &mut SchemaGenerator) -> Vec<Form> {
    use label_studio as ls;
    use labelbox as lb;
    let event: &[&str] = &["action"];
    match schema {
        DataSchema::LabelStudioProject => vec![
            form::<ls::ProjectEvent>(generator, event),
            form::<ls::Project>(generator, &["id"]),
        ],
        DataSchema::LabelStudioTask => vec![
            form::<ls::TaskEvent>(generator, event),
            form::<ls::Task>(generator, &["id"]),
        ],
        DataSchema::LabelStudioAnnotation => vec![
            form::<ls::AnnotationEvent>(generator, event),
            form::<ls::Annotation>(generator, &["id"]),
        ],
        DataSchema::LabelStudioLabelLink => vec![form::<ls::LabelLinkEvent>(generator, event)],
        DataSchema::LabelStudioReview => vec![form::<ls::ReviewEvent>(generator, event)],
        DataSchema::LabelStudioTraining => vec![form::<ls::TrainingEvent>(generator, event)],
        DataSchema::LabelStudioTaskCompleted => {
            vec![form::<ls::Completion>(
                generator,
                &["task", "project", "annotation"],
            )]
        }
        DataSchema::LabelboxLabel => vec![form::<lb::Label>(generator, &["id"])],
        DataSchema::LabelboxReview => vec![form::<lb::Review>(generator, &["id"])],
        DataSchema::LabelboxLabelV2 => vec![form::<lb::Row>(generator, &["data_row", "projects"])],
        DataSchema::LabelboxWorkflow => {
            vec![form::<lb::WorkflowEvent>(
                generator,
                &["action", "dataRowIds"],
            )]
        }
        DataSchema::LabelboxModelRun => {
            vec![form::<lb::ModelRun>(generator, &["modelId", "modelRunId"])]
        }
        _ => unreachable!("each shape has a type"),
    }
}

fn form<T: JsonSchema>(generator: &mut SchemaGenerator, required: &'static [&'static str]) -> Form {
    Form {
        schema: generator.subschema_for::<T>().to_value(),
        required,
    }
}

/// `null` is the default of every member that may be missing, and says nothing.
fn without_defaults(definition: &mut Value) {
    let Some(members) = definition
        .get_mut("properties")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for member in members.values_mut().filter_map(Value::as_object_mut) {
        member.remove("default");
    }
}
