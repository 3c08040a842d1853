tar -C "$TREE" -c . | gzip >"$OUT"
