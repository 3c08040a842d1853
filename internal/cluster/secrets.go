package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// lastApplied is where kubectl apply keeps the whole object, of a Secret its data too.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// readSecret keeps the name of a Secret. One that comes with its data is refused.
func (s *State) readSecret(raw json.RawMessage) error {
	var secret struct {
		Metadata struct {
			Namespace   string                     `json:"namespace"`
			Name        string                     `json:"name"`
			Annotations map[string]json.RawMessage `json:"annotations"`
		} `json:"metadata"`
		Data       json.RawMessage `json:"data"`
		StringData json.RawMessage `json:"stringData"`
	}
	err := json.Unmarshal(raw, &secret)
	i := id{secret.Metadata.Namespace, secret.Metadata.Name}
	if err != nil || !i.valid() {
		return errors.New("it has a Secret without a name that can be read; expected kubectl's output with -o json, without secrets")
	}
	if secret.Metadata.Annotations[lastApplied] != nil || holds(secret.Data) || holds(secret.StringData) {
		return &hinted{
			fmt.Errorf("it has the data of Secret %s, which is not to be in a file; expected names only", i),
			"delete the file, and list names only: `" + listNames + "`",
		}
	}
	s.addSecret(i)
	return nil
}

// holds reports whether there is something in a field.
func holds(raw json.RawMessage) bool {
	text := string(bytes.Join(bytes.Fields(raw), nil))
	return text != "" && text != "null" && text != "{}"
}

// readSecretNames reads lines "NAMESPACE NAME" below kubectl's header, without which any two words could be a secret. Named is
// whether the file says by its name what it is.
func (s *State) readSecretNames(blob []byte, named bool) error {
	header := strings.Fields(strings.SplitN(string(blob), "\n", 2)[0])
	if named = named || len(header) == 2 && header[1] == "NAME"; !named {
		return &hinted{
			fmt.Errorf("%s; expected kubectl's output with -o json, or a list of secrets with its header NS NAME", form(string(blob), 0)),
			"make it with `" + getObjects + "`, or the list of secrets with `" + listNames + "`",
		}
	}
	var names []id
	for n, line := range strings.Split(string(blob), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0, n == 0 && len(words) == 2 && words[1] == "NAME":
			continue
		case len(words) != 2 || !lower(words[0]) || !lower(words[1]):
			return fmt.Errorf("%s; expected kubectl's output with -o json, or of secrets a line NAMESPACE NAME each", form(string(blob), n))
		}
		names = append(names, id{words[0], words[1]})
	}
	s.named = true
	for _, i := range names {
		s.addSecret(i)
	}
	return nil
}

// lower reports whether s is a name as namespaces and secrets have it.
func lower(s string) bool {
	return isName(s) && s == strings.ToLower(s) && !strings.Contains(s, ":")
}

// form says what a text is that is not what was expected in line n, without showing any of it.
func form(text string, n int) string {
	for _, start := range []string{"apiVersion:", "kind:", "items:", "metadata:", "---", "- ", "#"} {
		if strings.HasPrefix(text, start) {
			return "it looks like YAML"
		}
	}
	switch text[0] {
	case '<':
		return "it is a web page"
	case '[':
		return "it is a JSON array, and no List"
	}
	if n == 0 {
		return "it is no JSON, and no list of secrets"
	}
	return fmt.Sprintf("it is no JSON, and its line %d is not two names", n+1)
}

func (s *State) addSecret(i id) {
	if s.secrets == nil {
		s.secrets = map[id]bool{}
	}
	s.named = true
	s.secrets[i] = true
}
