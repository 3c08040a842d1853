// Package e2e runs the example workflows themselves: act plays the runner, the action is built from the Dockerfile
// (`uses: ./`), the registry is CNCF Distribution with token authentication.
//
// It needs a Docker engine and act, so its tests have a build tag of their own. `make e2e` starts what they need.
package e2e
