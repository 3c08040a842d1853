crane ls "$REPO" | next_candidate
