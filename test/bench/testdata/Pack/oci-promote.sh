exec oci-promote build --dry-run --repository "oci-layout:$OUT" --path "$TREE" --revision "main@sha1:$COMMIT" --source "$SOURCE" --height "$HEIGHT"
