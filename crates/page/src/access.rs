//! Who gets an answer: somebody on this machine who has the token, through the page itself.

use crate::answer::Refusal;
use crate::query::Query;
use crate::token::PageToken;
use http::StatusCode;
use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use std::net::IpAddr;

/// What a browser says of the page that a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Cookies that are looked at. A browser sends those of all ports of this machine.
const MAX_COOKIES: usize = 64;

/// The host that a request names, when it is this machine and no other web page is behind the request.
///
/// A name that resolves to a loopback address (DNS rebinding) is refused here, and so is a page of another port.
pub(crate) fn check_place(head: &Parts) -> Result<Authority, Refusal> {
    let mut named = head.headers.get_all(HOST).iter();
    let host = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default().parse().ok(),
        // HTTP/2 has it in the target.
        (None, _) => head.uri.authority().cloned(),
        (Some(_), Some(_)) => None,
    };
    let Some(host) = host.filter(is_loopback) else {
        let words = "this page answers only to 127.0.0.1, [::1] or localhost as Host: open it by such an address";
        return Err(Refusal::new(StatusCode::FORBIDDEN, words));
    };
    let own = format!("http://{host}");
    for origin in head.headers.get_all(ORIGIN) {
        if !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()) {
            let words = "this page answers to itself alone: the request's Origin is another page";
            return Err(Refusal::new(StatusCode::FORBIDDEN, words));
        }
    }
    Ok(host)
}

/// The same for what holds data: a browser says itself when another page asks.
pub(crate) fn check_site(head: &Parts) -> Result<(), Refusal> {
    let is_own = |site: &[u8]| matches!(site, b"same-origin" | b"none");
    let mut sites = head.headers.get_all(SEC_FETCH_SITE).iter();
    if sites.all(|site| is_own(site.as_bytes())) {
        return Ok(());
    }
    let words = "this page answers to itself alone: the browser says that another page asks";
    Err(Refusal::new(StatusCode::FORBIDDEN, words))
}

/// The same for what changes something: the page itself says so, or a program that has the token in its own hand. A browser
/// names the origin of each such request, so one without it is no page's; its cookie alone is not believed.
pub(crate) fn check_deed(token: &PageToken, head: &Parts) -> Result<(), Refusal> {
    // `check_place` has seen that it is ours.
    let is_of_page = head.headers.contains_key(ORIGIN);
    if is_of_page || bearers(head).any(|said| token.is(said)) {
        return Ok(());
    }
    let words = "this changes something, and the request does not say where it comes from: ask on the page, or with `Authorization: Bearer`";
    Err(Refusal::new(StatusCode::FORBIDDEN, words))
}

/// What stands in `Authorization: Bearer`.
fn bearers(head: &Parts) -> impl Iterator<Item = &str> {
    let lines = head.headers.get_all(AUTHORIZATION).iter();
    lines.filter_map(|line| {
        let (scheme, said) = line.to_str().ok()?.split_once(' ')?;
        // The scheme's case means nothing (RFC 9110, section 11.1).
        scheme.eq_ignore_ascii_case("Bearer").then_some(said)
    })
}

/// Name of the cookie: browsers share cookies between the ports of a machine, and two relays shall not share one.
pub(crate) fn cookie_name(host: &Authority) -> String {
    format!("labelrelay_{}", host.port_u16().unwrap_or(80))
}

/// Refuses a request without the token. It may be in the cookie, in `Authorization: Bearer`, or in the query.
pub(crate) fn check_token(
    token: &PageToken,
    head: &Parts,
    host: &Authority,
    query: Option<&Query>,
) -> Result<(), Refusal> {
    let name = cookie_name(host);
    let cookies = head.headers.get_all(COOKIE).iter();
    let cookies = cookies.filter_map(|line| line.to_str().ok());
    let cookies = cookies.flat_map(|line| line.split(';')).take(MAX_COOKIES);
    let cookies = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    let cookies = cookies.filter_map(|(named, value)| (named == name).then_some(value));
    let in_query = query.and_then(|query| query.get("token"));
    let mut said_one = false;
    for said in in_query.into_iter().chain(bearers(head)).chain(cookies) {
        if token.is(said) {
            return Ok(());
        }
        said_one = true;
    }
    let words = if said_one {
        "this token is not the page's, or not any more: open the URL with `?token=` that was printed at the start, or that `labelrelay status --page-url` prints"
    } else {
        "the page asks for a token: open the URL with `?token=` that was printed at the start, or that `labelrelay status --page-url` prints"
    };
    Err(Refusal::new(StatusCode::UNAUTHORIZED, words))
}

fn is_loopback(host: &Authority) -> bool {
    if host.as_str().contains('@') {
        return false;
    }
    let name = host.host();
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    match address.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}
