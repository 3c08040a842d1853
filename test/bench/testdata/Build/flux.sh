tag=$(flux ls "$REPO" | next_candidate)
flux push "$REPO:sha-${COMMIT::7}" "$TREE" "main@sha1:$COMMIT" "$SOURCE"
flux tag "$REPO:sha-${COMMIT::7}" "$tag" "integration-${COMMIT::7}"
