//! The `AsyncAPI` document: one channel, a message for each shape of data.

use crate::{File, data, envelope};
use labelrelay_event::payload::DataSchema;
use serde_json::{Map, Value, json};

pub(crate) fn file() -> File {
    let mut messages = Map::new();
    let mut on_channel = Map::new();
    for schema in DataSchema::ALL {
        let file = data::file_name(schema);
        let name = file.trim_end_matches(".schema.json").to_owned();
        messages.insert(
            name.clone(),
            json!({
                "name": name,
                "title": data::title(schema),
                "contentType": labelrelay_event::MEDIA_TYPE,
                "payload": {
                    "allOf": [
                        { "$ref": format!("./{}", envelope::FILE) },
                        {
                            "type": "object",
                            "properties": {
                                "dataschema": { "const": schema.urn() },
                                "data": { "$ref": format!("./{file}") },
                            },
                            "required": ["dataschema"],
                        },
                    ],
                },
            }),
        );
        on_channel.insert(
            name.clone(),
            json!({ "$ref": format!("#/components/messages/{name}") }),
        );
    }
    messages.insert("unrecognized".to_owned(), unrecognized());
    on_channel.insert(
        "unrecognized".to_owned(),
        json!({ "$ref": "#/components/messages/unrecognized" }),
    );
    let document = json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Events of labelrelay",
            "version": "1.0.0",
            "description": "What labelrelay puts on a queue: SQS, Pub/Sub, Azure Storage Queue, Service Bus, or the embedded queue.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": labelrelay_event::MEDIA_TYPE,
        "channels": {
            "events": {
                "address": null,
                "title": "The queue",
                "description": "The configuration names it (`queue`). An event may come more than once, and deliveries overtake each other.",
                "messages": on_channel,
            },
        },
        "operations": {
            "consume": {
                "action": "send",
                "channel": { "$ref": "#/channels/events" },
                "summary": "labelrelay sends each verified event once it is durable there.",
            },
        },
        "components": { "messages": messages },
    });
    ("asyncapi.json".to_owned(), document)
}

fn unrecognized() -> Value {
    json!({
        "name": "unrecognized",
        "title": "A verified event of a shape that this version does not know",
        "contentType": labelrelay_event::MEDIA_TYPE,
        "payload": {
            "allOf": [
                { "$ref": format!("./{}", envelope::FILE) },
                { "type": "object", "properties": { "type": { "pattern": "\\.unrecognized$" } }, "not": { "required": ["dataschema"] } },
            ],
        },
    })
}
