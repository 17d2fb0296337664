# labelrelay as a container: one build, two images, and the handler for Azure Functions as a file.
# docs/container.md says which is for what.
#
#   docker build --tag labelrelay .                                          `labelrelay serve`
#   docker build --tag labelrelay-cloud-function --target cloud-function .   the service for Cloud Run
#   docker build --output crates/azure-function/app --target azure-function .
#
# Both images have nothing in them but the program, the licences of what it links (in /usr/share/doc/labelrelay), the
# C library and certificates, and do not run as root.

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
# Told by `labelrelay --version`: docker build --build-arg LABELRELAY_COMMIT=$(git rev-parse HEAD) …
ARG LABELRELAY_COMMIT
# For OpenTelemetry in a function: --build-arg FUNCTION_FEATURES=labelrelay-cloud-function/otlp …
# The licences in the image stay those of what is released.
ARG FUNCTION_FEATURES=""
ENV CARGO_TARGET_DIR=/target
COPY . .
# `labelrelay` with the queues and stores of all clouds, and with OpenTelemetry. What a cloud starts is built to be small.
# The owner of the folder `data` becomes the owner of a new volume.
RUN cargo build --release --locked --features labelrelay/aws,labelrelay/azure,labelrelay/google,labelrelay/nats,labelrelay/otlp,labelrelay/postgres \
        --package labelrelay --package xtask && \
    cargo build --profile function --locked --features "$FUNCTION_FEATURES" \
        --package labelrelay-cloud-function --package labelrelay-azure-function && \
    mkdir -p /image/data && \
    for program in labelrelay labelrelay-cloud-function; do \
        CARGO_MANIFEST_DIR="$PWD/xtask" /target/release/xtask release licences-of "$program" \
            "/image/licences/$program" || exit 1; \
    done && \
    mv /target/release/labelrelay /target/function/labelrelay-cloud-function \
        /target/function/labelrelay-azure-function /image/

FROM scratch AS azure-function
COPY --from=build /image/labelrelay-azure-function /

FROM gcr.io/distroless/cc-debian13:nonroot AS cloud-function
# checkov:skip=CKV_DOCKER_2:platforms ask GET /-/ready themselves; there is no shell here to ask it with
USER 65532:65532
COPY --from=build /image/labelrelay-cloud-function /usr/local/bin/
COPY --from=build /image/licences/labelrelay-cloud-function/ /usr/share/doc/labelrelay/
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/labelrelay-cloud-function"]

FROM gcr.io/distroless/cc-debian13:nonroot AS serve
USER 65532:65532
COPY --from=build /image/labelrelay /usr/local/bin/
COPY --from=build /image/licences/labelrelay/ /usr/share/doc/labelrelay/
COPY --from=build --chown=65532:65532 /image/data /data
WORKDIR /data
ENV LABELRELAY_QUEUE=sqlite:///data/queue.db \
    LABELRELAY_SPOOL_DIR=/data/spool \
    LABELRELAY_LISTEN=0.0.0.0:8080
EXPOSE 8080
VOLUME ["/data"]
# Kubernetes asks GET /-/ready itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/usr/local/bin/labelrelay", "status", "--ready"]
# SIGTERM, which stops a container, finishes what was accepted first.
ENTRYPOINT ["/usr/local/bin/labelrelay"]
CMD ["serve", "--log", "json"]
