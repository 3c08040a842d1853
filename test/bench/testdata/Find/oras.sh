oras repo tags --plain-http "$REPO" | next_candidate
