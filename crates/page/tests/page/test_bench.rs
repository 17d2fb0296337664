//! A page over data that a test writes down.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use labelrelay_page::{
    Acted, Action, DataError, Delivery, ListQuery, Listing, Page, PageData, PageToken, Part,
    PartState, SourceView, Summary,
};
use serde_json::Value;
use std::sync::{Arc, Mutex};

pub(crate) const TOKEN: &str = "0123456789abcdefghijkl";
pub(crate) const HOST: &str = "127.0.0.1:9090";

/// A record of as many deliveries as it is told, which remembers what it was asked.
#[derive(Default)]
pub(crate) struct Data {
    pub(crate) deliveries: i64,
    pub(crate) delivery: Option<Delivery>,
    pub(crate) is_damaged: bool,
    pub(crate) asked: Mutex<Vec<(ListQuery, usize)>>,
    pub(crate) acted: Mutex<Vec<(String, Action)>>,
}

pub(crate) fn summary(number: i64) -> Summary {
    Summary {
        number,
        status: 200,
        outcome: "accepted".to_owned(),
        event_type: Some("<script>alert(1)</script>".to_owned()),
        ..Summary::default()
    }
}

impl PageData for Data {
    fn list(&self, query: &ListQuery, limit: usize) -> Result<Listing, DataError> {
        if self.is_damaged {
            return Err(DataError("the record is damaged".to_owned()));
        }
        self.asked.lock().unwrap().push((query.clone(), limit));
        let numbers = (1..=self.deliveries).rev();
        let after = query.after.unwrap_or(0);
        Ok(Listing {
            deliveries: numbers
                .filter(|number| *number > after)
                .take(limit)
                .map(summary)
                .collect(),
            newest: Some(self.deliveries + 5),
            lost: 2,
        })
    }

    fn delivery(&self, name: &str) -> Result<Option<Delivery>, DataError> {
        let delivery = self.delivery.clone();
        Ok(delivery.filter(|delivery| delivery.summary.name() == name))
    }

    fn strip(&self) -> Vec<PartState> {
        vec![PartState {
            part: Part::Queue,
            is_ok: false,
            words: "it is full".to_owned(),
        }]
    }

    fn sources(&self) -> Vec<SourceView> {
        Vec::new()
    }

    fn act(&self, name: &str, action: Action) -> Result<Option<Acted>, DataError> {
        self.acted.lock().unwrap().push((name.to_owned(), action));
        Ok(match name {
            "r1" => Some(Acted::Done(format!("{} is done", action.as_str()))),
            "r2" => Some(Acted::Refused("it is no dead letter".to_owned())),
            _ => None,
        })
    }
}

pub(crate) fn page(data: Data) -> Page {
    Page::new(PageToken::new(TOKEN).unwrap(), Arc::new(data))
}

pub(crate) fn asked(page: &Page, uri: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    by(page, "GET", uri, headers)
}

/// The answer to another method.
pub(crate) fn by(
    page: &Page,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    page.answer(&head)
}

pub(crate) fn status(page: &Page, uri: &str, headers: &[(&str, &str)]) -> u16 {
    asked(page, uri, headers).status().as_u16()
}

pub(crate) fn with_token(page: &Page, uri: &str) -> Response<Bytes> {
    let bearer = format!("Bearer {TOKEN}");
    asked(page, uri, &[("host", HOST), ("authorization", &bearer)])
}

pub(crate) fn json(page: &Page, uri: &str) -> Value {
    let response = with_token(page, uri);
    assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
    serde_json::from_slice(response.body()).unwrap()
}
