# PostgreSQL 15 with the extension, pg_partman, the migrations and ledgerctl: the database of a
# deployment, and its migration step (ledger-migrate).
#
# Any base with Debian's package names will do: the official image has PostgreSQL already, a bare
# Debian gets it here. Pin what you build on by digest:
#
#   deploy/images/build.sh --base-postgres postgres:15-bookworm@sha256:… postgres
#
# The build context is what build.sh sends: the sources, without what a checkout has beside them.
ARG BASE=postgres:15-bookworm

FROM ${BASE} AS build
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		gcc libc6-dev make libcurl4-openssl-dev libpq-dev libssl-dev postgresql-server-dev-15
COPY extension /src/extension
COPY gateway /src/gateway
ARG COMMIT=unknown
RUN make -s -j"$(nproc)" -C /src/extension all && make -s -C /src/extension install DESTDIR=/out \
	&& make -s -j"$(nproc)" -C /src/gateway COMMIT="$COMMIT" bin/ledgerctl bin/ledgerctl-online \
	&& install -D -s /src/gateway/bin/ledgerctl /out/usr/local/bin/ledgerctl \
	&& install -D -s /src/gateway/bin/ledgerctl-online /out/usr/local/libexec/findings-ledger/ledgerctl-online \
	&& strip --strip-unneeded /out/usr/lib/postgresql/15/lib/findings_ledger.so

FROM ${BASE}
# The same user number on every base, so that a volume can move between them.
RUN if ! getent passwd postgres >/dev/null; then \
		groupadd --system --gid 999 postgres \
		&& useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres; \
	fi
RUN mkdir -p /etc/postgresql-common/createcluster.d \
	&& echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/findings-ledger.conf \
	&& apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		postgresql-15 postgresql-15-partman libcurl4 libpq5 libssl3 \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log \
	&& find / -xdev -type f -perm /6000 -exec chmod ug-s {} +
COPY --from=build /out/ /
COPY migrations/*.sql migrations/CHECKSUMS /usr/local/share/findings-ledger/migrations/
COPY migrations/rollback /usr/local/share/findings-ledger/migrations/rollback
COPY LICENSE /usr/share/doc/findings-ledger/LICENSE
COPY deploy/images/postgres-entrypoint.sh /usr/local/bin/ledger-postgres
COPY deploy/images/migrate-step.sh /usr/local/bin/ledger-migrate
COPY deploy/images/service-login.sql /usr/local/share/findings-ledger/service-login.sql
COPY deploy/images/sbom.sh /tmp/sbom.sh
ARG VERSION=unknown
ARG COMMIT=unknown
RUN /tmp/sbom.sh findings-ledger-postgres "$VERSION" >/usr/share/doc/findings-ledger/sbom.cdx.json && rm /tmp/sbom.sh \
	&& install -d -m 700 -o postgres -g postgres /var/lib/postgresql/data \
	&& install -d -m 2775 -o postgres -g postgres /var/run/postgresql

LABEL org.opencontainers.image.title="Findings Ledger: PostgreSQL" \
	org.opencontainers.image.description="PostgreSQL 15 with findings_ledger, pg_partman, migrations and ledgerctl" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${COMMIT}" \
	org.opencontainers.image.licenses="PostgreSQL" \
	findings-ledger.sbom="/usr/share/doc/findings-ledger/sbom.cdx.json" \
	findings-ledger.sbom.format="CycloneDX 1.5 JSON"

ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin \
	LANG=C.UTF-8 \
	PGDATA=/var/lib/postgresql/data/pgdata
USER postgres
VOLUME /var/lib/postgresql/data
EXPOSE 5432
# Ends sessions and writes a checkpoint, instead of waiting for clients to leave.
STOPSIGNAL SIGINT
# Over TCP, as the gateway comes.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 \
	CMD ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "ledger_service", "-d", "ledger"]
ENTRYPOINT ["ledger-postgres"]
CMD ["postgres"]
