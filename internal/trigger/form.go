package trigger

import "strings"

// FormEvent is the event of a person who started a workflow by its form, or by a client that fills it in.
const FormEvent = "workflow_dispatch"

// FormGives reports whether that form was filled in with an input of this name. A form without inputs has none.
func FormGives(event []byte, name string) (bool, error) {
	var e struct {
		Inputs map[string]any `json:"inputs"`
	}
	if err := decode(event, &e); err != nil {
		return false, err
	}
	switch v := e.Inputs[name].(type) {
	case nil:
		return false, nil
	case string:
		return strings.TrimSpace(v) != "", nil
	}
	return true, nil
}
