exec oci-promote tag --plain-http --repository "$REPO" --kustomization flux-system/platform
