# Only flux and we can write Flux's media types and annotations: crane appends an image layer, and that is what is timed.
tar -C "$TREE" -c . | gzip >"$OUT"
tag=$(crane ls "$REPO" | next_candidate)
crane append --oci-empty-base -f "$OUT" -t "$REPO:sha-${COMMIT::7}"
crane tag "$REPO:sha-${COMMIT::7}" "$tag"
crane tag "$REPO:sha-${COMMIT::7}" "integration-${COMMIT::7}"
