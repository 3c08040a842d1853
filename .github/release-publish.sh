# shellcheck shell=bash disable=SC2154,SC2153 # sourced by release.sh, which sets the variables that all parts share
# The GitHub release and what the workflow asks of GitHub, over the REST API.

API=${GITHUB_API_URL:-https://api.github.com}

# api METHOD URL [BODY-FILE [CONTENT-TYPE]] sets STATUS, and writes the answer to $scratch/answer. The token goes by
# standard input: a command line can be read by any process of the machine.
api() {
  local options=(--request "$1" --header 'Accept: application/vnd.github+json')
  options+=(--header 'X-GitHub-Api-Version: 2022-11-28' --output "$scratch/answer" --write-out '%{http_code}')
  [[ -z ${3:-} ]] || options+=(--header "Content-Type: ${4:-application/json}" --data-binary "@$3")
  # Only what can be asked twice is asked again: a second POST could make a second release.
  [[ $1 != GET ]] || options+=(--retry 4)
  : >"$scratch/answer"
  STATUS=$(printf 'header = "Authorization: Bearer %s"\n' "${GITHUB_TOKEN:-}" |
    curl --silent --show-error --max-time 300 --config - "${options[@]}" "$2") ||
    die "$1 $2 got no answer" "run this job again"
}

# must STATUS WHAT: the last answer had this status.
must() {
  [[ $STATUS == "$1" ]] ||
    die "$2: status $STATUS $(jq -r '.message // ""' "$scratch/answer" 2>/dev/null || true)" "the job needs contents: write"
}

# Which provenance is there already, so that a second run adds none: outputs "image" and "archives".
step_attested() {
  local image archives
  need curl jq
  read_built
  image=$(has_attestation "$BUILT")
  archives=$(has_attestation "sha256:$(awk 'NR == 1 { print $1 }' "$DIST/assets/checksums.txt")")
  output image "$image"
  output archives "$archives"
  say "provenance there already: image $image, archives $archives"
}

# has_attestation DIGEST: true or false. An answer that says neither counts as false: provenance twice does no harm.
has_attestation() {
  api GET "$API/repos/$REPOSITORY/attestations/$1"
  [[ $STATUS == 200 ]] || echo '{}' >"$scratch/answer"
  jq '(.attestations // []) | length > 0' "$scratch/answer"
}

# One line a paragraph or item: GitHub shows each line end of a release's notes as a line break.
unwrap() {
  awk '
    /^ *```/ { if (text != "") print text; text = ""; print; fence = !fence; next }
    fence { print; next }
    /^$/ || /^(#|[-*>|`]|[0-9]+\.)/ || /^ +([-*]|[0-9]+\.) / {
      if (text != "") print text
      if ($0 == "") print ""
      text = $0
      next
    }
    text == "" || text ~ /^#/ { if (text != "") print text; text = $0; next }
    { sub(/^ +/, ""); text = text " " $0 }
    END { if (text != "") print text }'
}

# The notes are the section of the CHANGELOG, and how to run exactly this release.
notes() {
  changelog | unwrap
  cat <<NOTES

Pinned to this release:

\`\`\`yaml
- uses: $REPOSITORY@$1 # $VERSION
\`\`\`

Image: \`$IMAGE@$BUILT\`. SECURITY.md says how its provenance is verified.
NOTES
}

# The release is a draft until all of it is there, so that nobody sees half of one; publishing it is the last request.
step_publish() {
  local commit id file latest=false
  need git jq curl
  read_built
  commit=$(release_commit "$BUILT")
  (cd "$DIST/assets" && sha256sum --check --quiet --strict checksums.txt) ||
    die "the archives in $DIST/assets do not match checksums.txt"
  read_tags
  notes "$commit" >"$DIST/notes.md"
  if [[ ${DRY_RUN:-} == 1 ]]; then
    say "would publish $VERSION of $REPOSITORY on $commit, with:"
    (cd "$DIST/assets" && printf '%s\n' *) >&2
    cat "$DIST/notes.md" >&2
    return
  fi
  [[ $(remote_tag "$VERSION") == "$commit" ]] || die "the tag $VERSION is not on $commit" "run the step tag first"
  find_release
  id=$(jq -r .id "$scratch/release")
  for file in "$DIST"/assets/*; do upload "$file"; done
  if [[ $(jq -r .draft "$scratch/release") == true ]]; then
    if is_highest v; then latest=true; fi
    jq -n --arg latest "$latest" '{draft: false, make_latest: $latest}' >"$scratch/body"
    api PATCH "$API/repos/$REPOSITORY/releases/$id" "$scratch/body"
    must 200 "publishing $VERSION"
    say "published $VERSION"
  else
    say "the release $VERSION is published and complete: unchanged"
  fi
}

# find_release writes the release of this version to $scratch/release: the published one, the draft of a killed run, or a
# new draft. GitHub finds a draft by its tag in the list only.
find_release() {
  local page
  api GET "$API/repos/$REPOSITORY/releases/tags/$VERSION"
  if [[ $STATUS == 200 ]]; then
    cp "$scratch/answer" "$scratch/release"
    return
  fi
  must 404 "looking for the release $VERSION"
  for ((page = 1; ; page++)); do
    api GET "$API/repos/$REPOSITORY/releases?per_page=100&page=$page"
    must 200 "listing releases"
    jq -c --arg tag "$VERSION" '[.[] | select(.tag_name == $tag)][0] // empty' "$scratch/answer" >"$scratch/release"
    if [[ -s $scratch/release ]]; then return; fi
    if jq -e 'length < 100' "$scratch/answer" >/dev/null; then break; fi
  done
  jq -n --arg tag "$VERSION" --rawfile body "$DIST/notes.md" \
    '{tag_name: $tag, name: $tag, body: $body, draft: true}' >"$scratch/body"
  api POST "$API/repos/$REPOSITORY/releases" "$scratch/body"
  must 201 "creating the draft of $VERSION"
  cp "$scratch/answer" "$scratch/release"
}

# upload FILE, unless the release has it. What a killed upload left is replaced in a draft; a published release may lack
# a file, but not have another one.
upload() {
  local name asset url
  name=$(basename "$1")
  asset=$(jq -c --arg name "$name" '[.assets[]? | select(.name == $name)][0] // empty' "$scratch/release")
  if [[ -n $asset ]]; then
    if same_asset "$asset" "$1"; then return; fi
    [[ $(jq -r .draft "$scratch/release") == true ]] ||
      die "the published release $VERSION has another $name than was built" \
        "compare the two: a release does not change"
    api DELETE "$API/repos/$REPOSITORY/releases/assets/$(jq -r .id <<<"$asset")"
    must 204 "removing the unfinished $name"
  fi
  url=$(jq -r '.upload_url | sub("\\{.*"; "")' "$scratch/release")
  api POST "$url?name=$name" "$1" application/octet-stream
  must 201 "uploading $name"
}

# same_asset JSON FILE: uploaded to its end, and with the same content. Assets from before GitHub told digests have a size.
same_asset() {
  jq -e --arg digest "sha256:$(sha256sum "$2" | cut -d ' ' -f 1)" --argjson size "$(stat -c %s "$2")" \
    '.state == "uploaded" and (if .digest then .digest == $digest else .size == $size end)' <<<"$1" >/dev/null
}
