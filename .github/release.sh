#!/usr/bin/env bash
# Releases oci-promote. .github/workflows/release.yml runs these steps in this order; so do test/release_test.go and
# `make release-dry-run`, against a registry and a git remote of their own.
#
#   release.sh check   vX.Y.Z   refuse what cannot be released, before anything is written
#   release.sh build   vX.Y.Z   DIST: the archives, the SBOMs, checksums.txt, the image as an OCI layout, its digest
#   release.sh inspect vX.Y.Z   look at DIST again; build and push do so themselves
#   release.sh push    vX.Y.Z   the image to IMAGE, tagged vX.Y.Z
#   release.sh attested vX.Y.Z  which provenance exists already, for the workflow
#   release.sh commit  vX.Y.Z   the release commit, in the local repository; prints it
#   release.sh tag     vX.Y.Z   vX.Y.Z on that commit; vX too if vX.Y.Z is the highest of its major
#   release.sh publish vX.Y.Z   the GitHub release, with the archives; only says so with DRY_RUN=1
#
# A maintainer asks with a tag release/vX.Y.Z (that spelling is accepted too). The final tag cannot be the request: the
# commit it names must hold the digest of an image that is built from the request, and a tag vX.Y.Z never moves. So
# vX.Y.Z is made once, here, on a commit that is the child of the requested one.
#
# Each step completes what a killed run left and changes nothing where all is done. What a second run builds must be,
# byte for byte, what the first one pushed: the compiler and the tools are pinned, times are the commit's, and the base
# image is the one that the pushed image records.
#
# Environment: IMAGE, BASE_IMAGE, REMOTE, DIST, KO, PLATFORMS; REGISTRY_USERNAME and REGISTRY_PASSWORD for IMAGE;
# GITHUB_TOKEN for attested and publish. Needs bash, git, GNU tar, jq and curl; build and push need Go and make too.
set -euo pipefail
shopt -s inherit_errexit
umask 022
export LC_ALL=C TZ=UTC GIT_TERMINAL_PROMPT=0

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cd "$here/.."

REPOSITORY=${GITHUB_REPOSITORY:-oci-promote/oci-promote}
IMAGE=${IMAGE:-ghcr.io/${REPOSITORY,,}} # a registry takes lower case only
BASE_IMAGE=${BASE_IMAGE:-gcr.io/distroless/static-debian12:latest}
REMOTE=${REMOTE:-origin}
DIST=$(realpath -m "${DIST:-dist/release}")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { printf 'release: %s\n' "$*" >&2; }

# die MESSAGE [HINT]
die() {
  say "$1"
  [[ -z ${2:-} ]] || printf '  hint: %s\n' "$2" >&2
  exit 1
}

need() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null || die "$name is missing" "install it; on Debian: apt-get install $name"
  done
}

# output NAME VALUE: for later steps of the workflow. The values are digests, versions and booleans: one line each.
output() { [[ -z ${GITHUB_OUTPUT:-} ]] || printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# shellcheck source=.github/release-registry.sh
source "$here/release-registry.sh"
# shellcheck source=.github/release-build.sh
source "$here/release-build.sh"
# shellcheck source=.github/release-publish.sh
source "$here/release-publish.sh"

# parse_version TEXT sets VERSION (v1.2.3), NUMBER (1.2.3) and MAJOR (v1).
parse_version() {
  local number='(0|[1-9][0-9]{0,8})'
  [[ ${1#release/} =~ ^v($number\.$number\.$number)$ ]] ||
    die "$(printf '%q' "$1") is no version to release" \
      "the tag is release/vX.Y.Z: three numbers, no leading zeros, no pre-release"
  NUMBER=${BASH_REMATCH[1]}
  VERSION=v$NUMBER
  MAJOR=v${BASH_REMATCH[2]}
  MINOR=${BASH_REMATCH[2]}.${BASH_REMATCH[3]}
}

# The section of the version in the requested commit's CHANGELOG.md, without its heading.
changelog() {
  git show "$SOURCE:CHANGELOG.md" | awk -v heading="## [$NUMBER] - " '
    index($0, heading) == 1 { inside = 1; next }
    /^## / || /^\[[^]]*\]: / { inside = 0 }
    inside { text = text $0 "\n" }
    END { sub(/^\n+/, "", text); sub(/\n+$/, "", text); if (text != "") print text }'
}

# One reading of the remote's version tags, for the functions below.
read_tags() {
  git ls-remote "$REMOTE" 'refs/tags/v*' >"$scratch/tags" || die "the tags of $REMOTE could not be read"
}

# remote_tag NAME: the commit that a tag of the remote names; nothing if there is no such tag. After an annotated tag's
# own line comes one, NAME^{}, with the commit.
remote_tag() {
  awk -v ref="refs/tags/$1" '$2 == ref || $2 == ref "^{}" { commit = $1 } END { if (commit != "") print commit }' "$scratch/tags"
}

# is_highest PREFIX: no version tag of the remote that begins with PREFIX is above the one that is being released.
is_highest() {
  local highest
  highest=$({
    echo "$VERSION"
    sed -nE 's#^[0-9a-f]+\trefs/tags/(v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*))$#\1#p' "$scratch/tags"
  } | awk -v prefix="$1" 'index($0, prefix) == 1' | sort -V | tail -n 1)
  [[ $highest == "$VERSION" ]]
}

# release_commit DIGEST: the child of the requested commit whose action.yml runs that image, by digest. Nothing in it
# depends on when or where it is made: the same digest gives the same commit.
release_commit() {
  local line="  image: docker://$IMAGE@$1" blob tree date
  [[ $1 =~ ^sha256:[0-9a-f]{64}$ ]] || die "$(printf '%q' "$1") is no digest"
  [[ $(git show "$SOURCE:action.yml" | grep -cx '  image: Dockerfile') == 1 ]] ||
    die "action.yml of $SOURCE does not have the line '  image: Dockerfile' exactly once" \
      "release a commit of main, not one that is a release already"
  blob=$(git show "$SOURCE:action.yml" | sed "s|^  image: Dockerfile\$|$line|" | git hash-object -w --stdin)
  tree=$(
    export GIT_INDEX_FILE=$scratch/index
    git read-tree "$SOURCE"
    git update-index --cacheinfo "100644,$blob,action.yml"
    git write-tree
  )
  date="$(git show -s --format=%ct "$SOURCE") +0000"
  GIT_AUTHOR_NAME='github-actions[bot]' GIT_COMMITTER_NAME='github-actions[bot]' \
    GIT_AUTHOR_EMAIL='41898282+github-actions[bot]@users.noreply.github.com' \
    GIT_COMMITTER_EMAIL='41898282+github-actions[bot]@users.noreply.github.com' \
    GIT_AUTHOR_DATE=$date GIT_COMMITTER_DATE=$date \
    git -c i18n.commitEncoding=UTF-8 commit-tree "$tree" -p "$SOURCE" \
    -m "Release $VERSION" -m "The action runs $IMAGE@$1, which was built from the parent of this commit."
}

# released_digest: the image that an existing tag vX.Y.Z runs; nothing if there is no such tag. A tag that this script
# would not have made from this commit is refused.
released_digest() {
  local named digest commit=
  read_tags
  named=$(remote_tag "$VERSION")
  [[ -n $named ]] || return 0
  git cat-file -e "$named^{commit}" 2>/dev/null || git fetch --quiet --no-tags "$REMOTE" "refs/tags/$VERSION"
  digest=$(git show "$named:action.yml" | sed -nE 's/^  image: docker:.*@(sha256:[0-9a-f]{64})$/\1/p')
  [[ -z $digest ]] || commit=$(release_commit "$digest")
  [[ $commit == "$named" ]] ||
    die "$VERSION exists on commit $named, which is no release of $SOURCE" \
      "a version is released once: take the next one"
  echo "$digest"
}

# The requested commit is on main, or on the branch release-X.Y of an older line.
check_history() {
  local branch
  for branch in main "release-$MINOR"; do
    git ls-remote --exit-code "$REMOTE" "refs/heads/$branch" >/dev/null || continue
    git fetch --quiet --no-tags "$REMOTE" "refs/heads/$branch"
    if git merge-base --is-ancestor "$SOURCE" FETCH_HEAD; then return; fi
  done
  die "$SOURCE is neither on main nor on release-$MINOR of $REMOTE" \
    "push the commit to its branch first, then the tag"
}

# What `go install MODULE/cmd/oci-promote@latest` would not see must not be released.
check_module() {
  local module
  module=$(git show "$SOURCE:go.mod" | awk '$1 == "module" { print $2 }')
  case $MAJOR in
  v0 | v1) [[ ! $module =~ /v[0-9]+$ ]] ;;
  *) [[ $module == */$MAJOR ]] ;;
  esac ||
    die "go.mod names the module $module, with which Go does not accept $VERSION" \
      "from version 2 on its path ends in the major: …/$MAJOR"
}

step_check() {
  local notes
  need git jq curl tar
  notes=$(changelog)
  [[ -n $notes ]] ||
    die "CHANGELOG.md has nothing under '## [$NUMBER] - YYYY-MM-DD'" \
      "rename its Unreleased section in a commit, and tag that"
  check_module
  check_history
  released_digest >/dev/null
  release_commit "sha256:$(printf '0%.0s' {1..64})" >/dev/null # action.yml has the line
  output version "$VERSION"
  output image "$IMAGE"
  say "$VERSION can be released from $SOURCE"
}

step_commit() {
  read_built
  release_commit "$BUILT"
}

# A tag is light: there is nothing in it but the commit's name, so that it too is the same from every run. Both are
# pushed at once and only if they still are what was read; a lost race is planned anew.
step_tag() {
  local commit try
  need git jq curl
  read_built
  commit=$(release_commit "$BUILT")
  check_public "$BUILT"
  for try in 1 2 3; do
    if push_tags "$commit"; then return; fi
    say "pushing the tags failed (try $try of 3)"
    sleep "$try"
  done
  die "the tags of $VERSION could not be pushed" \
    "the job needs contents: write, and a tag ruleset must let it through; CONTRIBUTING.md says how it goes by hand"
}

push_tags() {
  local commit=$1 named major push=()
  read_tags
  named=$(remote_tag "$VERSION")
  if [[ -z $named ]]; then
    push+=("--force-with-lease=refs/tags/$VERSION:" "$commit:refs/tags/$VERSION") # empty: it must not exist
  elif [[ $named != "$commit" ]]; then
    die "$VERSION exists on commit $named; this release would be $commit" \
      "a version is released once: take the next one"
  fi
  major=$(remote_tag "$MAJOR")
  if ! is_highest "$MAJOR."; then
    say "$MAJOR stays on ${major:-nothing}: $VERSION is not the highest of its major"
  elif [[ $major != "$commit" ]]; then
    # The lease is on the ref itself, which is a tag object where somebody has made an annotated tag by hand. No "+"
    # before the refspec: it would override the lease.
    push+=("--force-with-lease=refs/tags/$MAJOR:$(awk -v ref="refs/tags/$MAJOR" '$2 == ref { print $1 }' "$scratch/tags")"
      "$commit:refs/tags/$MAJOR")
  fi
  if ((${#push[@]} == 0)); then
    say "the tags of $VERSION are all there: unchanged"
    return
  fi
  git push --quiet --atomic "$REMOTE" "${push[@]}" || return
  say "$VERSION is $commit"
}

main() {
  (($# == 2)) || die "usage: release.sh check|build|inspect|push|attested|commit|tag|publish vX.Y.Z"
  parse_version "$2"
  SOURCE=$(git rev-parse --verify --quiet 'HEAD^{commit}') || die "this is no git repository with a commit"
  case $1 in
  check | build | inspect | push | attested | commit | tag | publish) "step_$1" ;;
  *) die "$(printf '%q' "$1") is no step" "check, build, inspect, push, attested, commit, tag, publish" ;;
  esac
}

main "$@"
