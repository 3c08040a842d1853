exec oci-promote build --dry-run --json --plain-http --repository "$REPO" --path "$TREE" --revision "main@sha1:$COMMIT" --source "$SOURCE" --height "$HEIGHT"
