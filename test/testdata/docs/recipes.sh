# The reader has a second directory, and a gh that knows what was built here; only what it is asked is looked at.
mkdir monitoring && cp platform/kustomization.yaml monitoring/ && git add monitoring && git commit --quiet --message "Monitoring"
gh() {
  case "$*" in
  "attestation verify oci://ghcr.io/acme/fleet/platform@sha256:"*" --repo acme/fleet --source-ref refs/heads/main --signer-workflow acme/fleet/.github/workflows/build-platform-artifact.yaml") ;;
  *) echo "gh $*: nobody attested that" >&2; return 1 ;;
  esac
}
