package trigger

import "testing"

func TestFormGives(t *testing.T) {
	for event, want := range map[string]string{
		`{"inputs": {"soak": "1h"}}`:              "yes",
		`{"inputs": {"soak": "0s"}}`:              "yes",
		`{"inputs": {"soak": 0}}`:                 "yes",
		`{"inputs": {"soak": false}}`:             "yes",
		`{"inputs": {"soak": ""}}`:                "no",
		`{"inputs": {"soak": " "}}`:               "no",
		`{"inputs": {"soak": null}}`:              "no",
		`{"inputs": {"Soak": "1h"}}`:              "no",
		`{"inputs": {"wait": "1h"}}`:              "no",
		`{"inputs": {}}`:                          "no",
		`{"inputs": null}`:                        "no",
		`{}`:                                      "no",
		`{"soak": "1h"}`:                          "no",
		`{"inputs": "soak"}`:                      "inputs",
		`{"inputs": ["soak"]}`:                    "inputs",
		`[]`:                                      "it",
		``:                                        "reading the event",
		`{"inputs": {"soak": "1h"}} {"more": ""}`: "reading the event",
	} {
		got, err := FormGives([]byte(event), "soak")
		switch {
		case want == "yes" || want == "no":
			if err != nil || got != (want == "yes") {
				t.Errorf("%s: %v, %v; want %s", event, got, err, want)
			}
		case got:
			t.Errorf("%s gives it", event)
		default:
			wantError(t, Verdict{}, err, want)
		}
	}
}
