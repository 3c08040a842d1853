package bench

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// grow makes a tree under place, once: testdata/platform itself, 5,000 files of 20 KB, or 50 of 10 MB. The files hold
// Deployments with names, digests and numbers of their own, which compress about as manifests do. They are the same in
// every run.
func grow(t testing.TB, size string) string {
	t.Helper()
	files, bytes := 0, 0
	switch size {
	case "small":
		return "../../testdata/platform"
	case "5000x20KB":
		files, bytes = 5000, 20_000
	case "500MB":
		files, bytes = 50, 10_000_000
	}
	dir := filepath.Join(place, size, "tree") // a parent of its own: Flux's client writes beside its source
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	source := rand.New(rand.NewPCG(1, 2))
	for i := range files {
		name := filepath.Join(dir, fmt.Sprintf("team-%02d", i%50), fmt.Sprintf("app-%04d.yaml", i))
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = writeManifests(name, source, bytes)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// writeManifests writes a file of n bytes of Deployments. It never holds all of them: what this process has had in
// memory counts as the peak of the processes that it starts.
func writeManifests(name string, source *rand.Rand, n int) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	for n > 0 {
		text := deployment(source)
		text = text[:min(n, len(text))]
		n -= len(text)
		_, _ = w.WriteString(text) // Flush tells
	}
	return errors.Join(w.Flush(), file.Close())
}

func deployment(source *rand.Rand) string {
	app := fmt.Sprintf("app-%06x", source.Uint32()>>8)
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
  namespace: team-%[2]d
  labels: {app.kubernetes.io/name: %[1]s, app.kubernetes.io/part-of: platform}
spec:
  replicas: %[3]d
  selector:
    matchLabels: {app.kubernetes.io/name: %[1]s}
  template:
    metadata:
      labels: {app.kubernetes.io/name: %[1]s}
    spec:
      containers:
        - name: main
          image: ghcr.io/acme/%[1]s@sha256:%016[4]x%016[5]x%016[6]x%016[7]x
          ports: [{name: http, containerPort: %[8]d}]
          resources:
            requests: {cpu: %[9]dm, memory: %[10]dMi}
---
`, app, source.IntN(50), source.IntN(9)+1, source.Uint64(), source.Uint64(), source.Uint64(), source.Uint64(),
		8000+source.IntN(1000), source.IntN(1000), source.IntN(4096))
}
