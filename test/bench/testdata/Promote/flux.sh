tag=$(flux ls "$REPO" | next_stable)
from=:integration-${COMMIT::7}
[[ -z ${DIGEST-} ]] || from=@$DIGEST
flux tag "$REPO$from" "validated-${COMMIT::7}" "$tag"
