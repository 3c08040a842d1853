package action

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestInputs(t *testing.T) {
	seen := map[string]bool{}
	for _, i := range Inputs {
		t.Run(i.Name, func(t *testing.T) {
			if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(i.Name) || seen[i.Name] {
				t.Error("the name is not of lower-case words, or is there twice")
			}
			seen[i.Name] = true
			oneLine(t, i.Help)
			if i.Modes != nil && len(i.Modes) == 0 || slices.ContainsFunc(i.Modes, func(m string) bool { return !slices.Contains(Modes, m) }) {
				t.Errorf("the modes %q are not all modes", i.Modes)
			}
			if !slices.ContainsFunc(Modes, i.usedBy) {
				t.Error("no mode uses it")
			}
			if i.Expr != "" && i.Default != "" {
				t.Error("it has two defaults")
			}
			if i.IsBool != (i.Default == "false" || i.Default == "true") {
				t.Errorf("the default of a boolean is true or false; it is %q", i.Default)
			}
		})
	}
	for _, o := range Outputs {
		t.Run("output "+o.Name, func(t *testing.T) { oneLine(t, o.Help) })
	}
}

func oneLine(t *testing.T, help string) {
	t.Helper()
	if help == "" || strings.ContainsAny(help, "\r\n") || strings.TrimSpace(help) != help || strings.HasSuffix(help, ".") {
		t.Errorf("the help %q is not one line without a full stop", help)
	}
}

func TestInputsOf(t *testing.T) {
	for mode, want := range map[string]struct{ has, hasNot []string }{
		Build:  {[]string{"repository", "path", "bump", "dry-run"}, []string{"mode", "wait", "kustomization", "issue"}},
		Tag:    {[]string{"repository", "wait", "kustomization", "version"}, []string{"mode", "path", "bump", "issue"}},
		Verify: {[]string{"repository", "path", "kustomization", "issue"}, []string{"mode", "bump", "wait", "version"}},
	} {
		var names []string
		for _, i := range InputsOf(mode) {
			names = append(names, i.Name)
		}
		for _, name := range want.has {
			if !slices.Contains(names, name) {
				t.Errorf("%s has no %s", mode, name)
			}
		}
		for _, name := range want.hasNot {
			if slices.Contains(names, name) {
				t.Errorf("%s has %s", mode, name)
			}
		}
	}
	if Inputs[0].Name != "mode" {
		t.Error("InputsOf changed the table")
	}
}

func TestCheckMode(t *testing.T) {
	for _, mode := range Modes {
		if err := CheckMode(mode); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
	for _, mode := range []string{"", "Build", "build ", "promote", "build\n"} {
		err := CheckMode(mode)
		if err == nil || !strings.HasPrefix(err.Error(), "mode: ") || !strings.Contains(err.Error(), "build, tag, verify or prune") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v", mode, err)
		}
	}
}

func TestMisplaced(t *testing.T) {
	tests := []struct {
		name, mode string
		values     Values
		want       []string
	}{
		{"nothing set", Build, Values{}, nil},
		{"only what the mode uses", Build, Values{"mode": "build", "path": "deploy", "token": "x"}, nil},
		{"inputs of other modes", Build, Values{"wait": "5m", "max-age": "1h", "path": "."}, []string{"wait", "max-age"}},
		{"defaults, as action.yml sets all", Tag, Values{"path": ".", "bump": "patch", "overwrite": "false", "max-age": "2h", "issue": "false"}, nil},
		{"a default of another mode changed", Verify, Values{"bump": "auto", "path": "x"}, []string{"bump"}},
		{"unset by hand", Tag, Values{"bump": "", "overwrite": ""}, nil},
		{"unknown names", Tag, Values{"nonsense": "x"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Misplaced(test.mode, test.values); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
