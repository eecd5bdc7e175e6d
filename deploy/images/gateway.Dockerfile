# The gateway, with ledgerctl (which its ticks run) and the migrations. No shell is needed to run it,
# nothing in it is written to, and it runs as a user that owns nothing.
#
# Pin what you build on by digest:
#
#   deploy/images/build.sh --base-gateway debian:12-slim@sha256:… gateway
#
# The build context is what build.sh sends: the sources, without what a checkout has beside them.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		gcc libc6-dev make libcurl4-openssl-dev libgnutls28-dev libmicrohttpd-dev libpq-dev libssl-dev zlib1g-dev
COPY extension /src/extension
COPY gateway /src/gateway
COPY migrations /src/migrations
ARG COMMIT=unknown
RUN make -s -j"$(nproc)" -C /src/gateway COMMIT="$COMMIT" all \
	&& make -s -C /src/gateway COMMIT="$COMMIT" install DESTDIR=/out \
	&& strip --strip-unneeded /out/usr/local/bin/* /out/usr/local/libexec/findings-ledger/*

FROM ${BASE}
RUN groupadd --gid 10001 ledger \
	&& useradd --uid 10001 --gid ledger --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin ledger \
	&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		ca-certificates libcurl4 libgnutls30 libmicrohttpd12 libpq5 libssl3 zlib1g \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log \
	&& find / -xdev -type f -perm /6000 -exec chmod ug-s {} +
COPY --from=build /out/ /
COPY LICENSE /usr/share/doc/findings-ledger/LICENSE
COPY deploy/images/sbom.sh /tmp/sbom.sh
ARG VERSION=unknown
ARG COMMIT=unknown
# The state of a signer goes to a volume there: what the signer remembers must outlive the container.
RUN /tmp/sbom.sh findings-ledger "$VERSION" >/usr/share/doc/findings-ledger/sbom.cdx.json && rm /tmp/sbom.sh \
	&& install -d /app && echo '{}' >/app/appsettings.json \
	&& install -d -m 700 -o ledger -g ledger /var/lib/findings-ledger

LABEL org.opencontainers.image.title="Findings Ledger: gateway" \
	org.opencontainers.image.description="The findings ledger over HTTP, with ledgerctl" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${COMMIT}" \
	org.opencontainers.image.licenses="PostgreSQL" \
	findings-ledger.sbom="/usr/share/doc/findings-ledger/sbom.cdx.json" \
	findings-ledger.sbom.format="CycloneDX 1.5 JSON"

USER 10001:10001
WORKDIR /app
EXPOSE 8080
# Readiness is 503 from here on, then what is in flight is finished (LEDGER__HTTP__DRAINTIMEOUT): give it
# longer than that before it is killed.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["ledger-gateway", "--ready"]
ENTRYPOINT ["ledger-gateway"]
