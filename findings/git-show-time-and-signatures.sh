#!/usr/bin/env bash
# Guess:     `git show -s --format=%ct HEAD`, and `git log -1` with the same format, print the commit's time and nothing else.
# Behaviour: where somebody has set log.showSignature they print what became of the signature first, on standard output. The
#            plumbing, `git rev-list --no-commit-header`, takes no notice of the setting.
# Matters:   that line is the usual source of a reproducible `created` annotation (SOURCE_DATE_EPOCH) or of a version's
#            counter. On a machine of a developer who signs, two lines come for one: the build fails there and only there, or
#            takes the wrong word. The same goes for `git log --format=%H | wc -l` as a count.
# Seen:      show: 2 lines, the first no number
#            log: 2 lines, the first no number
#            rev-list: 1 line, a number
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

export HOME="$work" GIT_CONFIG_NOSYSTEM=1
ssh-keygen -q -t ed25519 -N '' -C example -f key
echo "somebody $(cat key.pub)" > allowed
git init -q repo
cd repo
git config user.name Somebody
git config user.email somebody@example.invalid
git config gpg.format ssh
git config user.signingKey ../key.pub
git config gpg.ssh.allowedSignersFile "$work/allowed"
git commit -q -S --allow-empty -m signed
git config log.showSignature true

say() { # NAME OUTPUT
  local lines first
  lines="$(wc -l <<< "$2")"
  first="$(head -1 <<< "$2")"
  if [[ "$first" =~ ^[0-9]+$ ]]; then echo "$1: $lines, a number"; else echo "$1: $lines, no number"; fi
}
{
  say show "$(git show -s --format=%ct HEAD 2> /dev/null)"
  say log "$(git log -1 --format=%ct HEAD 2> /dev/null)"
  say rev-list "$(git rev-list -1 --no-commit-header --format=%ct HEAD)"
} | tee ../out
diff ../out - <<'E'
show: 2, no number
log: 2, no number
rev-list: 1, a number
E
echo "as described"
