package programtest

import (
	"slices"
	"testing"
)

func TestLastOf(t *testing.T) {
	for _, c := range []struct{ args, want []string }{
		{nil, nil},
		{[]string{"build", "--path", "a", "--json", "--path=b", "--json"}, []string{"build", "--path=b", "--json"}},
		{[]string{"build", "--ignore", "a", "--ignore", "b"}, []string{"build", "--ignore", "a", "--ignore", "b"}},
		{[]string{"tag", "--wait", "1s", "--version", "next", "--wait", "-1s"}, []string{"tag", "--version", "next", "--wait", "-1s"}},
	} {
		if got := lastOf(c.args); !slices.Equal(got, c.want) {
			t.Errorf("lastOf(%q) = %q, want %q", c.args, got, c.want)
		}
	}
}
