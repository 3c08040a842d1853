# What a shell pipeline needs to number things: reads tags, one a line, from stdin.
stables() { grep -E '^[0-9]+\.[0-9]+\.[0-9]+$' | sort -V; }
candidates() { grep -E '^[0-9]+\.[0-9]+\.[0-9]+-rc\.[0-9]+$' | sort -V; }

# next_stable is one patch above the highest stable.
next_stable() {
  local stable
  stable=$(stables | tail -n 1)
  [[ -n $stable ]] || { echo 0.0.1; return; }
  echo "${stable%.*}.$((${stable##*.} + 1))"
}

# next_candidate is the next number on the higher of the next stable and the highest candidate's base.
next_candidate() {
  local tags candidate base
  tags=$(cat)
  candidate=$(candidates <<<"$tags" | tail -n 1)
  base=$(next_stable <<<"$tags")
  if [[ -n $candidate && $(printf '%s\n' "$base" "${candidate%-rc.*}" | sort -V | tail -n 1) == "${candidate%-rc.*}" ]]; then
    echo "${candidate%-rc.*}-rc.$((${candidate##*.} + 1))"
  else
    echo "$base-rc.1"
  fi
}

# flux_config is the config that Flux has given its artifacts for years, so that the registry mostly has it.
flux_config() { printf '%s' '{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}'; }
