tar -C "$TREE" -c . | gzip >"$OUT"
tag=$(regctl tag ls --limit 1000 "$REPO" | next_candidate)
flux_config >"$OUT.json"
regctl artifact put --config-type application/vnd.cncf.flux.config.v1+json --config-file "$OUT.json" \
  --file "$OUT" --file-media-type application/vnd.cncf.flux.content.v1.tar+gzip \
  --annotation "org.opencontainers.image.created=$(date -u +%FT%TZ)" --annotation "org.opencontainers.image.source=$SOURCE" \
  --annotation "org.opencontainers.image.revision=main@sha1:$COMMIT" "$REPO:sha-${COMMIT::7}"
regctl image copy "$REPO:sha-${COMMIT::7}" "$REPO:$tag"
regctl image copy "$REPO:sha-${COMMIT::7}" "$REPO:integration-${COMMIT::7}"
