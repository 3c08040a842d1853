package flux

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const kubectlIndent = "    "

// kubectl is what `kubectl get KIND,… -n flux-system -o json` prints.
func (c *cluster) kubectl(t *testing.T, kinds ...string) string {
	t.Helper()
	items := []object{}
	for _, kind := range kinds {
		items = append(items, c.list(t, kind)...)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", kubectlIndent)
	if err := e.Encode(list(items)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// list is kubectl's form of several objects.
func list(items []object) object {
	all := make([]any, len(items))
	for i, o := range items {
		delete(o["metadata"].(object), "managedFields")
		all[i] = o
	}
	return object{"apiVersion": "v1", "kind": "List", "items": all, "metadata": object{"resourceVersion": ""}}
}

// sameAsKubectl holds cluster.kubectl to the real one, where there is one.
func (c *cluster) sameAsKubectl(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("kubectl")
	if err != nil {
		t.Log("no kubectl to compare with")
		return
	}
	command := exec.CommandContext(t.Context(), program, "get", "ocirepositories,kustomizations,alerts,providers", "-n", namespace, "-o", "json")
	command.Env = []string{"KUBECONFIG=" + c.kubeconfig, "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	// What a controller writes between the two is no difference: it is asked until both say the same.
	until(t, soon, "kubectl to print what cluster.kubectl prints", func() (string, bool) {
		output, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		command = exec.CommandContext(t.Context(), program, command.Args[1:]...)
		command.Env = []string{"KUBECONFIG=" + c.kubeconfig, "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
		return string(output), strings.TrimSpace(string(output)) == strings.TrimSpace(c.kubectl(t, "OCIRepository", "Kustomization", "Alert", "Provider"))
	})
}
