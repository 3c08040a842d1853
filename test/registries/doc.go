// Package registries tells one set of stories on every registry that can be had: four implementations as they are, as
// processes or in process, and one of ours in the words of each vendor. What was run on which is the matrix in
// docs/registries.md, which the tests hold to the code. Nothing leaves loopback.
package registries
