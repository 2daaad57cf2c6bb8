# The tool and nothing else, for `COPY --from=` in the image of a client, or by itself:
#
#     tools/musl-build
#     docker build -t tgsession .
#     docker run --rm -v "$PWD:/data" tgsession info accounts
FROM scratch
COPY target/x86_64-unknown-linux-musl/release/tgsession /tgsession
WORKDIR /data
ENTRYPOINT ["/tgsession"]
