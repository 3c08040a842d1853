flux build "$TREE" "$OUT"
