source-controller "$REPO" ">= 0.0.0-0"
