exec oci-promote-before tag --plain-http --repository "$REPO" --kustomization flux-system/platform
