# shellcheck shell=bash disable=SC2154 # sourced by release.sh, which sets the variables that all parts share
# Builds what a release consists of. The same commit, Go, tools and base image give the same bytes anywhere: no paths
# (-trimpath), no state of the git clone (-buildvcs=false: with it, Go stamps what tags the clone happens to have), times
# of the commit, sorted and ownerless archives.

MAX_IMAGE=8000000 # bytes, compressed, a platform: every user's job pulls it
read -ra PLATFORMS <<<"${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}"
IMAGE_PLATFORMS=(linux/amd64 linux/arm64)

build_environment() {
  need git jq curl tar gzip go make
  [[ -z $(git status --porcelain --untracked-files=all) ]] ||
    die "the work tree has changes: what is built would not be $SOURCE" "commit them, or release from a clean clone"
  KO=${KO:-$(make --silent release-tools | tail -n 1)}
  EPOCH=$(git show -s --format=%ct "$SOURCE")
  export CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS='-trimpath -buildvcs=false -mod=readonly'
  export GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT='' SOURCE_DATE_EPOCH=$EPOCH
  LDFLAGS="-s -w -X main.version=$VERSION"
}

step_build() {
  local released pushed
  released=$(released_digest)
  build_environment
  pushed=$(pushed_digest)
  rm -rf "$DIST"
  mkdir -p "$DIST/assets"
  resolve_base >"$DIST/base"
  say "building $VERSION with $(go env GOVERSION) on $(<"$DIST/base")"
  build_archives
  # ko takes the path of a layout for a repository's name: in the repository, where it is lower case for certain.
  rm -rf dist/ko-layout
  ko_build --push=false --oci-layout-path=dist/ko-layout --sbom-dir="$DIST/sbom" >/dev/null
  mv dist/ko-layout "$DIST/image"
  jq -er '.manifests | if length == 1 then .[0].digest else error end' "$DIST/image/index.json" >"$DIST/digest"
  step_inspect
  publish_sboms
  check_same "$released" "the tag $VERSION runs"
  check_same "$pushed" "$IMAGE:$VERSION is"
  output digest "$BUILT"
}

# read_built sets BUILT, the digest of the image that the step build made.
read_built() {
  BUILT=$(cat "$DIST/digest" 2>/dev/null) || die "nothing is built in $DIST" "run the step build first"
}

# check_same DIGEST WHERE refuses another digest than the one built; none is well.
check_same() {
  [[ -z $1 || $1 == "$BUILT" ]] ||
    die "$2 $1, and this run built $BUILT" \
      "another Go or ko than at the first run, or another commit: take the next version"
}

build_archives() {
  local platform name file
  for platform in "${PLATFORMS[@]}"; do
    name=oci-promote_${NUMBER}_${platform/\//_}
    build_binary "$platform" "$DIST/binaries/$platform"
    for file in LICENSE README.md THIRD_PARTY_LICENSES; do
      git show "$SOURCE:$file" >"$DIST/binaries/$platform/$file"
    done
    (cd "$DIST/binaries/$platform" && tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
      --mode=u=rwX,go=rX --mtime="@$EPOCH" -- *) | gzip --no-name >"$DIST/assets/$name.tar.gz"
  done
}

# publish_sboms puts the list of modules in each platform's image (SPDX, of ko) among the assets, if it lists what the
# linker wrote into the binary.
publish_sboms() {
  local platform arch sbom listed linked
  for platform in "${IMAGE_PLATFORMS[@]}"; do
    arch=${platform#linux/}
    sbom=$(printf '%s\n' "$DIST"/sbom/oci-promote-linux-"$arch"*.spdx.json)
    listed=$(jq -r '.packages[] | select(.versionInfo and any(.externalRefs[]?; .referenceLocator | startswith("pkg:golang/"))) |
      "\(.name)@\(.versionInfo)"' "$sbom" | sort)
    linked=$(go version -m "$DIST/binaries/$platform/oci-promote" | awk '$1 == "dep" { print $2 "@" $3 }' | sort)
    [[ -n $linked && $listed == "$linked" ]] ||
      die "the SBOM for $platform does not list the modules that are linked: $(diff <(echo "$listed") <(echo "$linked") | sed -n '2p')"
    cp "$sbom" "$DIST/assets/oci-promote_${NUMBER}_linux_$arch.spdx.json"
  done
  (cd "$DIST/assets" && sha256sum -- *.tar.gz *.spdx.json >checksums.txt)
}

# build_binary OS/ARCH DIR
build_binary() {
  local suffix=
  [[ $1 != windows/* ]] || suffix=.exe
  mkdir -p "$2"
  GOOS=${1%/*} GOARCH=${1#*/} go build -ldflags "$LDFLAGS" -o "$2/oci-promote$suffix" ./cmd/oci-promote
}

# ko_build FLAGS… builds the image of both platforms, and prints its reference. The labels are those of the Dockerfile;
# as annotations, ghcr.io shows them for an image of several platforms, and links the package to the repository.
ko_build() {
  local text flags=()
  cat >"$DIST/ko.yaml" <<YAML
defaultBaseImage: $(<"$DIST/base")
builds:
  - id: oci-promote
    main: ./cmd/oci-promote
    ldflags: ["$LDFLAGS"]
YAML
  while IFS= read -r text; do
    # ko reads each value as a line of CSV, so that one with a comma needs quotes.
    flags+=("--image-label=\"org.opencontainers.image.$text\"" "--image-annotation=\"org.opencontainers.image.$text\"")
  done < <(
    sed -nE 's/.*org\.opencontainers\.image\.([a-z]+)="([^"$]*)".*/\1=\2/p' Dockerfile |
      sed "s|github.com/oci-promote/oci-promote|github.com/$REPOSITORY|"
    printf '%s\n' "version=$VERSION" "revision=$SOURCE"
  )
  KO_CONFIG_PATH=$DIST/ko.yaml KO_DOCKER_REPO=$IMAGE "$KO" build --bare --platform="$(IFS=, && echo "${IMAGE_PLATFORMS[*]}")" --sbom=spdx \
    --tags="$VERSION" "${flags[@]}" "$@" ./cmd/oci-promote 2>"$scratch/ko" || die "ko: $(<"$scratch/ko")"
}

blob() { echo "$DIST/image/blobs/${1/://}"; }

# What is built must be small, run as root, and hold the very binaries of the archives.
step_inspect() {
  need jq tar gzip
  read_built
  local platform
  for platform in "${IMAGE_PLATFORMS[@]}"; do
    inspect "$platform"
  done
}

# inspect OS/ARCH
inspect() {
  local manifest config size layer
  manifest=$(jq -er --arg platform "$1" '.manifests[] |
    select("\(.platform.os)/\(.platform.architecture)" == $platform) | .digest' "$(blob "$BUILT")") ||
    die "the image has no platform $1" "the base image $(<"$DIST/base") has none"
  manifest=$(blob "$manifest")
  size=$(jq '[.config.size, .layers[].size] | add' "$manifest")
  ((size < MAX_IMAGE)) || die "the image for $1 has $size bytes, compressed; at most $MAX_IMAGE are allowed"
  config=$(jq -r .config.digest "$manifest")
  jq -e '.config.User // "" | IN("", "0", "root", "0:0", "root:root")' "$(blob "$config")" >/dev/null ||
    die "the image for $1 does not run as root" \
      "the runner mounts the workspace and its command files as root: take another base image"
  layer=$(jq -r '.layers[-1].digest' "$manifest")
  tar --extract --gzip --absolute-names --to-stdout --file="$(blob "$layer")" /ko-app/oci-promote |
    cmp --silent - "$DIST/binaries/$1/oci-promote" ||
    die "the binary in the image for $1 is not the one in its archive"
  say "image for $1: $size bytes"
}

# The push builds once more, from Go's cache, and refuses if that gave other bytes. It goes even if the tag is there:
# a killed run may have pushed the image and not its SBOM. Children go before the index, the index before its tag.
step_push() {
  local reference released pushed
  step_inspect
  build_environment
  released=$(released_digest)
  check_same "$released" "the tag $VERSION runs"
  pushed=$(pushed_digest)
  check_same "$pushed" "$IMAGE:$VERSION is"
  if [[ -n ${REGISTRY_PASSWORD:-} ]]; then
    "$KO" login "${IMAGE%%/*}" --username "${REGISTRY_USERNAME:-}" --password-stdin \
      <<<"$REGISTRY_PASSWORD" 2>"$scratch/ko" ||
      die "ko: $(<"$scratch/ko")"
  fi
  reference=$(ko_build --push=true)
  [[ ${reference##*@} == "$BUILT" ]] || die "pushed ${reference##*@}, but $BUILT was built"
  pushed=$(pushed_digest)
  [[ $pushed == "$BUILT" ]] || die "pushed $BUILT, and now $IMAGE:$VERSION is ${pushed:-not there}" "run this again"
  output digest "$BUILT"
  say "pushed $IMAGE@$BUILT"
}
