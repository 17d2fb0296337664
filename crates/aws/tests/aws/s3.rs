//! Claim checks and the fallback, against a real S3 server and against one that misbehaves.

use crate::setup::{aws, aws_with};
use bytes::Bytes;
use futures_util::stream;
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobError, BlobStore, BoxStream, FallbackStore};
use labelrelay_event::Digest;
use labelrelay_testkit::{blob_suite, fallback_suite, object_suite};
use labelrelay_tests::servers::{Behaviour, Misbehaving, Seaweedfs, boto3};
use std::io;

const MIB: usize = 1024 * 1024;

fn key_of(body: &[u8]) -> String {
    format!("2026/11/24/labelbox/{}", Digest::of(body).to_hex())
}

fn chunked(body: &Bytes) -> BoxStream<'static, io::Result<Bytes>> {
    let body = body.clone();
    let starts = (0..body.len()).step_by(64 * 1024);
    let chunks = starts.map(move |at| Ok(body.slice(at..body.len().min(at + 64 * 1024))));
    Box::pin(stream::iter(chunks.collect::<Vec<_>>()))
}

async fn put(store: &dyn BlobStore, key: &str, body: &Bytes) -> Result<String, BlobError> {
    store.put(key, body.len() as u64, chunked(body)).await
}

fn body_of(bytes: usize) -> Bytes {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..bytes).map(next).collect()
}

#[tokio::test]
#[ignore = "needs SeaweedFS: cargo xtask test"]
async fn seaweedfs() {
    let server = Seaweedfs::start();
    let endpoint = server.endpoint();
    let make = "client('s3').create_bucket(Bucket=args[0], CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})";
    boto3::run(&endpoint, make, &["claims"]);
    claims_are_created_once(&endpoint).await;
    for url in ["s3://claims", "s3://claims/some/where"] {
        let store = aws(&endpoint).blob_store(url).expect("a URL");
        blob_suite::gives_back_its_own_objects_alone(&store).await;
    }
    let files = aws(&endpoint).object_store("s3://claims/some/files");
    let files = files.expect("a URL");
    object_suite::an_object_is_created_once(&files).await;
    object_suite::names_are_listed(&files).await;
    object_suite::lists_more_than_a_page(&files).await;
    let fallback = aws(&endpoint)
        .fallback("s3://claims/fall/back")
        .expect("a URL");
    fallback_suite::keeps_envelopes_until_they_are_removed(&fallback).await;
    fallback_suite::keeps_bodies_beside_envelopes(&fallback).await;
    fallback_suite::lists_more_than_a_page(&fallback).await;
    fallback_suite::lists_traces_from_a_moment_on(&fallback).await;

    let absent = aws(&endpoint).blob_store("s3://nowhere").expect("a URL");
    for error in [
        absent.check().await.expect_err("no bucket"),
        put(&absent, &key_of(b"x"), &Bytes::from("x"))
            .await
            .expect_err("no bucket"),
    ] {
        assert!(
            !error.retryable && error.message.contains("no such bucket"),
            "{error}"
        );
    }
    let stranger = aws_with(&endpoint, &[("AWS_SECRET_ACCESS_KEY", "wrong")]);
    let stranger = stranger.blob_store("s3://claims").expect("a URL");
    let error = stranger.check().await.expect_err("refused");
    assert!(
        !error.retryable && error.message.contains("AWS_SECRET_ACCESS_KEY"),
        "{error}"
    );
}

async fn claims_are_created_once(endpoint: &str) {
    let store = aws(endpoint).blob_store("s3://claims/a/b/").expect("a URL");
    store.check().await.expect("the bucket is there");
    for bytes in [0, 1, 64 * 1024, 20 * MIB + 1] {
        let body = body_of(bytes);
        let key = key_of(&body);
        let uri = put(&store, &key, &body).await.expect("stored");
        assert_eq!(uri, format!("s3://claims/a/b/{key}"));
        assert_eq!(put(&store, &key, &body).await.expect("there already"), uri);
        assert_eq!(
            digest_of(endpoint, &uri),
            Digest::of(&body).to_hex(),
            "{bytes} bytes"
        );
        let fetched = store.get(&uri).await.expect("read");
        assert!(fetched == Fetched::Body(body), "{bytes} bytes");
    }
    for (uri, answer) in [
        ("s3://claims/a/b/nothing", Fetched::Gone),
        ("s3://claims/a/other", Fetched::Elsewhere),
        ("s3://claims/a/b/../other", Fetched::Elsewhere),
        ("s3://other/a/b/nothing", Fetched::Elsewhere),
        ("gs://claims/a/b/nothing", Fetched::Elsewhere),
    ] {
        assert_eq!(store.get(uri).await.expect("answered"), answer, "{uri}");
    }
    // Also without a digest in the key, and with whatever a key may hold.
    let body = body_of(1000);
    let uri = put(&store, "odd/ü +%&=~'(*)", &body).await.expect("stored");
    assert_eq!(digest_of(endpoint, &uri), Digest::of(&body).to_hex());
    let fetched = store.get(&uri).await.expect("read");
    assert!(fetched == Fetched::Body(body.clone()));

    // A stored object is never replaced: not by other bytes of the same name, whose digest does not fit.
    let key = key_of(&body);
    let uri = put(&store, &key, &body).await.expect("stored");
    let other = body_of(1001);
    let _ = put(&store, &key, &other).await;
    assert_eq!(digest_of(endpoint, &uri), Digest::of(&body).to_hex());

    // A body that breaks off, or is not as long as was said, leaves nothing behind.
    let body = body_of(MIB);
    let key = key_of(&body);
    for (length, said) in [(MIB as u64 + 1, "shorter"), (MIB as u64 - 1, "longer")] {
        let error = store
            .put(&key, length, chunked(&body))
            .await
            .expect_err(said);
        assert!(error.retryable && error.message.contains(said), "{error}");
    }
    let broken = stream::iter([
        Ok(body.slice(..1000)),
        Err(io::Error::other("the disk is gone")),
    ]);
    let error = store
        .put(&key, MIB as u64, Box::pin(broken))
        .await
        .expect_err("broken");
    assert!(error.message.contains("the disk is gone"), "{error}");
    assert_eq!(
        digest_of(endpoint, &format!("s3://claims/a/b/{key}")),
        "absent"
    );
}

/// SHA-256 of the stored object, as AWS's own client reads it.
fn digest_of(endpoint: &str, uri: &str) -> String {
    let script = "
import hashlib
s3, (bucket, key) = client('s3'), args[0][5:].split('/', 1)
try:
    print(hashlib.sha256(s3.get_object(Bucket=bucket, Key=key)['Body'].read()).hexdigest())
except s3.exceptions.NoSuchKey:
    print('absent')";
    boto3::run(endpoint, script, &[uri])
}

#[tokio::test]
async fn errors_of_s3_are_reported_with_the_cure() {
    let cases: &[(u16, &str, &str, bool, &[&str])] = &[
        (
            404,
            "NoSuchBucket",
            "x",
            false,
            &["no such bucket", "claims"],
        ),
        (
            403,
            "AccessDenied",
            "x",
            false,
            &["allow s3:PutObject on arn:aws:s3:::claims/a/b/*"],
        ),
        (
            403,
            "AccessDenied",
            "not authorized to perform: kms:GenerateDataKey",
            false,
            &["kms:GenerateDataKey"],
        ),
        (
            301,
            "PermanentRedirect",
            "elsewhere",
            false,
            &["region eu-central-1"],
        ),
        (
            400,
            "AuthorizationHeaderMalformed",
            "expecting 'us-east-1'",
            false,
            &["region", "us-east-1"],
        ),
        (
            403,
            "InvalidAccessKeyId",
            "x",
            false,
            &["AWS_ACCESS_KEY_ID"],
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "x",
            false,
            &["AWS_SECRET_ACCESS_KEY"],
        ),
        (400, "ExpiredToken", "x", false, &["expired"]),
        (
            400,
            "KMS.DisabledException",
            "x",
            false,
            &["KMS", "enabled"],
        ),
        (409, "ConditionalRequestConflict", "x", true, &["409"]),
        (400, "XAmzContentSHA256Mismatch", "x", true, &["400"]),
        (503, "SlowDown", "x", true, &["503"]),
        (500, "InternalError", "x", true, &["500"]),
        (
            400,
            "SomethingNew",
            "of tomorrow",
            false,
            &["SomethingNew", "of tomorrow"],
        ),
    ];
    let server = Misbehaving::start(Behaviour::Well);
    let store = aws(&server.endpoint())
        .blob_store("s3://claims/a/b")
        .expect("a URL");
    let body = Bytes::from("x");
    for (status, code, said, retryable, words) in cases {
        server.behave(Behaviour::s3_error(*status, code, said));
        let error = put(&store, &key_of(&body), &body).await.expect_err(code);
        assert_eq!(error.retryable, *retryable, "{code}: {error}");
        for word in *words {
            assert!(
                error.message.contains(word),
                "{code}: {word} is missing in: {error}"
            );
        }
    }
    // An answer that proves nothing, or no answer at all, may pass.
    let answered = |headers: &[(&str, &str)], body: &str| Behaviour::Answer {
        status: 200,
        headers: headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        body: body.to_owned(),
    };
    for behaviour in [
        Behaviour::html(200),
        Behaviour::html(404),
        answered(&[], ""),
        answered(&[("etag", "\"a\""), ("x-amz-checksum-sha256", "AAAA")], ""),
        answered(&[("etag", "\"a\"")], "<html>"),
        Behaviour::HangUp,
        Behaviour::Cut,
        Behaviour::Reset,
    ] {
        server.behave(behaviour.clone());
        let error = put(&store, &key_of(&body), &body)
            .await
            .expect_err("no success");
        assert!(error.retryable, "{behaviour:?}: {error}");
    }
    server.behave(answered(&[("etag", "\"a\"")], ""));
    put(&store, &key_of(&body), &body).await.expect("proven");
    server.behave(Behaviour::s3_error(412, "PreconditionFailed", "x"));
    put(&store, &key_of(&body), &body)
        .await
        .expect("there already");
}

/// To store takes no permission to list: being forbidden that is no reason not to start.
#[tokio::test]
async fn a_check_needs_no_more_than_storing_does() {
    let server = Misbehaving::start(Behaviour::s3_error(403, "AccessDenied", "x"));
    let store = aws(&server.endpoint())
        .blob_store("s3://claims")
        .expect("a URL");
    store.check().await.expect("nothing better can be known");
    for code in [
        "NoSuchBucket",
        "PermanentRedirect",
        "InvalidAccessKeyId",
        "ExpiredToken",
    ] {
        server.behave(Behaviour::s3_error(403, code, "x"));
        let error = store.check().await.expect_err(code);
        assert!(!error.retryable, "{error}");
    }
    server.behave(Behaviour::html(200));
    store.check().await.expect_err("not S3");
}

/// A page of folders alone is not the last one: S3 says whether there are more, and how to go on.
#[tokio::test]
async fn a_list_goes_on_as_long_as_s3_says_and_has_an_end() {
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a/b=</NextContinuationToken></ListBucketResult>";
    let server = Misbehaving::start(Behaviour::Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
        body: page.to_owned(),
    });
    let fallback = aws(&server.endpoint())
        .fallback("s3://claims/a")
        .expect("a URL");
    let error = fallback.list(None, 10).await.expect_err("the same page");
    assert!(
        error.retryable && error.message.contains("no end"),
        "{error}"
    );
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(
        seen[1].line.contains("continuation-token=a%2Fb%3D"),
        "{}",
        seen[1].line
    );
}
