package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// kubectl is a stand-in, with what kubectl 1.32.4 does (docs/facts.md 35) on a cluster without helm-controller and with Crossplane.
const kubectl = `kubectl() {
  [ "$1" = --context ] && shift 2
  installed='events secrets kustomizations.kustomize.toolkit.fluxcd.io alerts.notification.toolkit.fluxcd.io
    providers.notification.toolkit.fluxcd.io providers.pkg.crossplane.io ocirepositories.source.toolkit.fluxcd.io'
  if [ "$1" = api-resources ]; then printf '%s\n' $installed; return; fi
  [ "$1" = get ] || return 2
  for kind in $(printf %s "$2" | tr , ' '); do
    case " $(echo $installed) " in *" $kind "* | *" $kind."*) ;; *) echo "error: the server doesn't have a resource type \"$kind\"" >&2; return 1 ;; esac
  done
  echo "$2" | tr , '\n'
}
`

// Each command of a page that makes a file for cluster-state, and of a hint, works on a cluster that lacks a kind.
func TestCommandsWorkOnAnyCluster(t *testing.T) {
	made := regexp.MustCompile(`(?m)^\s*(?:\$ )?(kubectl .*) > (integration|live)[a-z-]*\.(json|txt)$`)
	commands := map[string]int{getObjects: 0, listNames: 0}
	for _, page := range []string{"README.md", "docs/*.md", "examples/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", "..", page))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", page, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range made.FindAllStringSubmatch(string(text), -1) {
				commands[m[1]]++
			}
		}
	}
	if len(commands) < 4 {
		t.Errorf("the pages have %d commands", len(commands))
	}
	for command := range commands {
		out, err := exec.Command("bash", "-c", "set -o pipefail; "+kubectl+command).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", command, err, out)
		}
		if strings.Contains(command, "api-resources") && (!strings.Contains(string(out), "ocirepositories.source") || strings.Contains(string(out), "crossplane")) {
			t.Errorf("%s: gets %q", command, out)
		}
	}
}
