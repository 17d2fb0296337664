//! The handler in this process, behind the host.

use labelrelay_azure_function::Handler;
use labelrelay_core::Relay;
use labelrelay_http::{ServeOptions, serve_with};
use labelrelay_tests::azure::host::Host;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Runs `work`, which gets the host and the handler's own address; then stops both.
pub(crate) async fn behind_the_host<T: Send + 'static>(
    relay: Arc<Relay>,
    work: impl FnOnce(&Host, SocketAddr) -> T + Send + 'static,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let observer = Arc::clone(&relay.parts().observer);
    let handler = Handler::new(relay);
    let answer = move |tasks, peer, request| handler.answer(tasks, peer, request);
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let server = serve_with(listener, answer, observer, stopped, ServeOptions::default());
    let client = tokio::task::spawn_blocking(move || {
        let host = Host::start(address, false);
        let done = work(&host, address);
        drop(stop);
        done
    });
    tokio::join!(server, client).1.unwrap()
}
