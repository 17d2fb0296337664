//! A delivery may be large: no two of them are in memory at once.

use crate::test_bench::{HOST, TOKEN, by};
use labelrelay_page::{
    Acted, Action, DataError, Delivery, ListQuery, Listing, Page, PageData, PageToken, PartState,
    SourceView,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// Counts the deliveries that are read at the same time.
#[derive(Default)]
struct Counted {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Counted {
    fn read(&self) {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
        // Time for the others to come in, if they may.
        std::thread::sleep(Duration::from_millis(100));
        self.now.fetch_sub(1, SeqCst);
    }
}

impl PageData for Counted {
    fn list(&self, _: &ListQuery, _: usize) -> Result<Listing, DataError> {
        Ok(Listing::default())
    }

    fn delivery(&self, _: &str) -> Result<Option<Delivery>, DataError> {
        self.read();
        Ok(None)
    }

    fn strip(&self) -> Vec<PartState> {
        Vec::new()
    }

    fn sources(&self) -> Vec<SourceView> {
        Vec::new()
    }

    fn act(&self, _: &str, _: Action) -> Result<Option<Acted>, DataError> {
        self.read();
        Ok(None)
    }
}

#[test]
fn one_delivery_is_in_memory_at_a_time() {
    let counted = Arc::new(Counted::default());
    let data: Arc<dyn PageData> = Arc::<Counted>::clone(&counted);
    let page = Page::new(PageToken::new(TOKEN).unwrap(), data);
    let page = &page;
    let bearer = format!("Bearer {TOKEN}");
    let bearer = bearer.as_str();
    std::thread::scope(|scope| {
        for (method, uri) in [
            ("GET", "/api/deliveries/r1"),
            ("GET", "/api/deliveries/r1/body"),
            ("GET", "/api/deliveries/r1/event"),
            ("GET", "/media/r1/0/image"),
            ("POST", "/api/deliveries/r1/retry"),
        ] {
            scope.spawn(move || {
                let headers = [("host", HOST), ("authorization", bearer)];
                assert_eq!(by(page, method, uri, &headers).status(), 404, "{uri}");
            });
        }
    });
    assert_eq!(counted.most.load(SeqCst), 1);
}
