// Package flux holds the examples and the program to a real Flux: etcd, kube-apiserver, source-, kustomize- and
// notification-controller and CNCF Distribution as plain processes on loopback, with a stand-in for GitHub, and no container.
// Two clusters, integration and live, share one etcd. What runs is built from the pinned modules of modules/ (package bins).
//
// Its tests run with -args -flux (make flux), and with -args -record they write what others test with (make flux-record).
// No kubelet runs: a test that wants a Canary to pass says so in its place.
package flux
