# shellcheck shell=bash disable=SC2154 # sourced by release.sh, which sets the variables that all parts share
# What the release asks of a registry. curl rather than a client: for a package that was never pushed ghcr.io gives a
# token for reading to nobody (403, as for a private one), but one for pushing, with which "not there" is a clear 404.

# fetch_manifest WHO REPOSITORY REFERENCE sets STATUS, and writes the body to $scratch/manifest. WHO is "owner", who has the
# credentials, or "anyone".
fetch_manifest() {
  local who=$1 host=${2%%/*} path=${2#*/} scheme=https url
  [[ $host =~ ^(127\.0\.0\.1|localhost)(:|$) ]] && scheme=http
  url=$scheme://$host/v2/$path/manifests/$3
  : >"$scratch/manifest"
  STATUS=$(curl_manifest "$url" </dev/null)
  if [[ $STATUS == 401 ]]; then
    fetch_token "$who" "$path" || return 0
    STATUS=$(printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" | curl_manifest "$url")
  fi
}

# curl_manifest URL: the status of the answer. Options come from standard input: a secret on the command line could be
# read by any process of the machine.
curl_manifest() {
  curl --silent --show-error --location --retry 4 --retry-connrefused --max-time 60 --config - \
    --header 'Accept: application/vnd.oci.image.index.v1+json' \
    --header 'Accept: application/vnd.docker.distribution.manifest.list.v2+json' \
    --header 'Accept: application/vnd.oci.image.manifest.v1+json' \
    --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
    --dump-header "$scratch/headers" --output "$scratch/manifest" --write-out '%{http_code}' "$1" ||
    die "$1 could not be read"
}

# fetch_token WHO PATH sets TOKEN after a 401; otherwise it fails, with STATUS.
fetch_token() {
  local challenge realm service scope="repository:$2:pull" credentials=
  challenge=$(tr -d '\r' <"$scratch/headers" | sed -nE 's/^[Ww][Ww][Ww]-[Aa]uthenticate: *[Bb]earer +//p' | tail -n 1)
  realm=$(sed -nE 's/.*realm="([^"]*)".*/\1/p' <<<"$challenge")
  service=$(sed -nE 's/.*service="([^"]*)".*/\1/p' <<<"$challenge")
  [[ -n $realm ]] || return 1
  if [[ $1 == owner && -n ${REGISTRY_PASSWORD:-} ]]; then
    scope+=,push
    credentials=$(printf 'user = "%s:%s"' "${REGISTRY_USERNAME:-}" "$REGISTRY_PASSWORD")
  fi
  STATUS=$(curl --silent --show-error --retry 4 --max-time 60 --config - --get \
    --data-urlencode "service=$service" --data-urlencode "scope=$scope" \
    --output "$scratch/token" --write-out '%{http_code}' "$realm" <<<"$credentials") ||
    die "$realm could not be asked for a token"
  [[ $STATUS == 200 ]] || return 1
  TOKEN=$(jq -r '.token // .access_token' "$scratch/token")
}

# pushed_digest: what IMAGE:vX.Y.Z names; nothing if there is no such tag. No other answer is taken for "nothing".
pushed_digest() {
  fetch_manifest owner "$IMAGE" "$VERSION"
  case $STATUS in
  200) manifest_digest ;;
  404) ;;
  *) die "reading $IMAGE:$VERSION: status $STATUS" \
    "the job needs packages: write, and REGISTRY_USERNAME and REGISTRY_PASSWORD" ;;
  esac
}

manifest_digest() { printf 'sha256:%s\n' "$(sha256sum <"$scratch/manifest" | cut -d ' ' -f 1)"; }

# The base image by digest: the one that a pushed image of this version records, so that a second run, weeks later, builds
# on the same; otherwise what its tag names now. It is read from base.name: base.digest is right on the image of each
# platform, but on an index ko v0.18 writes the digest of the base with ko's own annotations, which exists nowhere.
resolve_base() {
  local pushed
  pushed=$(pushed_digest)
  if [[ -n $pushed ]]; then
    jq -er '.annotations."org.opencontainers.image.base.name" | select(test("@sha256:[0-9a-f]{64}$"))' "$scratch/manifest" ||
      die "$IMAGE:$VERSION does not say on which base it was built" \
        "it was not pushed by this script: take the next version"
  elif [[ $BASE_IMAGE == *@sha256:* ]]; then
    echo "$BASE_IMAGE"
  else
    fetch_manifest anyone "${BASE_IMAGE%:*}" "${BASE_IMAGE##*:}"
    [[ $STATUS == 200 ]] || die "reading the base image $BASE_IMAGE: status $STATUS"
    echo "${BASE_IMAGE%:*}@$(manifest_digest)"
  fi
}

# A runner pulls the action's image without credentials, and a new package of ghcr.io is private: a tag whose image
# nobody can pull would break every user.
check_public() {
  fetch_manifest anyone "$IMAGE" "$1"
  [[ $STATUS == 200 ]] ||
    die "$IMAGE@$1 cannot be pulled without credentials: status $STATUS" \
      "package settings → Change visibility → Public, then run this job again; nothing is tagged yet"
}
