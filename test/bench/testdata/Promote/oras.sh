[[ -n ${DIGEST-} ]] || DIGEST=$(oras resolve --plain-http "$REPO:integration-${COMMIT::7}")
tag=$(oras repo tags --plain-http "$REPO" | next_stable)
oras tag --plain-http "$REPO@$DIGEST" "validated-${COMMIT::7}" "$tag"
