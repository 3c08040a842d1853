tar -C "$TREE" -c . | pigz >"$OUT"
