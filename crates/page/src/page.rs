//! From a request to its answer.

use crate::access::{check_deed, check_place, check_site, check_token, cookie_name};
use crate::answer::{Refusal, response, set_cookie, wrong_method};
use crate::api::{self, Deed};
use crate::assets;
use crate::data::PageData;
use crate::query::Query;
use crate::token::PageToken;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The page, for whoever has a server to mount it on.
pub struct Page {
    token: PageToken,
    data: Arc<dyn PageData>,
    relay_url: Option<String>,
    /// Held while a delivery is in memory. With its body and the version before it has some hundred megabytes at worst,
    /// and a browser asks for several at once: as fast as somebody goes through the list.
    turn: Mutex<()>,
}

impl Page {
    /// The page of `data`, for those who have the token.
    pub fn new(token: PageToken, data: Arc<dyn PageData>) -> Self {
        Self {
            token,
            data,
            relay_url: None,
            turn: Mutex::default(),
        }
    }

    /// Names the URL that deliveries go to, for who copies one as a command: `http://127.0.0.1:8080`.
    #[must_use]
    pub fn with_relay_url(mut self, url: impl Into<String>) -> Self {
        self.relay_url = Some(url.into());
        self
    }

    /// The URL that opens the page on this address. It holds the token.
    pub fn url(&self, mut address: SocketAddr) -> String {
        if address.ip().is_unspecified() {
            // The page answers to loopback names alone.
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}/?token={}", self.token.as_str())
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        // Nothing is behind it that a panic could have left half done.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a request with this head. It may wait for a disk, and for another request's delivery.
    pub fn answer(&self, head: &Parts) -> Response<Bytes> {
        let host = match check_place(head) {
            Ok(host) => host,
            Err(refusal) => return refusal.as_text(),
        };
        let path = head.uri.path();
        if let Some(deed) = Deed::of(path) {
            if head.method != Method::POST {
                return wrong_method("POST");
            }
            return check_site(head)
                .and_then(|()| check_token(&self.token, head, &host, None))
                .and_then(|()| check_deed(&self.token, head))
                .and_then(|()| {
                    let _turn = self.turn();
                    deed.answer(&*self.data)
                })
                .unwrap_or_else(|refusal| refusal.as_json());
        }
        if head.method != Method::GET {
            return wrong_method("GET");
        }
        let query = Query::parse(head.uri.query());
        if path == "/" {
            return match check_token(&self.token, head, &host, Some(&query)) {
                Ok(()) => {
                    let index = &assets::INDEX;
                    let body = Bytes::from_static(index.bytes);
                    let mut response = response(StatusCode::OK, index.media_type, body);
                    set_cookie(&mut response, &cookie_name(&host), self.token.as_str());
                    response
                }
                Err(refusal) => refusal.as_text(),
            };
        }
        if let Some(name) = path.strip_prefix("/assets/") {
            return match assets::find(name) {
                Some(asset) => {
                    let body = Bytes::from_static(asset.bytes);
                    response(StatusCode::OK, asset.media_type, body)
                }
                None => nothing_here().as_text(),
            };
        }
        let allowed = check_site(head).and_then(|()| check_token(&self.token, head, &host, None));
        if let Some(path) = path.strip_prefix("/media/") {
            return allowed
                .and_then(|()| {
                    let _turn = self.turn();
                    api::media_document(&*self.data, path, &query)
                })
                .unwrap_or_else(|refusal| refusal.as_text());
        }
        match path.strip_prefix("/api/") {
            None => match allowed {
                Ok(()) => nothing_here().as_text(),
                Err(refusal) => refusal.as_text(),
            },
            Some(path) => allowed
                .and_then(|()| {
                    let relay_url = self.relay_url.as_deref();
                    let _turn = path.starts_with("deliveries/").then(|| self.turn());
                    api::answer(&*self.data, relay_url, path, &query)
                })
                .unwrap_or_else(|refusal| refusal.as_json()),
        }
    }
}

fn nothing_here() -> Refusal {
    let words = "nothing has this address: the page is at `/`";
    Refusal::new(StatusCode::NOT_FOUND, words)
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("relay_url", &self.relay_url)
            .finish_non_exhaustive()
    }
}
