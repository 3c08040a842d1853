# Built by Docker's classic builder too (`uses: ./`, act): no BuildKit syntax here.
# Both base images can be replaced with --build-arg. A RUN_IMAGE needs CA certificates and nothing else.
ARG BUILD_IMAGE=golang:1.26-bookworm
ARG RUN_IMAGE=gcr.io/distroless/static-debian12:latest

FROM ${BUILD_IMAGE} AS build
ENV CGO_ENABLED=0 \
    GOFLAGS=-mod=readonly \
    GOTOOLCHAIN=local
WORKDIR /src

# Modules change seldom: a layer of their own.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=dev
RUN go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /oci-promote ./cmd/oci-promote

FROM ${RUN_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="oci-promote" \
      org.opencontainers.image.description="Carries one OCI artifact from merge to live: build, tag and verify for Flux" \
      org.opencontainers.image.source="https://github.com/oci-promote/oci-promote" \
      org.opencontainers.image.url="https://github.com/oci-promote/oci-promote" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /oci-promote /oci-promote
COPY LICENSE THIRD_PARTY_LICENSES /licenses/
# No USER: the runner mounts the workspace and its command files as root.
ENTRYPOINT ["/oci-promote"]
