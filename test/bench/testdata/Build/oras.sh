tar -C "$TREE" -c . | gzip >"$OUT"
tag=$(oras repo tags --plain-http "$REPO" | next_candidate)
flux_config >"$OUT.json"
oras push --plain-http --disable-path-validation --config "$OUT.json:application/vnd.cncf.flux.config.v1+json" \
  --annotation "org.opencontainers.image.created=$(date -u +%FT%TZ)" --annotation "org.opencontainers.image.source=$SOURCE" \
  --annotation "org.opencontainers.image.revision=main@sha1:$COMMIT" \
  "$REPO:sha-${COMMIT::7},$tag,integration-${COMMIT::7}" "$OUT:application/vnd.cncf.flux.content.v1.tar+gzip"
