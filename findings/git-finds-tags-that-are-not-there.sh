#!/usr/bin/env bash
# Guess:     `git rev-parse --verify NAME^{commit}` fails for a name that no tag or branch has. (What `git describe` prints,
#            TAG-COUNT-gHASH, is known to be read back; then the tag and the count must be right.)
# Behaviour: any name that ends in -gHASH is found, whatever stands before it: no such tag, no count, not even a version. Only
#            the hash is looked at. With git 2.39 of Debian 12; a stricter git may refuse the forms without a count.
# Matters:   candidates are often tagged VERSION-rc.N-gHASH in the registry. "Is there a git tag of that name?" is then always
#            answered with yes, and a check that an artifact's version and its commit belong together checks nothing. Ask
#            `git show-ref --verify refs/tags/NAME`.
# Seen:      9.9.9-rc.4-gHASH: found by rev-parse, no tag
#            any-words-gHASH: found by rev-parse, no tag
#            9.9.9-rc.4.gHASH: not found by rev-parse, no tag
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

export HOME="$work" GIT_CONFIG_NOSYSTEM=1
git --version
git init -q repo
cd repo
git config user.name Somebody
git config user.email somebody@example.invalid
git commit -q --allow-empty -m first
git tag 1.0.0
git commit -q --allow-empty -m second
hash="$(git rev-parse --short=8 HEAD)"
for name in "9.9.9-rc.4-g$hash" "any-words-g$hash" "9.9.9-rc.4.g$hash"; do
  parsed="not found" tag="no tag"
  if [ "$(git rev-parse -q --verify "$name^{commit}" || true)" = "$(git rev-parse HEAD)" ]; then parsed=found; fi
  if git show-ref -q --verify "refs/tags/$name"; then tag="a tag"; fi
  echo "${name/$hash/HASH}: $parsed by rev-parse, $tag"
done | tee ../out
diff ../out - <<'E'
9.9.9-rc.4-gHASH: found by rev-parse, no tag
any-words-gHASH: found by rev-parse, no tag
9.9.9-rc.4.gHASH: not found by rev-parse, no tag
E
echo "as described"
