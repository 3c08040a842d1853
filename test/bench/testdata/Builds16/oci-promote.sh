exec oci-promote build --json --plain-http --repository "$REPO" --path "$TREE" --revision "main@sha1:$COMMIT" --source "$SOURCE" --height "$HEIGHT"
