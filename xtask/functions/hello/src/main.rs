//! Hello world on the port that `PORT` names: what a start costs when nothing is done.

use axum::Router;
use axum::routing::get;
use std::error::Error;
use std::net::Ipv4Addr;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::var("PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let app = Router::new().route("/", get(async || "hello"));
    Ok(axum::serve(listener, app).await?)
}
