flux list "$REPO" | next_candidate
