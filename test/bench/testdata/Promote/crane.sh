[[ -n ${DIGEST-} ]] || DIGEST=$(crane digest "$REPO:integration-${COMMIT::7}")
tag=$(crane ls "$REPO" | next_stable)
crane tag "$REPO@$DIGEST" "validated-${COMMIT::7}"
crane tag "$REPO@$DIGEST" "$tag"
