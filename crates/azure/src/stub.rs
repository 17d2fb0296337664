//! A stand-in for services that nothing installable speaks for, one layer below the SDK: it keeps requests
//! and answers what the test says, the last answer again and again.

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::Result;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use azure_core::time::{Duration, OffsetDateTime};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub(crate) struct Stub {
    requests: Mutex<Vec<Request>>,
    answers: Mutex<VecDeque<Answer>>,
}

#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    headers: Headers,
    body: String,
}

impl Stub {
    /// Gives these answers, status and body, in turn.
    pub(crate) fn answering(answers: &[(u16, &str)]) -> Arc<Self> {
        let answers = answers.iter().map(|(status, body)| Answer {
            status: *status,
            headers: Headers::new(),
            body: (*body).to_owned(),
        });
        Arc::new(Self {
            requests: Mutex::default(),
            answers: Mutex::new(answers.collect()),
        })
    }

    /// Adds a header to the first answer.
    pub(crate) fn first_with_header(self: &Arc<Self>, name: &'static str, value: &str) {
        let mut answers = self.answers.lock().unwrap();
        answers[0].headers.insert(name, value.to_owned());
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpClient for Stub {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        self.requests.lock().unwrap().push(request.clone());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop_front().unwrap()
        } else {
            answers[0].clone()
        };
        Ok(AsyncRawResponse::from_bytes(
            answer.status.into(),
            answer.headers,
            answer.body.into_bytes(),
        ))
    }
}

#[async_trait]
impl TokenCredential for Stub {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken> {
        let expires = OffsetDateTime::now_utc() + Duration::hours(1);
        Ok(AccessToken::new("stub-token".to_owned(), expires))
    }
}
