[[ -n ${DIGEST-} ]] || DIGEST=$(regctl image digest "$REPO:integration-${COMMIT::7}")
tag=$(regctl tag ls --limit 1000 "$REPO" | next_stable)
regctl image copy "$REPO@$DIGEST" "$REPO:validated-${COMMIT::7}"
regctl image copy "$REPO@$DIGEST" "$REPO:$tag"
